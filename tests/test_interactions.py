"""`top_interactions` against loops over all pairs."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import reference_explain as reference
from explaining import in_small_pieces, of_table, rows_of_ids, rows_with_values, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import ESTIMATORS, small
from sklearn.exceptions import NotFittedError

import pyfm
from pyfm import Dataset
from pyfm.explain import search

WITH_PAIRS = [kind for kind in ESTIMATORS if "Linear" not in kind.__name__]
WITH_PAIRS = [kind for kind in WITH_PAIRS if "Wide" not in kind.__name__]


@pytest.fixture(params=[False, True], ids=["at once", "in small pieces"])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        in_small_pieces(monkeypatch)


# --- in rows --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("by", ["feature", "field"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", WITH_PAIRS)
def test_interactions_in_rows(kind: Any, weighted: bool, by: str) -> None:
    rows = rows_with_values()
    model = small(kind, epochs=2, random_state=0).fit(rows)
    weight = weights_of(rows.n_rows) if weighted else np.ones(rows.n_rows)
    found = model.top_interactions(None, rows, by=by, sample_weight=weight if weighted else None)
    expected = reference.by_rows(model, rows, weight, by)
    ids: list[Any] = [
        tuple(zip(i.fields, i.features, strict=True)) if by == "feature" else i.fields
        for i in found
    ]
    assert sorted(ids) == sorted(expected)
    assert [i.contribution for i in found] == sorted((i.contribution for i in found), reverse=True)
    for key, interaction in zip(ids, found, strict=True):
        contribution, strength, count = expected[key]
        # Values are scaled in float32; sums of 60 rows at most.
        assert interaction.contribution == pytest.approx(contribution, rel=1e-5, abs=1e-9)
        assert interaction.strength == pytest.approx(strength, rel=1e-9, abs=1e-12)
        assert interaction.occurrences == count
    assert (
        model.top_interactions(3, rows, by=by, sample_weight=weight)
        == (model.top_interactions(None, rows, by=by, sample_weight=weight)[:3])
    )


def test_weights_of_the_data_set_count() -> None:
    rows = rows_of_ids()
    model = pyfm.FMClassifier(epochs=2, random_state=0).fit(rows)
    weight = weights_of(rows.n_rows)
    weighted = rows.with_targets(rows.y, weight)
    given = model.top_interactions(5, rows, sample_weight=weight)
    assert model.top_interactions(5, weighted) == given
    assert given != model.top_interactions(5, rows)


# --- of all features ------------------------------------------------------------------------------


def all_pairs(model: Any) -> dict[tuple[Any, Any], float]:
    """The product of each pair of features that may meet."""
    features = [int(j) for j in model._model.features]
    encoder = model._inputs.encoder
    if encoder is None:
        return {
            ((-1, i), (-1, j)): reference.product(model, (-1, i), (-1, j))
            for i, j in combinations(features, 2)
        }
    field = {j: encoder.field_names_.index(encoder.lookup(j).field) for j in features}
    deep = model._spec.deep_fields
    found = {}
    for i, j in combinations(features, 2):
        a, b = sorted(((field[i], i), (field[j], j)))
        may_meet = a[0] != b[0] or encoder.field_names_[a[0]] == "tags"
        if may_meet and (deep is None or {a[0], b[0]} <= set(deep)):
            found[a, b] = reference.product(model, a, b)
    return found


MODELS: dict[str, Any] = {
    "fm of ids": lambda: pyfm.FMClassifier(epochs=2, random_state=0).fit(rows_of_ids()),
    "fm of a table": lambda: of_table(pyfm.FMClassifier),
    "ffm of a table": lambda: of_table(pyfm.FFMRegressor, dtype="float16"),
    "deepfm above some fields": lambda: of_table(pyfm.DeepFMClassifier, deep_fields=("ad", "tags")),
}


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [1, 7, 10_000])
def test_strongest_of_all_features(model: str, n: int) -> None:
    fitted = MODELS[model]()
    expected = all_pairs(fitted)
    found = fitted.top_interactions(n)
    strongest = sorted(map(abs, expected.values()), reverse=True)[:n]
    assert [abs(i.strength) for i in found] == pytest.approx(strongest, rel=1e-9, abs=1e-12)
    for i in found:
        a, b = sorted(zip(i.fields, i.features, strict=True))
        assert i.strength == pytest.approx(expected[a, b], rel=1e-9, abs=1e-12)
    assert len({i.features for i in found}) == len(found)
    assert all(i.contribution is None and i.occurrences is None for i in found)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 9))
def test_short_vectors_are_left_out_rightly(seed: int, n: int, block: int) -> None:
    # Vectors of very different lengths, where most blocks need not be looked at.
    rng = np.random.default_rng(seed)
    n_features = 30
    model = pyfm.FMRegressor(n_factors=3, epochs=1, random_state=0)
    model.fit(Dataset.from_ids(np.arange(n_features).reshape(-1, 2), y=np.ones(n_features // 2)))
    vectors = rng.normal(size=(n_features, 3)) * 10.0 ** rng.integers(-3, 3, (n_features, 1))
    ids = np.arange(n_features, dtype=np.uint32)
    model._model.set_weights("factors", vectors.astype(np.float32), ids)
    whole = search._BLOCK
    try:
        search._BLOCK = block
        found = [abs(i.strength) for i in model.top_interactions(n)]
    finally:
        search._BLOCK = whole
    strongest = sorted(map(abs, all_pairs(model).values()), reverse=True)
    assert found == pytest.approx(strongest[:n], rel=1e-9)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("model", [m for m in MODELS if "ids" not in m])
def test_means_of_all_fields(model: str) -> None:
    fitted = MODELS[model]()
    found = fitted.top_interactions(None, by="field")
    of_fields: dict[Any, list[float]] = {}
    for ((f, _), (g, _)), product in all_pairs(fitted).items():
        of_fields.setdefault((f, g), []).append(abs(product))
    assert sorted(i.fields for i in found) == sorted(of_fields)
    for i in found:
        assert i.strength == pytest.approx(np.mean(of_fields[i.fields]), rel=1e-9)
    assert [i.strength for i in found] == sorted((i.strength for i in found), reverse=True)
    names = fitted._inputs.encoder.field_names_
    assert found[0].name == " × ".join(names[f] for f in found[0].fields)


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_ids()
    with pytest.raises(NotFittedError):
        pyfm.FMClassifier().top_interactions()
    for kind in (pyfm.LinearClassifier, pyfm.WideDeepClassifier):
        model = small(kind, epochs=1).fit(rows)
        with pytest.raises(ValueError, match=r"expected a model of type FM, FFM or DeepFM, found"):
            model.top_interactions(1, rows)
    fm, ffm = (kind(epochs=1).fit(rows) for kind in (pyfm.FMClassifier, pyfm.FFMClassifier))
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (fm, {"n": 0}, "n: expected an integer >= 1"),
        (fm, {"by": "row"}, "by: expected one of 'feature', 'field'"),
        (fm, {"n": None}, "n: expected a number"),
        (fm, {"by": "field"}, "X: expected rows, which say what field a feature is in"),
        (ffm, {}, "X: expected rows, which say what field a feature is in"),
        (fm, {"sample_weight": [1.0]}, "sample_weight: expected None, since there are no rows"),
        (fm, {"X": rows, "sample_weight": [1.0]}, "weight"),
        (fm, {"X": rows, "sample_weight": np.full(rows.n_rows, np.nan)}, "weight"),
        (fm, {"X": rows, "sample_weight": np.full(rows.n_rows, -1.0)}, "weight"),
        (fm, {"X": rows, "sample_weight": np.zeros(rows.n_rows)}, "found 'only zeros'"),
        (fm, {"X": rows[:0]}, "found 'no rows'"),
    ]
    for model, arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            model.top_interactions(**arguments)
    monkeypatch.setattr(search, "_MOST_PAIRS", 10)
    with pytest.raises(ValueError, match=r"X: expected rows, since the strongest of all \S+ pairs"):
        fm.top_interactions()


def test_streams_are_refused(tmp_path: Any) -> None:
    rows = rows_of_ids()
    path = tmp_path / "rows.pyfm"
    rows.save(path)
    model = pyfm.FMClassifier(epochs=1).fit(rows)
    stream = Dataset.stream(path)
    with pytest.raises(ValueError, match=r"expected rows in memory, .*next\(iter\(stream\)\)"):
        model.top_interactions(1, stream)
    piece = next(iter(stream))
    assert model.top_interactions(1, piece) == model.top_interactions(1, rows)
