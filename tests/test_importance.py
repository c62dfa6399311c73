"""`feature_importance` against loops over all pairs, and against the Shapley values' definition."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import reference_explain as reference
from explaining import (
    N_FIELDS,
    in_small_pieces,
    of_table,
    rows_of_ids,
    rows_with_values,
    table,
    weights_of,
)
from kinds import ESTIMATORS, small
from rows import entries_of

import pyfm
from pyfm import Dataset


@pytest.fixture(params=[False, True], ids=["at once", "in small pieces"])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        in_small_pieces(monkeypatch)


def contributions(model: Any, data: Dataset) -> list[list[tuple[int, int, float]]]:
    """Of each row and entry: field, feature, linear term and half of each pair."""
    found = []
    for row in reference.known(model, data):
        entries_ = [[f, j, term] for (f, j, _), term in zip(row, _linear(model, row), strict=True)]
        deep = model._spec.deep_fields
        at = [i for i, (f, _, _) in enumerate(row) if deep is None or f in deep]
        terms = iter(reference.pairs(model, row))
        if model._spec.kind in ("fm", "ffm", "deepfm"):
            for a, b in combinations(at, 2):
                half = next(terms)[3] / 2
                entries_[a][2] += half
                entries_[b][2] += half
        found.append([tuple(entry) for entry in entries_])
    return found  # type: ignore[return-value]


def _linear(model: Any, row: Any) -> list[float]:
    return [term for _, term in reference.linear(model, row)] or [0.0] * len(row)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("by", ["feature", "field"])
@pytest.mark.parametrize("kind", [pyfm.LinearRegressor, pyfm.FMClassifier, pyfm.FFMClassifier])
def test_importance_in_rows(kind: Any, by: str) -> None:
    rows = rows_with_values()
    model = kind(epochs=2, random_state=0).fit(rows)
    weight = weights_of(rows.n_rows)
    total: dict[Any, float] = {}
    count: dict[Any, int] = {}
    for row, w in zip(contributions(model, rows), weight, strict=True):
        in_row: dict[Any, float] = {}
        for f, j, term in row:
            key: Any = (f, j) if by == "feature" else f
            in_row[key] = in_row.get(key, 0.0) + term
            count[key] = count.get(key, 0) + 1
        for key, term in in_row.items():
            total[key] = total.get(key, 0.0) + w * abs(term) / weight.sum()
    found = model.feature_importance(rows, by=by, sample_weight=weight)
    keys = [(i.field, i.feature) if by == "feature" else i.field for i in found]
    assert sorted(keys) == sorted(total)
    for key, i in zip(keys, found, strict=True):
        assert i.importance == pytest.approx(total[key], rel=1e-5, abs=1e-7)
        assert i.occurrences == count[key]
        assert i.name == (f"{i.field}:{i.feature}" if by == "feature" else f"field {i.field}")
    assert [i.importance for i in found] == sorted((i.importance for i in found), reverse=True)
    assert model.feature_importance(rows, by=by, n=2, sample_weight=weight) == found[:2]


@pytest.mark.parametrize("kind", [pyfm.FMRegressor, pyfm.FFMRegressor])
def test_contributions_are_shapley_values(kind: Any) -> None:
    rows = rows_with_values(40, seed=3)
    model = kind(linear=True, epochs=2, random_state=0).fit(rows)
    for i, row in enumerate(reference.known(model, rows)):
        if not 2 <= len(row) <= 5:
            continue
        values = reference.shapley(model, row)
        assert [term for _, _, term in contributions(model, rows)[i]] == pytest.approx(values)
        explanation = model.explain(rows[i : i + 1])
        bias = explanation.parts["bias"]
        assert math.fsum(values) == pytest.approx(explanation.score - bias, abs=1e-6)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("deep_fields", [None, (0, 2, 3)])
@pytest.mark.parametrize("kind", [pyfm.DeepFMClassifier, pyfm.WideDeepRegressor])
def test_importance_of_deep_models(kind: Any, deep_fields: Any) -> None:
    rows = rows_with_values(12)
    model = kind(hidden=(8,), deep_fields=deep_fields, epochs=2, random_state=0).fit(rows)
    expected: dict[int, float] = {}
    for i, row in enumerate(contributions(model, rows)):
        whole = model.explain(rows[i : i + 1]).parts["network"]
        in_row: dict[int, float] = {}
        given = [entry for entry in entries_of(rows)[i] if entry[2] != 0]
        for at, (f, _, term) in enumerate(row):
            rest = [entry for k, entry in enumerate(given) if k != at]
            without = Dataset.from_arrays(
                [0, len(rest)],
                np.array([j for _, j, _ in rest], np.int64),
                fields=np.array([g for g, _, _ in rest], np.int64),
                values=np.array([x for _, _, x in rest], np.float32),
                n_features=rows.n_features,
                n_fields=N_FIELDS,
            )
            lost = whole - model.explain(without).parts["network"]
            in_row[f] = in_row.get(f, 0.0) + term + lost
        for f, term in in_row.items():
            expected[f] = expected.get(f, 0.0) + abs(term) / rows.n_rows
    found = {i.field: i.importance for i in model.feature_importance(rows, by="field")}
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_importance_of_weights(kind: Any) -> None:
    model = small(kind, epochs=2, random_state=0).fit(rows_of_ids())
    parts = [getattr(model, n) for n in ("coef_", "factors_") if hasattr(model, n)]
    norms = np.sqrt(sum((of.astype(np.float64) ** 2).reshape(len(of), -1).sum(1) for of in parts))
    found = model.feature_importance()
    assert {i.feature: i.importance for i in found} == pytest.approx(
        {int(j): norms[j] for j in model._model.features}
    )
    assert all((i.field, i.occurrences, i.name) == (-1, None, str(i.feature)) for i in found)
    with pytest.raises(ValueError, match="X: expected rows, which say what fields there are"):
        model.feature_importance(by="field")


def test_importance_of_the_weights_of_a_table() -> None:
    model = of_table(pyfm.FFMClassifier)
    encoder = model._inputs.encoder
    by_field: dict[str, list[float]] = {}
    for i in model.feature_importance():
        feature = encoder.lookup(i.feature)
        assert (i.name, encoder.field_names_[i.field]) == (str(feature), feature.field)
        by_field.setdefault(feature.field, []).append(i.importance)
    found = {i.name: i.importance for i in model.feature_importance(by="field")}
    expected = {name: math.sqrt(np.mean(np.square(of))) for name, of in by_field.items()}
    assert found == pytest.approx(expected)
    assert {i.name for i in model.feature_importance(table(), by="field")} == set(expected)
