"""Explanations and pictures of more than two classes: those of the score of one class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from explaining import rows_of_ids
from matplotlib.figure import Figure

import pyfm

CLASSES = ["cat", "dog", "eel"]
KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]


@pytest.fixture(autouse=True)
def no_figures_stay() -> Iterator[None]:
    yield
    plt.close("all")


def table() -> Any:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"site": rng.choice(list("abcd"), 200), "ad": rng.integers(0, 5, 200)})


def fitted(kind: Any) -> Any:
    labels = np.array(CLASSES)[np.random.default_rng(1).integers(0, 3, 200)]
    options = (
        {}
        if kind is pyfm.LinearClassifier
        else {"linear": True, "init_scale": 1.0, "normalize": False}
    )
    return kind(epochs=3, random_state=0, **options).fit(table(), labels)


def fitted_with_row(kind: Any) -> tuple[Any, Any, list[int]]:
    """Also a row of the table, and its features."""
    model, row = fitted(kind), table().iloc[[3]]
    return model, row, model._inputs.rows(row, "test").features.tolist()


def terms(model: Any, c: int, i: int, j: int) -> list[float]:
    """Both linear terms of a row with features i and j, of fields 0 and 1, and their pair."""
    found = [float(model.coef_[c, i]), float(model.coef_[c, j])]
    if isinstance(model, pyfm.LinearClassifier):
        return found
    v = model.factors_[c].astype(np.float64)
    is_ffm = isinstance(model, pyfm.FFMClassifier)
    return [*found, float(v[i, 1] @ v[j, 0] if is_ffm else v[i] @ v[j])]


@pytest.mark.parametrize("kind", KINDS)
def test_terms_are_those_of_the_class(kind: Any) -> None:
    model, row, (i, j) = fitted_with_row(kind)
    for c, label in enumerate(CLASSES):
        found = model.explain(row, output=label)
        expected = [float(model.intercept_[c]), *terms(model, c, i, j)]
        assert sorted(t.contribution for t in found.terms) == pytest.approx(sorted(expected))
        assert found.score == pytest.approx(model.decision_function(row)[0, c], rel=1e-5)
        assert found.prediction == model.predict_proba(row)[0, c]
        assert found.label == label


@pytest.mark.parametrize("kind", KINDS)
def test_importance_is_that_of_the_class(kind: Any) -> None:
    model, row, (i, j) = fitted_with_row(kind)
    for c, label in enumerate(CLASSES):
        w_i, w_j, *pair = terms(model, c, i, j)
        half = sum(pair) / 2
        found = {f.feature: f.importance for f in model.feature_importance(row, output=label)}
        assert found == pytest.approx({i: abs(w_i + half), j: abs(w_j + half)})
        of_weights = {f.feature: f.importance for f in model.feature_importance(output=label)}
        parts = [model.coef_[c, i], *(() if not pair else model.factors_[c, i].ravel())]
        assert of_weights[i] == pytest.approx(float(np.linalg.norm(parts)))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_interactions_are_those_of_the_class(kind: Any) -> None:
    model, row, (i, j) = fitted_with_row(kind)
    everything = [model.top_interactions(100, output=label) for label in CLASSES]
    for c, label in enumerate(CLASSES):
        [found] = model.top_interactions(None, row, output=label)
        assert found.strength == pytest.approx(terms(model, c, i, j)[2])
        [same] = [t for t in everything[c] if t.features == (i, j)]
        assert same.strength == pytest.approx(found.strength)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_classes_first(kind: Any) -> None:
    model = fitted(kind)
    found = model.feature_weights([5, 2])
    assert (found.linear == model.coef_[:, [5, 2]]).all()
    if kind is not pyfm.LinearClassifier:
        assert (found.factors == model.factors_[:, [5, 2]]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_histograms_count_the_weights_of_all_classes(kind: Any) -> None:
    model = fitted(kind)
    ax = pyfm.plot.weight_histogram(model)
    n = len(model._model.features)
    labels = ax.get_legend_handles_labels()[1]
    assert labels[0].startswith(f"linear: {3 * n}")


def test_pictures_of_a_class() -> None:
    model = fitted(pyfm.FMClassifier)
    for label in CLASSES:
        ax = pyfm.plot.field_interactions(model, table(), output=label)
        [found] = model.top_interactions(None, table(), by="field", output=label)
        assert np.asarray(ax.images[0].get_array())[0, 1] == pytest.approx(found.strength)
        assert isinstance(pyfm.plot.factor_norms(model, output=label).figure, Figure)


@pytest.mark.parametrize("output", [None, "cow", ["cat"], 0])
@pytest.mark.parametrize(
    "ask",
    [
        lambda model, **output: model.explain(table()[:1], **output),
        lambda model, **output: model.top_interactions(3, **output),
        lambda model, **output: model.feature_importance(**output),
        pyfm.plot.field_interactions,
        pyfm.plot.factor_norms,
    ],
)
def test_what_is_no_class(ask: Any, output: Any) -> None:
    expected = "output: expected one of the 3 classes cat, dog, eel, which have a score each"
    with pytest.raises(ValueError, match=expected):
        ask(fitted(pyfm.FMClassifier), output=output)
    assert not plt.get_fignums()


def test_models_of_one_score_have_no_output() -> None:
    model = pyfm.FMClassifier(epochs=1).fit(rows_of_ids())
    with pytest.raises(ValueError, match="output: expected None, since the model has one score"):
        model.feature_importance(output=1)
