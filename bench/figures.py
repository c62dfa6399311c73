"""Draws the results: ratios with their targets, how speed scales, how models learn.

    python bench/figures.py

Reads what bench/speed.py, bench/scaling.py, bench/optimizers.py and bench/ablation.py wrote, and
writes SVG files to docs/figures.
"""

from __future__ import annotations

import argparse
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib
from ablation_figure import ablations
from common import RESULTS
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from optimizer_figure import optimizers

MET, MISSED, INK, FAINT = "#2a6fbb", "#d9822b", "#222222", "#8a8a8a"
LINES = {"FFM": ("#2a6fbb", "o"), "FM": ("#d9822b", "s"), "linear": ("#4f8f5b", "^")}
STYLE = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",  # text stays text: small files, and searchable
    "svg.hashsalt": "pyfm",  # the same numbers give the same file
}


def comparison(cells: list[dict[str, Any]]) -> Figure:
    """One bar for each ratio, from 1 to where it is, with a mark where it is wanted."""
    shown = [c for c in cells if c["ratio"] is not None or c["remark"].startswith("no ratio")]
    groups = [(name, list(members)) for name, members in groupby(shown, lambda c: c["group"])]
    n_lines = len(shown) + 1.4 * len(groups)
    figure = Figure(figsize=(8, 0.8 + 0.22 * n_lines), layout="constrained")
    axes = figure.add_subplot()
    y, places, names = 0.0, [], []
    for group, members in groups:
        places.append(y)
        names.append(group)
        y += 1
        for cell in members:
            _bar(axes, y, cell)
            places.append(y)
            names.append(cell["name"])
            y += 1
        y += 0.4
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set(xscale="log", ylim=(y, -1), yticks=places, yticklabels=names)
    axes.set_xlabel("ratio, ours / peer's (log scale); the black mark is the target")
    _plain_ticks(axes.xaxis, [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100])
    low = min([c["ratio"] for c in shown if c["ratio"]] + [0.5])
    high = max([max(c["ratio"] or 1, c["target"] or 1) for c in shown])
    axes.set_xlim(low / 1.3, high * 1.6)
    axes.tick_params(axis="y", length=0)
    for label in axes.get_yticklabels():
        label.set_weight("bold" if label.get_text() in dict(groups) else "normal")
    axes.spines["left"].set_visible(False)
    for color, label in ((MET, "target met, or none"), (MISSED, "target missed")):
        axes.barh([-9], [1], color=color, label=label)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def _bar(axes: Axes, y: float, cell: dict[str, Any]) -> None:
    ratio, target = cell["ratio"], cell["target"]
    color = MISSED if cell["met"] is False else MET
    if ratio is None:
        axes.text(1.05, y, cell["remark"], color=MISSED, va="center")
    else:
        axes.barh(y, ratio - 1, left=1, height=0.66, color=color)
        label = f" {ratio:.2f}" if ratio < 10 else f" {ratio:.1f}"
        axes.text(max(ratio, target or 1, 1), y, label, color=INK, va="center")
    if target is not None:
        axes.plot([target, target], [y - 0.42, y + 0.42], color="black", linewidth=1.6)


def scaling(panels: dict[str, list[dict[str, Any]]]) -> Figure:
    """Rows/s by each dimension; a band from the slowest to the fastest pass."""
    figure = Figure(figsize=(3 * len(panels), 3.2), layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    titles = {"k": "factors k", "threads": "threads (dotted: in proportion)"}
    for axes, (dimension, points) in zip(all_axes, panels.items(), strict=True):
        for model, members in groupby(points, lambda point: point["model"]):
            _line(axes, dimension, model, list(members))
        values = sorted({point[dimension] for point in points})
        axes.set(yscale="log", title=titles.get(dimension, dimension))
        axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
        if dimension != "threads":
            axes.set_xscale("log")
        _plain_ticks(axes.xaxis, values)
        axes.tick_params(axis="x", labelrotation=0 if max(values) < 1000 else 45)
    all_axes[0].set_ylabel("rows/s, training, AdaGrad")
    all_axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    all_axes[0].yaxis.set_major_formatter(FuncFormatter(_short))
    all_axes[0].yaxis.set_minor_locator(NullLocator())
    all_axes[0].legend(frameon=False, loc="lower left")
    return figure


def _line(axes: Axes, dimension: str, model: str, points: list[dict[str, Any]]) -> None:
    color, marker = LINES[model]
    x = [point[dimension] for point in points]
    median, low, high = ([p["rows/s"][name] for p in points] for name in ("median", "min", "max"))
    k = points[0]["k"]
    label = f"{model} k={k}" if k and dimension != "k" else model
    axes.plot(x, median, color=color, marker=marker, markersize=4, linewidth=1.5, label=label)
    axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    if dimension == "threads":
        ideal = [median[0] * n for n in x]
        axes.plot(x, ideal, color=color, linestyle=":", linewidth=1)


def _plain_ticks(axis: Any, values: list[float]) -> None:
    axis.set_ticks(values)
    axis.set_major_formatter(FuncFormatter(_short))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _short(value: float, _: object = None) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=Path, default=RESULTS / "speed.json")
    parser.add_argument("--scaling", type=Path, default=RESULTS / "scaling.json")
    parser.add_argument("--optimizers", type=Path, default=RESULTS / "optimizers.json")
    parser.add_argument("--ablation", type=Path, default=RESULTS, help="its files' folder")
    folder = Path(__file__).resolve().parent.parent / "docs" / "figures"
    parser.add_argument("--out", type=Path, default=folder, help="a folder")
    parser.add_argument("--format", default="svg", choices=["svg", "png"])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    ablation = [args.ablation / f"ablation-{data}.json" for data in ("criteo", "frappe")]
    sources = {
        "speed": ([args.speed], lambda content: comparison(content["cells"])),
        "scaling": ([args.scaling], lambda content: scaling(content["panels"])),
        "optimizers": ([args.optimizers], lambda content: optimizers(content["found"])),
        "ablation": (
            ablation,
            lambda *contents: ablations({c["data"]: c["found"] for c in contents}),
        ),
    }
    with matplotlib.rc_context(STYLE):
        for name, (files, draw) in sources.items():
            missing = [str(file) for file in files if not file.exists()]
            if missing:
                print(f"{name}: no {' and '.join(missing)}, not drawn")
                continue
            target = args.out / f"{name}.{args.format}"
            metadata = {"Date": None} if args.format == "svg" else None
            figure = draw(*(json.loads(file.read_text()) for file in files))
            figure.savefig(target, dpi=150, metadata=metadata)
            print(f"written to {target}")


if __name__ == "__main__":
    main()
