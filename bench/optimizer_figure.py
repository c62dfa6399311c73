"""The figure of bench/optimizers.py: validation log-loss by epoch."""

from __future__ import annotations

import statistics
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Title, and how far above the best loss of all the panel reaches.
PANELS = {
    "optimizers": ("row by row", 0.045),
    "batches": ("SGD", 0.15),
    "batches of 1024": ("batches of 1024", 0.045),
}
COLORS = ("#2a6fbb", "#d9822b", "#4f8f5b", "#a63d57", "#7a5bb0", "#3d9aa6", "#8a8a8a")


def optimizers(found: list[dict[str, Any]]) -> Figure:
    """One panel for each group of contenders; of each the median of its seeds."""
    panels = [(name, list(members)) for name, members in groupby(found, lambda c: c["panel"])]
    figure = Figure(figsize=(4 * len(panels), 3.6), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    best = min(min(run["valid_logloss"]) for c in found for run in c["runs"])
    for axes, (name, members) in zip(all_axes, panels, strict=True):
        for color, contender in zip(COLORS, members, strict=False):
            _curve(axes, color, contender)
        title, reach = PANELS[name]
        axes.set(title=title, xlabel="epoch", ylim=(best - 0.05 * reach, best + reach))
        axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
        axes.legend(frameon=False)
    all_axes[0].set_ylabel("validation log-loss")
    return figure


def _curve(axes: Axes, color: str, contender: dict[str, Any]) -> None:
    curves = zip(*(run["valid_logloss"] for run in contender["runs"]), strict=True)
    losses = [statistics.median(values) for values in curves]
    label = contender["name"].removeprefix("SGD, ").removesuffix(", batches of 1024")
    axes.plot(range(1, len(losses) + 1), losses, color=color, linewidth=1.5, label=label)
