"""Draws the pictures of docs/seeing.md, of models that learn made rows in some seconds.

    python bench/seeing.py

Writes SVG files to docs/figures. Needs matplotlib; everything is seeded, and on one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pyfm

STYLE = {
    "font.size": 9,
    "path.simplify_threshold": 0.5,
    "svg.hashsalt": "pyfm",
    "axes.spines.top": False,
}


def models() -> dict[str, Any]:
    """Rows of 39 fields, and what learned them."""
    rows, _ = pyfm.datasets.make_ctr(40_000, n_features=8_000, random_state=0)
    train, valid = rows[:30_000], rows[30_000:]
    fit = {"eval_set": valid}
    found: dict[str, Any] = {"valid": valid, "y": valid.y}
    found["FFM"] = pyfm.FFMClassifier(epochs=8, learning_rate=0.2, linear=True, random_state=0)
    found["FM"] = pyfm.FMClassifier(epochs=8, random_state=0)
    found["linear"] = pyfm.LinearClassifier(epochs=8, random_state=0)
    for name in ("FFM", "FM", "linear"):
        found[name].fit(train, **fit)
    found["optimizers"] = {
        name: [
            pyfm.FMClassifier(optimizer=name, epochs=6, random_state=seed).fit(train, **fit)
            for seed in range(3)
        ]
        for name in ("adagrad", "sgd", "ftrl", "adam")
    }
    return found


def two(draw: Callable[..., Axes], of: dict[str, Any], ax: Axes, **more: Any) -> None:
    """Of the FFM and the linear model, on the same axes."""
    for at, name in enumerate(("FFM", "linear")):
        p = of[name].predict_proba(of["valid"])[:, 1]
        draw(of["y"], p, name=name, ax=ax, **(more if at else {}))


def learning(of: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    pyfm.plot.learning_curves({name: of[name] for name in ("FFM", "FM", "linear")}, ax=left)
    pyfm.plot.optimizer_comparison(of["optimizers"], ax=right)
    return figure


def predictions(of: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    (calibration, roc), (lift, gain) = figure.subplots(2, 2)
    two(pyfm.plot.reliability_diagram, of, calibration, counts=False)
    two(pyfm.plot.roc_curve, of, roc)
    two(pyfm.plot.lift_curve, of, lift)
    two(pyfm.plot.gain_curve, of, gain)
    return figure


def fields(of: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(11, 6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(5, 3))
    pyfm.plot.field_interactions(of["FFM"], of["valid"], ax=left)
    pyfm.plot.factor_norms(of["FFM"], of["valid"], ax=right)
    return figure


def weights(of: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    pyfm.plot.weight_histogram(of["FFM"], ax=figure.subplots())
    return figure


FIGURES = {
    "seeing-learning": learning,
    "seeing-predictions": predictions,
    "seeing-fields": fields,
    "seeing-weights": weights,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = Path(__file__).resolve().parent.parent / "docs" / "figures"
    parser.add_argument("--out", type=Path, default=folder, help="a folder")
    parser.add_argument("--format", default="svg", choices=["svg", "png"])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    of = models()
    with matplotlib.rc_context(STYLE):
        for name, draw in FIGURES.items():
            target = args.out / f"{name}.{args.format}"
            metadata = {"Date": None} if args.format == "svg" else None
            draw(of).savefig(target, dpi=110, metadata=metadata)
            print(f"written to {target}")


if __name__ == "__main__":
    main()
