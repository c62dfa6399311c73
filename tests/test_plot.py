"""`pyfm.plot`: what is drawn, against loops over the rows; and what is left alone."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

import pyfm
from pyfm import plot
from pyfm.history import History
from pyfm.plot.axes import COLORS

RNG = np.random.default_rng(0)
P = RNG.beta(1, 4, 500).round(2)  # with ties
Y = (RNG.random(500) < P).astype(np.float64)
W = RNG.integers(0, 4, 500).astype(np.float64)


def new_axes() -> Any:
    return Figure().subplots()


@pytest.fixture(scope="module")
def rows() -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(1500, n_fields=4, n_features=60, random_state=0)[0]


def learned(rows: pyfm.Dataset, **params: Any) -> Any:
    given: dict[str, Any] = {"epochs": 4, "random_state": 0, "metric": "auc"} | params
    model = pyfm.FMClassifier(**given)
    return model.fit(rows[:1000], eval_set={"valid": rows[1000:1200], "test": rows[1200:]})


@pytest.fixture(scope="module")
def model(rows: pyfm.Dataset) -> Any:
    return learned(rows)


def every_picture(model: Any, rows: pyfm.Dataset) -> dict[str, Callable[[Axes | None], Axes]]:
    return {
        "learning_curves": lambda ax: plot.learning_curves(model, ax=ax),
        "optimizer_comparison": lambda ax: plot.optimizer_comparison([model, model], ax=ax),
        "reliability_diagram": lambda ax: plot.reliability_diagram(Y, P, ax=ax),
        "roc_curve": lambda ax: plot.roc_curve(Y, P, ax=ax),
        "precision_recall_curve": lambda ax: plot.precision_recall_curve(Y, P, ax=ax),
        "gain_curve": lambda ax: plot.gain_curve(Y, P, ax=ax),
        "lift_curve": lambda ax: plot.lift_curve(Y, P, ax=ax),
        "field_interactions": lambda ax: plot.field_interactions(model, rows, ax=ax),
        "factor_norms": lambda ax: plot.factor_norms(model, rows, ax=ax),
        "weight_histogram": lambda ax: plot.weight_histogram(model, ax=ax),
    }


@pytest.mark.parametrize("name", plot.__all__)
def test_each_picture_keeps_to_its_axes(name: str, model: Any, rows: pyfm.Dataset) -> None:
    draw: Any = every_picture(model, rows)[name]
    settings, ax = dict(mpl.rcParams), new_axes()
    assert draw(ax) is ax
    assert plt.get_fignums() == []
    made = draw(None)
    assert [made.figure.number] == plt.get_fignums()
    assert dict(mpl.rcParams) == settings
    for drawn in (ax, made):
        assert drawn.get_xlabel()
        assert drawn.get_ylabel()
        assert not drawn.get_title()
        image = io.BytesIO()
        drawn.figure.savefig(image, format="png")  # no warnings, such as of missing glyphs
        assert image.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", plot.__all__)
def test_without_matplotlib(
    name: str, model: Any, rows: pyfm.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'pyfm-ctr\[plot\]'"):
        every_picture(model, rows)[name](None)


def x_of(line: Any) -> list[float]:
    return list(np.asarray(line.get_xdata()).tolist())


def y_of(line: Any) -> list[float]:
    return list(np.asarray(line.get_ydata()).tolist())


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


# --- histories ------------------------------------------------------------------------------------


def test_learning_curves_of_one_model(model: Any) -> None:
    ax = plot.learning_curves(model, ax=new_axes())
    assert labels(ax) == ["train", "valid", "test"]
    lines = [line for line in ax.lines if len(x_of(line)) > 1]
    for line, rows in zip(lines, ("train", "valid", "test"), strict=True):
        assert y_of(line) == model.history_[f"{rows}_logloss"]
        assert x_of(line) == [1, 2, 3, 4]
        assert line.get_color() == COLORS[0]
    assert len({line.get_linestyle() for line in lines}) == 3
    best = [(*x_of(line), *y_of(line)) for line in ax.lines if line not in lines]
    at = model.best_epoch_
    assert best == [(at, model.history_[f"{of}_logloss"][at - 1]) for of in ("valid", "test")]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "log-loss (nats per row)")


def test_learning_curves_of_several_models(model: Any) -> None:
    other = {"epoch": [1, 2], "valid_auc": [0.5, 0.6], "seconds": [0.25, 0.5]}
    ax = plot.learning_curves({"FM": model, "old": other}, metric="auc", x="seconds", ax=new_axes())
    assert labels(ax) == ["FM, valid", "FM, test", "old, valid"]
    line = next(line for line in ax.lines if line.get_label() == "old, valid")
    assert (x_of(line), y_of(line)) == ([0.25, 0.75], [0.5, 0.6])
    assert line.get_color() == COLORS[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("seconds of training", "AUC")
    assert ax.get_xlim()[0] == 0
    assert labels(plot.learning_curves([model, model], metric="auc", ax=new_axes()))[::2] == [
        "FMClassifier (1), valid",
        "FMClassifier (2), valid",
    ]


def test_learning_curves_of_a_stream() -> None:
    model = pyfm.LinearRegressor(random_state=0)
    for target in (0.5, 1.5):
        model.partial_fit([[0, 2]], [target])
    ax = plot.learning_curves(model, ax=new_axes())
    assert labels(ax) == ["progressive"]
    assert ax.get_xlabel() == "call of partial_fit"
    assert ax.get_ylabel() == "RMSE (unit of the target)"


def test_optimizer_comparison(rows: pyfm.Dataset) -> None:
    seeds = [learned(rows, optimizer="sgd", random_state=seed) for seed in range(3)]
    one = learned(rows, optimizer=pyfm.optim.Adam(0.01), epochs=3)
    ax = plot.optimizer_comparison({"SGD": seeds, "Adam": one}, metric="auc", ax=new_axes())
    assert labels(ax) == ["SGD", "Adam"]
    columns = np.array([model.history_["valid_auc"] for model in seeds])
    sgd, best, adam, _ = ax.lines
    assert y_of(sgd) == pytest.approx(np.median(columns, axis=0))
    assert y_of(best) == [np.median(columns, axis=0).max()]
    assert y_of(adam) == one.history_["valid_auc"]
    [band] = ax.collections
    outline = np.asarray(band.get_paths()[0].vertices)[:, 1]
    assert (outline.min(), outline.max()) == pytest.approx((columns.min(), columns.max()))
    assert ax.get_ylabel() == "AUC, valid rows"
    ax = plot.optimizer_comparison([one, seeds[0]], data="test", ax=new_axes())
    assert labels(ax) == ["adam, η=0.01", "sgd, η=0.05"]
    assert y_of(ax.lines[0]) == one.history_["test_logloss"]


def test_histories_that_are_none(model: Any) -> None:
    for models in (None, 3, [], {}, [pyfm.FMClassifier()], {"a": object()}, "model"):
        with pytest.raises(ValueError, match="models"):
            plot.learning_curves(models)
        with pytest.raises(ValueError, match="models"):
            plot.optimizer_comparison(models)
    with pytest.raises(ValueError, match="models: expected a list of fitted models"):
        plot.optimizer_comparison(model)
    with pytest.raises(ValueError, match="metric: expected one of logloss, auc, which were"):
        plot.learning_curves(model, metric="brier")
    with pytest.raises(ValueError, match="metric: expected one of 'logloss'"):
        plot.learning_curves(model, metric="loss")
    with pytest.raises(ValueError, match="x: expected one of 'epoch', 'seconds'"):
        plot.learning_curves(model, x="time")
    with pytest.raises(ValueError, match="data: expected one of train, valid, test"):
        plot.optimizer_comparison([model], data="other")
    assert plt.get_fignums() == []
    assert plot.learning_curves(History({"epoch": [1], "valid_logloss": [0.5]})).lines


# --- probabilities --------------------------------------------------------------------------------


def drawn_bins(ax: Axes, name: str) -> tuple[list[float], list[float]]:
    line = next(line for line in ax.lines if line.get_label() == name)
    return x_of(line), y_of(line)


@pytest.mark.parametrize("weight", [None, W], ids=["all alike", "weighted"])
def test_uniform_bins(weight: NDArray[np.float64] | None) -> None:
    ax = plot.reliability_diagram(
        Y, P, n_bins=8, strategy="uniform", sample_weight=weight, name="FM", ax=new_axes()
    )
    w = np.ones(500) if weight is None else weight
    x, y, low, high = [], [], [], []
    for b in range(8):
        inside = ((b / 8 < P) | ((b == 0) & (P == 0))) & ((b + 1) / 8 >= P) & (w > 0)
        if inside.any():
            x.append(np.average(P[inside], weights=w[inside]))
            y.append(np.average(Y[inside], weights=w[inside]))
            n, z = w[inside].sum() ** 2 / (w[inside] ** 2).sum(), 1.959964
            root = z * math.sqrt(y[-1] * (1 - y[-1]) / n + z * z / 4 / n / n)
            low.append((y[-1] + z * z / 2 / n - root) / (1 + z * z / n))
            high.append((y[-1] + z * z / 2 / n + root) / (1 + z * z / n))
    drawn = drawn_bins(ax, "FM")
    assert drawn[0] == pytest.approx(x)
    assert drawn[1] == pytest.approx(y)
    bars = np.array(ax.collections[0].get_segments())  # type: ignore[attr-defined]
    assert pytest.approx(np.array([low, high])) == bars[:, :, 1].T
    error = sum(
        abs(a - b) * w[((k / 8 < P) | ((k == 0) & (P == 0))) & ((k + 1) / 8 >= P)].sum()
        for k, a, b in zip(range(8), x, y, strict=False)
    )
    expected = pyfm.metrics.expected_calibration_error(Y, P, n_bins=8, sample_weight=weight)
    assert error / w.sum() == pytest.approx(expected)


@pytest.mark.parametrize("weight", [None, W], ids=["all alike", "weighted"])
def test_quantile_bins_weigh_alike(weight: NDArray[np.float64] | None) -> None:
    w = np.ones(500) if weight is None else weight
    p = RNG.random(500)
    ax = plot.reliability_diagram(Y, p, n_bins=5, sample_weight=weight, name="", ax=new_axes())
    x, y = x_of(ax.lines[-1]), y_of(ax.lines[-1])
    assert len(x) == 5
    order = np.argsort(p)
    parts: list[list[int]] = [[] for _ in range(5)]
    total = 0.0
    for i in order:  # the row that reaches the quantile still belongs to the bin
        parts[min(4, math.ceil((total + 1e-9) / w.sum() * 5) - 1 if total else 0)].append(i)
        total += w[i]
    for b, inside in enumerate(parts):
        assert w[inside].sum() == pytest.approx(w.sum() / 5, abs=w.max())
        assert x[b] == pytest.approx(np.average(p[inside], weights=w[inside]), abs=0.01)
        assert y[b] == pytest.approx(np.average(Y[inside], weights=w[inside]), abs=0.05)


def test_equal_predictions_are_in_one_bin() -> None:
    ax = plot.reliability_diagram(Y, np.full(500, 0.25), name="FM", ax=new_axes())
    assert drawn_bins(ax, "FM") == ([0.25], [Y.mean()])


def test_counts_are_drawn_behind() -> None:
    figure = Figure()
    ax = plot.reliability_diagram(Y, P, sample_weight=W, ax=figure.subplots())
    [behind] = [other for other in figure.axes if other is not ax]
    assert behind.get_ylabel() == "weight of rows per bar"
    assert sum(bar.get_height() for bar in behind.patches) == pytest.approx(W.sum())  # type: ignore[attr-defined]
    assert ax.get_zorder() > behind.get_zorder()
    assert ax.get_xlim() == ax.get_ylim()
    plot.reliability_diagram(Y, 1 - P, counts=False, name="other", ax=ax)
    assert len(figure.axes) == 2
    assert ax.get_xlim()[1] == 1
    assert len({line.get_color() for line in ax.lines}) == 3
    assert labels(ax) == ["calibrated", "other"]


# --- ranking --------------------------------------------------------------------------------------


def by_threshold(weight: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Weight of clicks and of others with scores of at least each threshold."""
    points = []
    for threshold in sorted(set(P[weight > 0]), reverse=True):
        chosen = threshold <= P
        points.append((float(weight[chosen] @ Y[chosen]), float(weight[chosen] @ (1 - Y[chosen]))))
    return points


