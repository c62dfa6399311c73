"""What a fit shows while it runs: a table, or a bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyfm.callbacks.base import Callback, CallbackEnv
from pyfm.checks import check_int


class Table(Callback):
    """One line per epoch on stdout, with libffm's column names; the time adds up."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._seconds = 0.0

    def before_training(self, env: CallbackEnv) -> None:
        self._seconds = 0.0
        self._print("iter", [_head(e.column) for e in env.evaluations], f"{'tr_time':>10}", env)

    def replay(self, env: CallbackEnv) -> bool | None:
        self._seconds += env.record["seconds"]
        return None

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        self._seconds += env.record["seconds"]
        if env.epoch % self._period == 0:
            values = [f"{e.value:.5f}" for e in env.evaluations]
            self._print(f"{env.epoch:4d}", values, f"{self._seconds:10.2f}", env)
        return None

    def _print(self, first: str, cells: Sequence[str], last: str, env: CallbackEnv) -> None:
        widths = [max(12, len(_head(e.column))) for e in env.evaluations]
        columns = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        print(first, *columns, last, flush=True)


def _head(column: str) -> str:
    return column.replace("train_", "tr_").replace("valid_", "va_")


class Bar(Callback):
    """A tqdm bar over all epochs, with the losses so far and rows/s, on stderr."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._done = 0  # rows of the epochs before this one

    def before_training(self, env: CallbackEnv) -> None:
        from tqdm.auto import tqdm

        self._done = 0
        total = (env.n_epochs - env.epoch + 1) * env.n_rows
        self._bar = tqdm(total=total, unit=" rows", unit_scale=True)

    def replay(self, env: CallbackEnv) -> bool | None:
        self._done += env.n_rows
        self._bar.n = self._bar.initial = self._done  # without them in the rows per second
        return None

    def before_epoch(self, env: CallbackEnv) -> None:
        self._bar.set_description(f"epoch {env.epoch}/{env.n_epochs}")

    def after_rows(self, n_rows: int) -> None:
        self._bar.update(self._done + n_rows - self._bar.n)

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        self.after_rows(env.n_rows)
        self._done += env.n_rows
        self._bar.set_postfix({e.column: f"{e.value:.5f}" for e in env.evaluations})
        return None

    def after_training(self, env: CallbackEnv) -> None:
        self._bar.close()
        self._bar = None


def log_evaluation(period: int = 1) -> Callback:
    """Prints a table on stdout: the evaluations after every `period` epochs, one line each.

    The estimators' ``verbose=2`` stands for it. ``tr_`` and ``va_`` are short for train and valid;
    ``tr_time`` are the seconds of training alone, added up.

    Parameters
    ----------
    period : int >= 1, default=1
        Epochs whose number is a multiple of it are printed.

    Returns
    -------
    Callback

    Raises
    ------
    ValueError
        If `period` is out of its range.

    Examples
    --------
    >>> import pyfm
    >>> log = pyfm.callbacks.log_evaluation(period=10)
    >>> model = pyfm.LinearRegressor(epochs=20, random_state=0)
    >>> _ = model.fit([[0], [1]], [0.5, -0.5], callbacks=[log])
    iter      tr_rmse    tr_time
      10      ...
      20      ...
    """
    return Table(check_int("period", period, 1))


def progress() -> Callback:
    """Shows a bar on stderr: epochs, rows per second, the evaluations of the last epoch.

    The estimators' ``verbose=1`` stands for it.

    Returns
    -------
    Callback

    Examples
    --------
    >>> import pyfm
    >>> model = pyfm.LinearRegressor(epochs=20)
    >>> _ = model.fit([[0], [1]], [0.5, -0.5], callbacks=[pyfm.callbacks.progress()])
    """
    return Bar()
