"""Reads ahead in a thread, so that reading hides behind what is done with what was read."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Reader(Generic[T]):
    """Fills a queue of one item; the next is made while that one waits."""

    def __init__(self, items: Callable[[], Iterator[T]]) -> None:
        self._items = items
        self._changed = threading.Condition()
        self._ready: deque[T] = deque()
        self._stopped = self._ended = False
        self._error: BaseException | None = None
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="pyfm-reader", daemon=True)

    def start(self) -> None:
        _started.add(self)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._items():
                with self._changed:
                    self._changed.wait_for(lambda: not self._ready or self._stopped)
                    if self._stopped:
                        return
                    self._ready.append(item)
                    self._changed.notify_all()
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def next(self) -> T | None:
        """None at the end; raises what reading raised."""
        if os.getpid() != self._process:
            raise RuntimeError(
                "a stream is read on in a process that was forked meanwhile, where the thread that "
                "reads it does not run: read it anew there"
            )
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended)
            if self._ready:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
        if self._error is not None:
            raise self._error
        return None

    def stop(self) -> None:
        """Returns when the thread has let go of its files."""
        if os.getpid() != self._process or self._thread.ident is None:
            return
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()


_started: weakref.WeakSet[_Reader[Any]] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """Of generators that are left half-way: Python's end would cut the core off in its work."""
    for reader in list(_started):
        reader.stop()


def ahead(items: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
    """The items, the next one of which is read while one is worked on; at most two wait.

    The iterator is made, and closed, in the thread. What it raises, the caller gets in its place.
    """
    reader = _Reader(items)
    try:
        reader.start()
        while (item := reader.next()) is not None:
            yield item
            del item  # before the next one comes
    finally:
        reader.stop()