class Curve(NamedTuple):
    draw: Callable[..., Axes]
    # Of clicks and others above a threshold, and of all.
    point: Callable[[float, float, float, float], tuple[float, float]]
    from_origin: bool


CURVES = {
    "roc": Curve(plot.roc_curve, lambda c, o, cs, os: (o / os, c / cs), True),
    "precision-recall": Curve(
        plot.precision_recall_curve, lambda c, o, cs, os: (c / cs, c / (c + o)), False
    ),
    "gain": Curve(
        plot.gain_curve, lambda c, o, cs, os: (100 * (c + o) / (cs + os), 100 * c / cs), True
    ),
    "lift": Curve(
        plot.lift_curve,
        lambda c, o, cs, os: (100 * (c + o) / (cs + os), c / (c + o) / (cs / (cs + os))),
        False,
    ),
}


@pytest.mark.parametrize("weight", [None, W], ids=["all alike", "weighted"])
@pytest.mark.parametrize("curve", CURVES)
def test_points_of_a_curve(curve: str, weight: NDArray[np.float64] | None) -> None:
    draw, point, from_origin = CURVES[curve]
    ax = draw(Y, P, sample_weight=weight, name="FM", ax=new_axes())
    points = by_threshold(np.ones(500) if weight is None else weight)
    expected = [point(*both, *points[-1]) for both in points]
    line = ax.lines[-1]
    drawn = np.column_stack([x_of(line), y_of(line)])
    assert drawn == pytest.approx(np.array([(0.0, 0.0)] * from_origin + expected))
    # Scores of any scale do: only their order counts.
    scaled = draw(2 * Y - 1, 10 * P - 3, sample_weight=weight, ax=new_axes())
    assert y_of(scaled.lines[-1]) == pytest.approx(y_of(line))


