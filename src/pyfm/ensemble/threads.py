"""Fits side by side in threads, each of which stops when one of them fails, or on Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from pyfm.callbacks.base import Callback, CallbackEnv

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Stopped(Exception):
    """Raised in a fit whose result nobody waits for any longer."""


class StopFit(Callback):
    """Ends a fit within the tenth of a second once `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def before_epoch(self, env: CallbackEnv) -> None:
        self._check()

    def after_rows(self, n_rows: int) -> None:
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped


def run(
    work: Callable[[_Task, list[Any]], _Result], tasks: Sequence[_Task], n_threads: int
) -> list[_Result]:
    """The results in the order of the tasks.

    `work` is called with a task and callbacks for its fit. The core lets go of Python's lock, so
    that threads train at once; one thread is the caller's own.
    """
    if min(n_threads, len(tasks)) < 2:
        return [work(task, []) for task in tasks]
    stop = threading.Event()
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(work, task, [StopFit(stop)]) for task in tasks]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]
