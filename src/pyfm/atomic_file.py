"""Files that are written whole or not at all: the old one stays until the new one is complete."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from typing import IO


def check_destination(path: str | os.PathLike[str]) -> None:
    """Raises the OSError that writing would end in where no file can be made; makes none."""
    name = os.fsdecode(path)
    if os.path.isdir(name):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    folder = os.path.dirname(os.path.realpath(name))
    os.stat(folder)
    if not _is_special(name) and not os.access(folder, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), name)


def _is_special(path: str) -> bool:
    """Devices and pipes, such as /dev/null and /dev/stdout: written to, never replaced."""
    return os.path.exists(path) and not os.path.isfile(path)


@contextlib.contextmanager
def destination(path: str, temporary: str | None = None) -> Iterator[IO[bytes]]:
    """What to write to. Errors name `path`, and not the temporary file beside it.

    A name for that file may be given; one that exists is replaced.
    """
    try:
        if _is_special(path):
            with open(path, "wb") as file:
                yield file
        else:
            with _atomic_write(os.path.realpath(path), temporary) as file:
                yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


@contextlib.contextmanager
def _atomic_write(path: str, given: str | None) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its place when all is written, and else goes."""
    folder, name = os.path.split(path)
    temporary = given or os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "wb" if given else "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    if os.name == "posix":  # elsewhere folders cannot be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