def test_areas_in_the_legend() -> None:
    ax = plot.roc_curve(Y, P, sample_weight=W, name="FM", ax=new_axes())
    assert labels(ax) == ["chance", f"FM (AUC {pyfm.metrics.auc(Y, P, sample_weight=W):.4f})"]
    ax = plot.precision_recall_curve(Y, P, sample_weight=W, ax=new_axes())
    average = average_precision_score(Y, P, sample_weight=W)
    assert labels(ax) == ["chance", f"average precision {average:.4f}"]
    assert y_of(ax.lines[0]) == pytest.approx([np.average(Y, weights=W)] * 2)


def test_lines_for_comparison() -> None:
    ax = plot.gain_curve(Y, P, ax=new_axes())
    assert labels(ax) == ["chance", "perfect"]
    assert x_of(ax.lines[1]) == pytest.approx([0, 100 * Y.mean(), 100])
    plot.gain_curve(Y, 1 - P, name="worse", ax=ax)
    assert labels(ax) == ["chance", "perfect", "worse"]
    assert len(ax.lines) == 4
    assert ax.lines[2].get_color() != ax.lines[3].get_color()


PROBABILITIES = [plot.reliability_diagram, *(curve.draw for curve in CURVES.values())]


@pytest.mark.parametrize("draw", PROBABILITIES, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize(
    ("y", "p", "more", "message"),
    [
        ([], [], {}, "y_true: expected at least one row"),
        ([0, 1], [0.5], {}, "y_pred: expected 2 entries"),
        ([0, 2], [0.5, 0.5], {}, r"y_true\[1\]: expected numbers 0 or 1"),
        ([0, 1], [0.5, np.nan], {}, r"y_pred\[1\]: expected numbers finite"),
        ([0, 1], [0.5, 0.5], {"sample_weight": [0, 0]}, "sample_weight: expected at least one"),
        (
            [0, 1],
            [0.5, 0.5],
            {"sample_weight": [-1, 1]},
            r"sample_weight\[0\]: expected numbers >=",
        ),
    ],
)
def test_bad_rows(draw: Any, y: Any, p: Any, more: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(y, p, **more)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", PROBABILITIES[1:], ids=lambda draw: draw.__name__)
def test_one_class_has_no_ranking(draw: Any) -> None:
    with pytest.raises(ValueError, match="y_true: expected rows of both classes"):
        draw([0, 0, 1], [0.1, 0.2, 0.3], sample_weight=[1, 1, 0])


def test_bad_parameters_of_a_diagram() -> None:
    with pytest.raises(ValueError, match=r"n_bins: expected an integer in \[1, 1000\]"):
        plot.reliability_diagram(Y, P, n_bins=0)
    with pytest.raises(ValueError, match="strategy: expected one of 'quantile', 'uniform'"):
        plot.reliability_diagram(Y, P, strategy="equal")
    with pytest.raises(ValueError, match="counts: expected True or False"):
        plot.reliability_diagram(Y, P, counts=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"y_pred\[0\]: expected numbers in \[0, 1\]"):
        plot.reliability_diagram([0, 1], [1.5, 0.5])
