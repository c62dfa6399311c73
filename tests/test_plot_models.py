"""Pictures of weights: what is drawn, against loops over features and pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import reference_explain as reference
from explaining import N_FIELDS, rows_of_ids, rows_with_values
from kinds import ESTIMATORS, small
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pyfm
from pyfm import plot


@pytest.fixture(autouse=True)
def _figures() -> Iterator[None]:
    yield
    plt.close("all")


def new_axes() -> Any:
    return Figure().subplots()


# --- heat map -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pyfm.FMClassifier, pyfm.FFMRegressor, pyfm.DeepFMClassifier])
def test_heat_map_of_rows(kind: Any) -> None:
    rows = rows_with_values()
    model = small(kind, epochs=2, random_state=0).fit(rows)
    weight = np.random.default_rng(1).integers(0, 3, rows.n_rows).astype(np.float64)
    ax = plot.field_interactions(model, rows, sample_weight=weight, ax=new_axes())
    total, mass = np.zeros((2, N_FIELDS, N_FIELDS))
    for row, w in zip(reference.known(model, rows), weight, strict=True):
        for (f, _), (g, _), product, _ in reference.pairs(model, row):
            for a, b in {(f, g), (g, f)}:
                total[a, b] += w * abs(product)
                mass[a, b] += w
    image = np.asarray(ax.images[0].get_array())
    assert image == pytest.approx(total / mass, rel=1e-6)
    assert ax.images[0].get_clim() == pytest.approx((0, image.max()))
    assert [t.get_text() for t in ax.get_xticklabels()] == [str(f) for f in range(N_FIELDS)]
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "mean |⟨v$_i$, v$_j$⟩| (unit of the score)"


def test_fields_that_never_meet_are_left_out() -> None:
    rows = rows_of_ids()  # one feature per field
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(rows)
    image = np.asarray(plot.field_interactions(model, rows).images[0].get_array())
    assert np.isnan(image).tolist() == np.eye(N_FIELDS, dtype=bool).tolist()


def test_fields_of_a_table_have_names() -> None:
    rng = np.random.default_rng(0)
    table = {
        "site": rng.integers(0, 5, 100).astype(str),
        "the identifier of the advertisement": rng.integers(0, 5, 100),
        "day": rng.integers(0, 5, 100),
    }
    model = pyfm.FFMClassifier(epochs=1, random_state=0).fit(table, rng.integers(0, 2, 100))
    expected = ["site", "the identi…rtisement", "day"]
    for X in (None, table):
        ax = plot.field_interactions(model, X)
        assert [t.get_text() for t in ax.get_yticklabels()] == expected
        assert [t.get_text() for t in plot.factor_norms(model, X).get_yticklabels()] == expected
    strength = {i.fields: i.strength for i in model.top_interactions(None, by="field")}
    image = np.asarray(plot.field_interactions(model).images[0].get_array())
    assert {(f, g): image[g, f] for f, g in strength} == strength


@pytest.mark.parametrize("n_fields", [2, 12, 39, 150])
def test_names_of_fields_do_not_overlap(n_fields: int) -> None:
    sizes = {"n_fields": n_fields, "n_features": 10 * n_fields}
    rows, _ = pyfm.datasets.make_ctr(50, **sizes, random_state=0)
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(rows)
    for draw in (plot.field_interactions, plot.factor_norms):
        ax = draw(model, rows)
        ax.figure.canvas.draw()
        for axis, side in ((ax.xaxis, "x"), (ax.yaxis, "y")):
            boxes = [t.get_window_extent() for t in axis.get_ticklabels() if t.get_text()]
            ends = sorted(tuple(getattr(box, f"interval{side}")) for box in boxes)
            assert all(a[1] <= b[0] for a, b in pairwise(ends)), (draw.__name__, side)


# --- norms ----------------------------------------------------------------------------------------


def boxes(ax: Axes) -> list[list[float]]:
    """The five numbers of each field, from top to bottom."""
    whiskers, medians = (lines.get_segments() for lines in ax.collections)  # type: ignore[attr-defined]
    found = []
    for whisker, box, median in zip(whiskers, ax.patches, medians, strict=True):
        left, right = box.get_x(), box.get_x() + box.get_width()  # type: ignore[attr-defined]
        found.append([whisker[0, 0], left, median[0, 0], right, whisker[1, 0]])
    return found


@pytest.mark.parametrize("kind", [pyfm.FMClassifier, pyfm.FFMRegressor, pyfm.WideDeepClassifier])
def test_norms_by_field(kind: Any) -> None:
    rows = rows_with_values()
    model = small(kind, epochs=2, random_state=0).fit(rows)
    features: dict[int, set[int]] = {}
    for row in reference.known(model, rows):
        for f, j, _ in row:
            features.setdefault(f, set()).add(j)
    v = model.factors_.astype(np.float64)
    norms = np.sqrt((v**2).reshape(len(v), -1).sum(axis=1))
    marks = [5, 25, 50, 75, 95]
    expected = [np.percentile(norms[sorted(features[f])], marks) for f in sorted(features)]
    ax = plot.factor_norms(model, rows, ax=new_axes())
    assert np.array(boxes(ax)) == pytest.approx(np.array(expected))
    ax = plot.factor_norms(model, ax=new_axes())
    known = norms[model._model.features]
    assert np.array(boxes(ax)) == pytest.approx(np.percentile(known, marks)[None])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["all features"]
    assert ax.get_xlim()[0] == 0


# --- histogram ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("piece", [7, 2**22])
def test_histogram_of_each_part(kind: Any, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfm.plot.weights._NUMBERS", piece)
    model = small(kind, epochs=2, random_state=0).fit(rows_of_ids())
    known = model._model.features
    parts = {}
    if hasattr(model, "coef_"):
        parts["linear"] = model.coef_[known]
    if hasattr(model, "factors_"):
        parts["factors"] = model.factors_[known].ravel()
    if hasattr(model, "network_"):
        weights = model._spec.network_shapes()[0]
        parts["deep"] = np.concatenate([model.network_[name].ravel() for name in weights])
    ax = plot.weight_histogram(model, bins=20, ax=new_axes())
    low = min(float(part.min()) for part in parts.values())
    high = max(float(part.max()) for part in parts.values())
    for patch, (name, values) in zip(ax.patches, parts.items(), strict=True):
        counts, edges, _ = patch.get_data()  # type: ignore[attr-defined]
        assert edges == pytest.approx(np.linspace(low, high, 21), rel=1e-6, abs=1e-9)
        assert counts.sum() == len(values)
        assert counts.tolist() == np.histogram(values, edges)[0].tolist()
        assert str(patch.get_label()).startswith(f"{name}: {len(values):,}")
    assert ax.get_yscale() == "log"
    only = plot.weight_histogram(model, part=next(iter(parts)), ax=new_axes())
    assert len(only.patches) == 1


def test_zeros_are_counted() -> None:
    model = pyfm.LinearRegressor(l1=100.0, epochs=1, random_state=0).fit(rows_of_ids())
    n = len(model._model.features)
    ax = plot.weight_histogram(model, ax=new_axes())
    assert ax.patches[0].get_label() == f"linear: {n}, {n} of them 0"


def test_refusals() -> None:
    rows = rows_of_ids()
    fm, linear = (kind(epochs=1).fit(rows) for kind in (pyfm.FMClassifier, pyfm.LinearClassifier))
    cases: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
        (plot.field_interactions, (linear, rows), {}, "expected a model of type FM, FFM or DeepFM"),
        (plot.field_interactions, (fm,), {}, "X: expected rows, which say what field"),
        (plot.field_interactions, (3,), {}, "model: expected a fitted model of pyfm"),
        (plot.factor_norms, (linear,), {}, "model: expected a model with vectors"),
        (plot.factor_norms, ("fm",), {}, "model: expected a fitted model of pyfm"),
        (plot.weight_histogram, (None,), {}, "model: expected a fitted model of pyfm"),
        (plot.weight_histogram, (fm,), {"part": "deep"}, "part: expected one of 'linear', 'fac"),
        (plot.weight_histogram, (fm,), {"bins": 0}, "bins: expected an integer"),
    ]
    for draw, arguments, more, message in cases:
        with pytest.raises(ValueError, match=message):
            draw(*arguments, **more)
    unknown = pyfm.Dataset.from_ids([[1000, 1001]])
    for draw in (plot.field_interactions, plot.factor_norms):
        with pytest.raises(ValueError, match="X: expected rows with"):
            draw(fm, unknown)
    assert plt.get_fignums() == []
