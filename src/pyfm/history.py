"""`History`: what was recorded of each epoch, as columns, and as a table to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_MOST_ROWS = 20  # that are shown; of longer histories the first and the last ones


class History(dict[str, list[float]]):
    """Columns of equal length, one entry for each epoch of a fit or call of `partial_fit`: a dict.

    Printed, and in notebooks, it is a table in which the best epoch is marked; of more than 20
    epochs the first and the last ones are shown, and the best one.

    Parameters
    ----------
    columns : mapping from names to lists, optional
        The lists are kept, not copied.
    best_epoch : int, default=0
        The number of the epoch to mark; 0: none.

    Examples
    --------
    >>> from pyfm.history import History
    >>> History({"epoch": [1, 2, 3], "valid_logloss": [0.52, 0.48, 0.49]}, best_epoch=2)
      epoch  valid_logloss
          1        0.52000
    *     2        0.48000
          3        0.49000
    * best epoch
    """

    def __init__(
        self, columns: Mapping[str, list[float]] | None = None, best_epoch: int = 0
    ) -> None:
        super().__init__(columns or {})
        self.best_epoch = best_epoch

    def __repr__(self) -> str:
        if not self:
            return "History: no epochs"
        cells = [list(self), *self._rows()]
        widths = [max(len(row[i]) for row in cells if row) for i in range(len(self))]
        lines = []
        for row, mark in zip(cells, ["", *self._marks()], strict=True):
            texts = (cell.rjust(width) for cell, width in zip(row, widths, strict=False))
            lines.append(f"{mark or ' '} {'  '.join(texts) if row else '…'}".rstrip())
        return "\n".join(lines + ["* best epoch"] * ("*" in self._marks()))

    def _repr_html_(self) -> str:
        """For notebooks."""
        if not self:
            return "<p>no epochs</p>"
        cell = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        head = "".join(f"<th {cell}>{escape(name)}</th>" for name in self)
        body = []
        for row, mark in zip(self._rows(), self._marks(), strict=True):
            if not row:
                body.append(f'<tr><td colspan="{len(self)}" {cell}>…</td></tr>')
                continue
            tag, title = ("th", ' title="best epoch"') if mark else ("td", "")
            texts = "".join(f"<{tag} {cell}>{text}</{tag}>" for text in row)
            body.append(f"<tr{title}>{texts}</tr>")
        note = "<caption>bold: best epoch</caption>" if "*" in self._marks() else ""
        return f"<table>{note}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"

    def _shown(self) -> Sequence[int | None]:
        """Places of the rows to show; None: some are left out."""
        n = len(next(iter(self.values())))
        if n <= _MOST_ROWS:
            return range(n)
        places = sorted({*range(_MOST_ROWS // 2), *range(n - _MOST_ROWS // 2, n), *self._best()})
        shown: list[int | None] = []
        for place in places:
            last = shown[-1] if shown else None
            shown += [None, place] if last is not None and place > last + 1 else [place]
        return shown

    def _rows(self) -> list[list[str]]:
        return [
            [] if i is None else [_text(name, column[i]) for name, column in self.items()]
            for i in self._shown()
        ]

    def _marks(self) -> list[str]:
        return ["*" if i in self._best() else "" for i in self._shown()]

    def _best(self) -> list[int]:
        """The place of the best epoch, if it is known."""
        return [i for i, epoch in enumerate(self.get("epoch", [])) if epoch == self.best_epoch]


def _text(name: str, value: float) -> str:
    if name in ("epoch", "call", "n_rows", "rows_per_second"):
        return f"{value:,.0f}"
    if name.startswith("learning_rate"):
        return f"{value:g}"
    return f"{value:.2f}" if name.endswith("seconds") else f"{value:.5f}"
