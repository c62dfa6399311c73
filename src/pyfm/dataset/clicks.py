"""Rows that stand for many impressions, as rows with labels and weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyfm import _core
from pyfm.checks import refuse


def split_clicks(
    rows: _core.Dataset, clicks: npt.ArrayLike, impressions: npt.ArrayLike
) -> _core.Dataset:
    """Each row with label 0 and the weight of what was not clicked, and with label 1 and the rest.

    Weighted so, its loss is that of `impressions` rows: c ℓ(s, 1) + (n - c) ℓ(s, 0).
    """
    clicked = _counts("clicks", clicks, rows.n_rows)
    shown = _counts("impressions", impressions, rows.n_rows)
    if (clicked > shown).any():
        row = int(np.argmax(clicked > shown))
        refuse(
            f"clicks[{row}]", f"at most impressions[{row}] = {shown[row]:g}", float(clicked[row])
        )
    if not shown.any():
        refuse("impressions", "at least one impression", "none")
    weight = np.column_stack([shown - clicked, clicked]).astype(np.float32).reshape(-1)
    kept = np.flatnonzero(weight)
    y = (kept % 2).astype(np.float32)
    return rows.take(kept // 2).with_targets(y, weight[kept])


def _counts(name: str, counts: npt.ArrayLike, n_rows: int) -> npt.NDArray[np.float64]:
    array = np.asarray(counts)
    if array.dtype.kind not in "fiub":
        refuse(name, "an array of numbers", array.dtype)
    if array.shape != (n_rows,):
        refuse(name, f"shape ({n_rows},), a number for each row", array.shape)
    numbers = array.astype(np.float64)
    wrong = ~((numbers >= 0) & (numbers <= np.finfo(np.float32).max))
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"{name}[{row}]", "a finite number >= 0", float(numbers[row]))
    return numbers
