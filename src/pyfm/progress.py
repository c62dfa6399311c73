"""What a fit shows while it runs: nothing, a bar, or a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Progress:
    """Shows nothing. The base of what shows something."""

    # Called about ten times a second with the rows done in this epoch; None: not needed.
    rows: Callable[[int], object] | None = None

    def start_epoch(self, epoch: int) -> None:
        """Called before each epoch; the first is 1."""

    def end_epoch(self, record: dict[str, float]) -> None:
        """Called with the entry of the history after each epoch."""

    def close(self) -> None:
        """Called once, also after an exception."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Bar(Progress):
    """A tqdm bar over all epochs, with the losses so far and rows/s, on stderr."""

    def __init__(self, epochs: int, n_rows: int) -> None:
        from tqdm.auto import tqdm

        self._epochs, self._n_rows = epochs, n_rows
        self._bar: Any = tqdm(total=epochs * n_rows, unit=" rows", unit_scale=True)
        self._done = 0  # rows of the epochs before this one
        self.rows = self._update

    def start_epoch(self, epoch: int) -> None:
        self._bar.set_description(f"epoch {epoch}/{self._epochs}")

    def _update(self, rows: int) -> None:
        self._bar.update(self._done + rows - self._bar.n)

    def end_epoch(self, record: dict[str, float]) -> None:
        self._update(self._n_rows)
        self._done += self._n_rows
        losses = {name: f"{record[name]:.5f}" for name in _quality_columns(record)}
        self._bar.set_postfix(losses)

    def close(self) -> None:
        self._bar.close()


class Table(Progress):
    """One line per epoch on stdout, with libffm's column names; the time adds up."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._headed = False

    def end_epoch(self, record: dict[str, float]) -> None:
        columns = _quality_columns(record)
        if not self._headed:
            heads = (name.replace("train_", "tr_").replace("valid_", "va_") for name in columns)
            print("iter", *(f"{head:>12}" for head in heads), f"{'tr_time':>10}")
            self._headed = True
        self._seconds += record["seconds"]
        values = (f"{record[name]:12.5f}" for name in columns)
        print(f"{record['epoch']:4d}", *values, f"{self._seconds:10.2f}", flush=True)


def _quality_columns(record: dict[str, float]) -> list[str]:
    others = ("epoch", "seconds", "valid_seconds", "rows_per_second")
    return [name for name in record if name not in others]


def make_progress(verbose: int, epochs: int, n_rows: int) -> Progress:
    """0: nothing, 1: a bar, 2 or more: a table."""
    if verbose == 0:
        return Progress()
    return Bar(epochs, n_rows) if verbose == 1 else Table()
