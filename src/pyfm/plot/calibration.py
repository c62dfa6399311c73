"""Whether predicted probabilities come true."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_bool, check_choice, check_int
from pyfm.metrics.checks import check_classes
from pyfm.plot.axes import FAINT, axes_or_new, documented, legend, light_grid, next_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BARS = 40


@documented
def reliability_diagram(
    y_true: Any,
    y_prob: Any,
    *,
    n_bins: int = 10,
    strategy: str = "quantile",
    counts: bool = True,
    sample_weight: Any = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Observed rates against predicted probabilities, bin by bin, and how many rows there are.

    On the diagonal, predictions are calibrated; above it, they are too low. Vertical bars are 95 %
    intervals of the observed rate (Wilson 1927), with the effective number of rows where they have
    weights, (Σw)² / Σw².

    Parameters
    ----------
    {classes}
    n_bins : int in [1, 1000], default=10
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equal weight (fewer, where many predictions are equal), or of equal width on [0, 1],
        as those of `pyfm.metrics.expected_calibration_error`.
    counts : bool, default=True
        Whether there is a histogram of the predictions behind, with an axis on the right. False
        for a second model on the same axes.
    {sample_weight}
    {ax}

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value is out of its range.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> ax = pyfm.plot.reliability_diagram([0, 0, 1, 1], [0.1, 0.1, 0.7, 0.9], n_bins=2)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('predicted probability', 'observed rate')
    """
    y, p, weight = check_classes(y_true, y_prob, sample_weight)
    n_bins = check_int("n_bins", n_bins, 1, 1000)
    check_choice("strategy", strategy, ("quantile", "uniform"))
    counts = check_bool("counts", counts)
    w = np.ones(len(y)) if weight is None else weight
    predicted, observed, low, high = _bins(y, p, w, n_bins, strategy)
    ax = axes_or_new(ax)
    before = 0.0 if not ax.lines else ax.get_xlim()[1]
    end = min(1.0, max(before, 1.05 * max(predicted.max(), high.max())))
    if counts:
        _histogram(ax, p, w, end, weighted=weight is not None)
    if not ax.lines:
        ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1, label="calibrated")
    color = next_color(ax)
    ax.vlines(predicted, low, high, color=color, linewidth=1)
    ax.plot(predicted, observed, "o-", color=color, markersize=4, linewidth=1.5, label=name)
    ax.set(xlim=(0, end), ylim=(0, end))
    ax.set(xlabel="predicted probability", ylabel="observed rate")
    light_grid(ax)
    legend(ax, "upper left")
    return ax


def _bins(
    y: NDArray[Any], p: NDArray[Any], w: NDArray[Any], n_bins: int, strategy: str
) -> tuple[NDArray[Any], ...]:
    """Of each bin that weighs something: mean prediction, observed rate, its interval."""
    if strategy == "uniform":
        edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    else:
        order = np.argsort(p, kind="stable")
        share = np.cumsum(w[order]) / w.sum()
        wanted = np.searchsorted(share, np.arange(1, n_bins) / n_bins - 1e-12)
        edges = np.unique(p[order][wanted])
    bins = np.searchsorted(edges, p)  # (edge, next edge]
    sums = [np.bincount(bins, of, len(edges) + 1) for of in (w, w * p, w * y, w * w)]
    weight, prediction, positive, squares = (of[sums[0] > 0] for of in sums)
    n, rate = weight**2 / squares, positive / weight
    z = 1.959964
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return prediction / weight, rate, middle - half, middle + half


def _histogram(ax: Axes, p: NDArray[Any], w: NDArray[Any], end: float, *, weighted: bool) -> None:
    """On an axis of its own, behind the curve, in the lower part."""
    behind = ax.twinx()
    width = end / _BARS
    edges = width * np.arange(max(1, math.ceil(float(p.max()) / width)) + 1)
    edges[-1] = max(edges[-1], float(p.max()))
    found, _ = np.histogram(p, edges, weights=w)
    behind.bar(edges[:-1], found, np.diff(edges), align="edge", color=FAINT, alpha=0.25)
    behind.set_ylim(0, 3 * max(float(found.max()), math.ulp(0)))
    behind.set_ylabel("weight of rows per bar" if weighted else "rows per bar", color="#5f5f5f")
    behind.tick_params(axis="y", colors="#5f5f5f")
    ax.set_zorder(behind.get_zorder() + 1)
    ax.patch.set_visible(False)
