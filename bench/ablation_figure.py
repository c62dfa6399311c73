"""The figure of bench/ablation.py: what each part of a deep model does, by data set."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

Variant = dict[str, Any]

COLORS = ("#2a6fbb", "#d9822b", "#4f8f5b", "#a63d57")
REACH = {"frappe": 0.12, "criteo": 0.05}  # how far above the best loss of all a panel reaches


def ablations(found: Mapping[str, list[Variant]]) -> Figure:
    """Validation log-loss by epoch, and by depth; of each variant the median of its seeds."""
    figure = Figure(figsize=(13, 3.2 * len(found)), layout="constrained")
    all_axes = figure.subplots(len(found), len(PANELS), squeeze=False)
    for row, (data, variants) in zip(all_axes, found.items(), strict=True):
        best = min(loss for v in variants for loss in _median(v))
        for axes, (panel, (title, draw)) in zip(row, PANELS.items(), strict=True):
            draw(axes, [v for v in variants if v["panel"] == panel])
            reach = REACH[data]
            axes.set(title=title, ylim=(best - 0.05 * reach, best + reach))
            axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
            axes.legend(facecolor="white", edgecolor="none", framealpha=0.85, fontsize=8)
        row[0].set_ylabel(f"{data.capitalize()}: validation log-loss")
    return figure


def _median(variant: Variant) -> list[float]:
    """By epoch, over the seeds that did not diverge; empty if none is left."""
    curves = [run["valid_logloss"] for run in variant["runs"] if run["valid_logloss"]]
    return [statistics.median(losses) for losses in zip(*curves, strict=True)]


def _curve(axes: Axes, variant: Variant, label: str, color: str, line: str = "-") -> None:
    losses = _median(variant)
    axes.plot(range(1, len(losses) + 1), losses, line, color=color, linewidth=1.5, label=label)
    axes.set_xlabel("epoch")


def _batch_norm(axes: Axes, variants: list[Variant]) -> None:
    for color, (rate, pair) in zip(COLORS, groupby(variants, lambda v: v["x"]), strict=False):
        for variant in pair:
            line = "-" if variant["line"] == "with" else ":"
            _curve(axes, variant, f"{variant['line']}, η={rate:g}", color, line)


def _dropout(axes: Axes, variants: list[Variant]) -> None:
    for color, variant in zip(COLORS, variants, strict=True):
        _curve(axes, variant, f"{variant['x']:g}", color)


def _depth(axes: Axes, variants: list[Variant]) -> None:
    lines = [(name, list(members)) for name, members in groupby(variants, lambda v: v["line"])]
    for color, (name, members) in zip(COLORS, lines, strict=True):
        depths = [v["x"] for v in members]
        losses = [min(_median(v), default=float("nan")) for v in members]
        label = name.replace("batch_norm", "normalized")
        axes.plot(depths, losses, color=color, marker="o", markersize=3, linewidth=1.5, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(depths, [f"{depth:g}" for depth in depths])
    axes.set_xlabel("hidden layers (best epoch)")


def _pretraining(axes: Axes, variants: list[Variant]) -> None:
    for color, variant in zip(COLORS, variants, strict=False):
        _curve(axes, variant, variant["line"], color)


PANELS: dict[str, tuple[str, Callable[[Axes, list[Variant]], None]]] = {
    "batch_norm": ("batch normalization", _batch_norm),
    "dropout": ("dropout", _dropout),
    "depth": ("depth", _depth),
    "pretraining": ("vectors", _pretraining),
}
