"""A folder beside a file that is being made; it belongs to one process, and one thread, at a time.

The system holds the lock as long as its owner lives: what a killed process leaves is taken over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator


@contextlib.contextmanager
def claimed(path: str, kind: str, *, waits: bool) -> Iterator[str]:
    """The folder `.NAME.kind`, which may hold what a process left that was killed.

    Parameters
    ----------
    path : str
        The file.
    kind : str
    waits : bool
        Whether to wait until another owner is done with it, instead of raising BlockingIOError.

    Raises
    ------
    OSError
        Also where the file system has no locks.
    """
    parent, name = os.path.split(path)
    lock = _lock(os.path.join(parent, f".{name}.{kind}"), path, waits)
    try:
        yield os.path.join(parent, f".{name}.{kind}")
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)  # children of a fork would hold it on
        os.close(lock)


def empty(folder: str, kept: tuple[str, ...] = ()) -> None:
    """Removes what is in a claimed folder, some names and the lock apart."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif name not in ("lock", *kept):
            os.remove(path)


def remove(folder: str) -> None:
    """Removes a claimed folder; the lock last, since whoever waits for it begins then."""
    with contextlib.suppress(OSError):
        empty(folder)
        os.remove(os.path.join(folder, "lock"))
        os.rmdir(folder)


def _lock(folder: str, path: str, waits: bool) -> int:
    name = os.path.join(folder, "lock")
    while True:
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder)
            lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            os.stat(os.path.dirname(folder))
            continue  # its owner has removed the folder meanwhile
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
        try:
            _wait(lock, path, waits)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(name), os.fstat(lock)):
                    return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # of a folder that its owner has removed meanwhile


def _wait(lock: int, path: str, waits: bool) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError as error:
        raise BlockingIOError(error.errno, "another process is making this file", path) from error
    except OSError as error:
        what = (
            f"expected a file system that can lock files, found one that cannot: {error.strerror}"
        )
        raise OSError(error.errno, what, path) from error
