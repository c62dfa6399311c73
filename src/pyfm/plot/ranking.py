"""How well predictions rank: ROC, precision and recall, gain, lift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm import metrics
from pyfm.checks import refuse
from pyfm.metrics.checks import Doubles, check_classes
from pyfm.plot.axes import FAINT, axes_or_new, documented, legend, light_grid, next_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@documented
def roc_curve(
    y_true: Any,
    y_score: Any,
    *,
    sample_weight: Any = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """True-positive rate against false-positive rate, for all thresholds; the area is the AUC.

    Parameters
    ----------
    {scores}
    {sample_weight}
    {ax}

    {refused}

    Examples
    --------
    >>> import pyfm
    >>> ax = pyfm.plot.roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8], name="FM")
    >>> ax.get_legend().get_texts()[-1].get_text()
    'FM (AUC 0.7500)'
    """
    ranked = _ranked(y_true, y_score, sample_weight)
    area = metrics.auc(y_true, y_score, sample_weight=sample_weight)
    ax = axes_or_new(ax, 4.6, 4.4)
    if not ax.lines:
        ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1, label="chance")
    _line(ax, ranked.negatives, ranked.positives, name, f"AUC {area:.4f}")
    ax.set(xlabel="false-positive rate", ylabel="true-positive rate", aspect="equal")
    _unit_square(ax)
    legend(ax, "lower right")
    return ax


@documented
def precision_recall_curve(
    y_true: Any,
    y_score: Any,
    *,
    sample_weight: Any = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Precision against recall, for all thresholds, with the average precision, Σ P ΔR.

    Parameters
    ----------
    {scores}
    {sample_weight}
    {ax}

    {refused}

    Examples
    --------
    >>> import pyfm
    >>> ax = pyfm.plot.precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8], name="FM")
    >>> ax.get_legend().get_texts()[-1].get_text()
    'FM (average precision 0.8333)'
    """
    ranked = _ranked(y_true, y_score, sample_weight)
    recall, precision = ranked.positives[1:], ranked.precision
    average = float((np.diff(ranked.positives) * precision).sum())
    ax = axes_or_new(ax, 4.6, 4.4)
    if not ax.lines:
        ax.plot([0, 1], [ranked.rate] * 2, color=FAINT, linestyle=":", linewidth=1, label="chance")
    # A step: between two thresholds there are no others.
    _line(ax, recall, precision, name, f"average precision {average:.4f}", drawstyle="steps-pre")
    ax.set(xlabel="recall", ylabel="precision")
    _unit_square(ax)
    legend(ax, "upper right")
    return ax


@documented
def gain_curve(
    y_true: Any,
    y_score: Any,
    *,
    sample_weight: Any = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Cumulative gain: the share of all clicks among the rows with the highest scores.

    Parameters
    ----------
    {scores} Rows of equal scores come together.
    {sample_weight}
    {ax}

    {refused}

    Examples
    --------
    >>> import pyfm
    >>> ax = pyfm.plot.gain_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8], name="FM")
    >>> ax.lines[-1].get_ydata().tolist()
    [0.0, 50.0, 50.0, 100.0, 100.0]
    """
    ranked = _ranked(y_true, y_score, sample_weight)
    ax = axes_or_new(ax)
    if not ax.lines:
        ax.plot([0, 100], [0, 100], color=FAINT, linestyle=":", linewidth=1, label="chance")
        best = [0, 100 * ranked.rate, 100]
        ax.plot(best, [0, 100, 100], color=FAINT, linestyle="--", linewidth=1, label="perfect")
    _line(ax, 100 * ranked.rows, 100 * ranked.positives, name)
    ax.set(xlabel="rows, those with the highest scores first (%)", ylabel="clicks among them (%)")
    ax.set(xlim=(0, 100), ylim=(0, 102))
    light_grid(ax)
    legend(ax, "lower right")
    return ax


@documented
def lift_curve(
    y_true: Any,
    y_score: Any,
    *,
    sample_weight: Any = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Lift: the rate of clicks among the rows with the highest scores, by the rate of all rows.

    Parameters
    ----------
    {scores} Rows of equal scores come together.
    {sample_weight}
    {ax}

    {refused}

    Examples
    --------
    >>> import pyfm
    >>> ax = pyfm.plot.lift_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
    >>> [round(lift, 3) for lift in ax.lines[-1].get_ydata().tolist()]
    [2.0, 1.0, 1.333, 1.0]
    """
    ranked = _ranked(y_true, y_score, sample_weight)
    ax = axes_or_new(ax)
    if not ax.lines:
        ax.plot([0, 100], [1, 1], color=FAINT, linestyle=":", linewidth=1, label="chance")
    _line(ax, 100 * ranked.rows[1:], ranked.precision / ranked.rate, name)
    ax.set(xlabel="rows, those with the highest scores first (%)")
    ax.set(ylabel="lift (rate of clicks / that of all rows)", xlim=(0, 100))
    ax.set_ylim(bottom=0)
    light_grid(ax)
    legend(ax, "upper right")
    return ax


class _Ranked:
    """Rows by falling score; each point is after all rows of one score, the first before any."""

    def __init__(self, y: Doubles, score: Doubles, weight: Doubles | None) -> None:
        order = np.argsort(-score, kind="stable")
        w = np.ones(len(y)) if weight is None else weight[order]
        ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
        clicks, others = (np.cumsum(w * of)[ends] for of in (y[order], 1 - y[order]))
        heavy = np.diff(clicks + others, prepend=0) > 0  # no points for rows that weigh nothing
        clicks, others = clicks[heavy], others[heavy]
        self.rate = float(clicks[-1] / (clicks[-1] + others[-1]))
        self.precision: NDArray[Any] = clicks / (clicks + others)
        self.positives: NDArray[Any] = np.append(0, clicks / clicks[-1])
        self.negatives: NDArray[Any] = np.append(0, others / others[-1])
        self.rows: NDArray[Any] = np.append(0, (clicks + others) / (clicks[-1] + others[-1]))


def _ranked(y_true: Any, y_score: Any, sample_weight: Any) -> _Ranked:
    y, score, weight = check_classes(y_true, y_score, sample_weight, scores=True)
    counted = y if weight is None else y[weight > 0]
    if not 0 < counted.sum() < len(counted):
        refuse("y_true", "rows of both classes with weights > 0", "one class")
    return _Ranked(y, score, weight)


def _line(
    ax: Axes, x: Any, y: Any, name: str | None, value: str = "", drawstyle: Any = "default"
) -> None:
    both = f"{name} ({value})" if name and value else name or value or None
    color = next_color(ax)
    ax.plot(x, y, color=color, linewidth=1.5, label=both, drawstyle=drawstyle)


def _unit_square(ax: Axes) -> None:
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    light_grid(ax)
