"""Axes to draw on, and what all pictures share."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pyfm.checks import refuse
from pyfm.docstrings import fill_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    _Function = TypeVar("_Function", bound=Callable[..., Axes])

# Okabe, Ito 2008: can be told apart with any colour vision, the first ones also in grey.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
FAINT = "#8a8a8a"

_AX = """
ax : matplotlib.axes.Axes, optional
    Axes to draw on. None: those of a new figure.

Returns
-------
matplotlib.axes.Axes
    The axes drawn on.
"""

_CLASSES = """
y_true : array-like of shape (n_rows,)
    Labels: 0 and 1, or -1 and 1.
y_prob : array-like of shape (n_rows,)
    Probabilities of the label 1, of `predict_proba`.
"""

_SAMPLE_WEIGHT = """
sample_weight : array-like of shape (n_rows,), optional
    Weights of the rows, not negative, not all 0.
name : str, optional
    For the legend; None: the line has no name of its own.
"""

_SCORES = """
y_true : array-like of shape (n_rows,)
    Labels: 0 and 1, or -1 and 1; both occur.
y_score : array-like of shape (n_rows,)
    Probabilities or scores: higher ones for the label 1.
"""

_REFUSED = """
Raises
------
ValueError
    If lengths differ, a class is missing, or a value is out of its range.
ImportError
    Without matplotlib.
"""

documented = partial(
    fill_in,
    ax=_AX,
    classes=_CLASSES,
    sample_weight=_SAMPLE_WEIGHT,
    scores=_SCORES,
    refused=_REFUSED,
)


def matplotlib(module: str) -> Any:
    """A module of matplotlib.

    Raises
    ------
    ImportError
        With what to install.
    """
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError(
            "pyfm.plot draws by matplotlib, which is not installed: pip install 'pyfm-ctr[plot]'"
        ) from error


def axes_or_new(ax: Axes | None, width: float = 6.0, height: float = 4.0) -> Axes:
    """The given axes, or new ones of a figure of so many inches."""
    if ax is not None:
        if not isinstance(ax, matplotlib("axes").Axes):
            refuse("ax", "matplotlib.axes.Axes, such as plt.gca(), or None", ax)
        given: Axes = ax
        return given
    _, new = matplotlib("pyplot").subplots(figsize=(width, height), layout="constrained")
    made: Axes = new
    return made


def check_model(model: Any) -> None:
    """Raises ValueError for what has no weights to draw, such as a class, or an ensemble."""
    if isinstance(model, type) or not hasattr(model, "feature_weights"):
        found = model.__name__ if isinstance(model, type) else type(model).__name__
        refuse("model", "a fitted model of pyfm", found)


def color_of(number: int) -> str:
    """Of the line with this number; after the last colour comes the first."""
    return COLORS[number % len(COLORS)]


def next_color(ax: Axes) -> str:
    """The first that no line of the axes has."""
    used = {line.get_color() for line in ax.lines}
    return next((color for color in COLORS if color not in used), color_of(len(ax.lines)))


def legend(ax: Axes, loc: Any = "best") -> None:
    """Readable where lines run under it."""
    ax.legend(loc=loc, framealpha=0.85, edgecolor="none")


def light_grid(ax: Axes) -> None:
    """Behind everything."""
    ax.set_axisbelow(True)
    ax.grid(color="#e4e4e4", linewidth=0.7)
