"""Trees as fields: encodings beside explicit loops, without leaks, of forests of any kind."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_set_params,
)

import pyfm
from pyfm.ensemble import FieldColumns, GBDTFeatures
from pyfm.ensemble.appending import append_fields

ROWS, _ = pyfm.datasets.make_ctr(500, n_fields=4, n_features=40, random_state=0)
TRAIN, VALID = ROWS[:400], ROWS[400:]
NUMBERS = np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32)
NUMBERS[::7, 2] = np.nan
FOREST = GradientBoostingClassifier(n_estimators=6, max_depth=2, random_state=3)
PLAIN = RandomForestClassifier(4, max_depth=3, random_state=3)  # which reads NaN, too
CV = KFold(4, shuffle=True, random_state=0)


def seeds(state: int) -> list[int]:
    """Those of the forests of four folds."""
    found: list[int] = np.random.RandomState(state).randint(2**31 - 1, size=4).tolist()
    return found


def last_field(data: pyfm.Dataset) -> np.ndarray[Any, Any]:
    """Ids of the appended field, counted from 0; rows have one feature per field."""
    ids: np.ndarray[Any, Any] = data.core.features.reshape(len(data), -1)[:, -1].astype(np.int64)
    return ids - ROWS.n_features


def test_scores_of_an_explicit_loop() -> None:
    features = GBDTFeatures(PLAIN, n_buckets=8, cv=CV, random_state=1)
    train = features.fit_transform(NUMBERS[:400], data=TRAIN)
    score, of_valid = np.zeros(400), []
    for seed, (of_fold, others) in zip(seeds(1), CV.split(np.zeros(400)), strict=True):
        forest = clone(PLAIN).set_params(random_state=seed)
        forest.fit(NUMBERS[of_fold], np.asarray(TRAIN.y)[of_fold])
        for rows, into in ((others, score), (np.arange(400, 500), None)):
            p = np.clip(forest.predict_proba(NUMBERS[rows])[:, 1], 1e-15, 1 - 1e-15)
            if into is None:
                of_valid.append(np.log(p / (1 - p)))
            else:
                into[rows] = np.log(p / (1 - p))
    edges = np.quantile(score, np.arange(1, 8) / 8)
    np.testing.assert_allclose(features.edges_, edges)
    expected = [sum(s >= edge for edge in edges) for s in score]
    assert last_field(train).tolist() == expected
    valid = features.transform(NUMBERS[400:], data=VALID)
    mean = np.mean(of_valid, axis=0)
    assert last_field(valid).tolist() == [sum(s >= edge for edge in edges) for s in mean]
    assert (train.n_fields, train.n_features, train.layout) == (5, 48, "one_per_field")
    np.testing.assert_array_equal(np.asarray(train.y), np.asarray(TRAIN.y))
    for k, encoding in enumerate(features.encodings(NUMBERS[400:], data=VALID)):
        own = [sum(s >= edge for edge in edges) for s in of_valid[k]]
        assert last_field(encoding).tolist() == own


def test_leaves_of_an_explicit_loop() -> None:
    features = GBDTFeatures(PLAIN, output="leaves", cv=CV, random_state=1)
    train = features.fit_transform(NUMBERS[:400], data=TRAIN)
    valid = features.transform(NUMBERS[400:], data=VALID)
    ids: dict[tuple[int, int, int], int] = {}  # by fold, tree, leaf
    forests = []
    for fold, (seed, (of_fold, _)) in enumerate(
        zip(seeds(1), CV.split(np.zeros(400)), strict=True)
    ):
        forest = clone(PLAIN).set_params(random_state=seed)
        forest.fit(NUMBERS[of_fold], np.asarray(TRAIN.y)[of_fold])
        forests.append(forest)
        for tree, leaves in enumerate(forest.apply(NUMBERS[of_fold]).T):
            for leaf in sorted(set(leaves.tolist())):
                ids[fold, tree, leaf] = 40 + len(ids)
    assert train.n_features == valid.n_features == 40 + len(ids)
    assert train.n_fields == valid.n_fields == 8
    entries = train.core.features.reshape(400, 8)
    for fold, (_, others) in enumerate(CV.split(np.zeros(400))):
        for row, leaves in zip(others, forests[fold].apply(NUMBERS[others]), strict=True):
            expected = [ids[fold, tree, leaf] for tree, leaf in enumerate(leaves.tolist())]
            assert entries[row, 4:].tolist() == expected
    assert valid.core.fields is not None
    assert valid.core.values is not None
    told = [forest.apply(NUMBERS[400:]) for forest in forests]
    for row in range(100):
        part = slice(row * 20, row * 20 + 20)
        assert valid.core.features[part][:4].tolist() == [
            int(j) for j in VALID.core.features.reshape(100, 4)[row]
        ]
        expected = [ids[k, tree, told[k][row, tree]] for tree in range(4) for k in range(4)]
        assert valid.core.features[part][4:].tolist() == expected
        assert valid.core.fields[part].tolist() == [0, 1, 2, 3] + [
            4 + t for t in range(4) for _ in "four"
        ]
        assert valid.core.values[part].tolist() == [1.0] * 4 + [0.25] * 16
    for k, encoding in enumerate(features.encodings(NUMBERS[400:], data=VALID)):
        own = [ids[k, tree, told[k][5, tree]] for tree in range(4)]
        assert encoding.core.features.reshape(100, 8)[5, 4:].tolist() == own


@pytest.mark.parametrize("output", ["score", "leaves"])
def test_random_labels_do_not_leak(output: str) -> None:
    """A model of out-of-fold fields finds nothing in them; one of trees that saw the rows does."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 4)).astype(np.float32), rng.integers(0, 2, 1500)
    empty = pyfm.Dataset.from_ids(np.zeros((1500, 1), np.int64), y)
    forest = GradientBoostingClassifier(n_estimators=20, max_depth=4, random_state=0)

    def auc(features: GBDTFeatures) -> float:
        rows = features.fit_transform(X, data=empty)
        model = pyfm.LinearClassifier(epochs=3, random_state=0)
        return float(np.mean(cross_val_score(model, rows.with_targets(None), y, scoring="roc_auc")))

    honest = GBDTFeatures(forest, output=output, n_buckets=10, random_state=0)
    naive = GBDTFeatures(clone(forest).fit(X, y), output=output, n_buckets=10, cv="prefit")
    # 1500 rows: the standard deviation of a random AUC is about 0.015.
    assert abs(auc(honest) - 0.5) < 0.06
    assert auc(naive) > 0.7


@pytest.mark.parametrize("output", ["score", "leaves"])
@pytest.mark.parametrize("forest", [FOREST, PLAIN], ids=lambda f: type(f).__name__)
def test_the_same_rows_on_any_number_of_threads(forest: Any, output: str) -> None:
    one = GBDTFeatures(forest, output=output, cv=3, random_state=0).fit_transform(TRAIN)
    many = GBDTFeatures(forest, output=output, cv=3, random_state=0, n_jobs=3).fit_transform(TRAIN)
    np.testing.assert_array_equal(one.core.features, many.core.features)


def test_trees_of_a_dataset_read_its_columns() -> None:
    features = GBDTFeatures(FOREST, cv=CV, n_buckets=5, random_state=1).fit(TRAIN)
    of_fold, _ = next(iter(CV.split(np.zeros(400))))
    columns = FieldColumns()
    forest = clone(FOREST).set_params(random_state=seeds(1)[0])
    labels = np.asarray(TRAIN.y).astype(int)
    matrix = columns.fit_transform(TRAIN[of_fold].with_targets(None), labels[of_fold])
    expected = forest.fit(matrix, labels[of_fold]).decision_function(columns.transform(VALID))
    np.testing.assert_allclose(features.models_[0].scores(VALID), expected)


def test_default_forests() -> None:
    pytest.importorskip("lightgbm", reason="the extra gbdt, which `test` installs")
    for output in ("score", "leaves"):
        features = GBDTFeatures(output=output, cv=2, n_buckets=5, random_state=0)
        train = features.fit_transform(TRAIN)
        again = clone(features).set_params(n_jobs=2).fit_transform(TRAIN)
        np.testing.assert_array_equal(train.core.features, again.core.features)
        model = pyfm.FMClassifier(epochs=2).fit(train)
        assert model.predict_proba(features.transform(VALID)).shape == (100, 2)


def test_boosters_of_lightgbm() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="the extra gbdt, which `test` installs")
    labels = np.asarray(TRAIN.y)
    params = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(params, lightgbm.Dataset(NUMBERS[:400], labels), 5)
    for output, n_added in (("score", 1), ("leaves", 5)):
        features = GBDTFeatures(booster, output=output, n_buckets=4, cv="prefit")
        rows = features.fit_transform(NUMBERS[400:], data=VALID)
        assert rows.n_fields == 4 + n_added
    leaves = booster.predict(NUMBERS[400:], pred_leaf=True)
    for tree in range(5):
        found = rows.core.features.reshape(100, -1)[:, 4 + tree]
        assert len(set(found.tolist())) == len(set(leaves[:, tree].tolist()))


def test_without_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ImportError, match=r"pip install 'pyfm-ctr\[gbdt\]'"):
        GBDTFeatures(cv=2).fit(TRAIN)
    GBDTFeatures(FOREST, cv=2).fit(TRAIN)


def test_rows_that_no_fold_predicts_lack_the_field() -> None:
    features = GBDTFeatures(FOREST, cv=TimeSeriesSplit(3), n_buckets=4, random_state=0)
    train = features.fit_transform(TRAIN)
    assert train.core.indptr is not None
    assert np.diff(train.core.indptr).tolist() == [4] * 100 + [5] * 300


def test_pipeline_of_a_table() -> None:
    ids = ROWS.core.features.reshape(500, -1)
    table = {name: ids[:, i].astype(str) for i, name in enumerate("abcd")}
    y = np.where(np.asarray(ROWS.y) > 0, "yes", "no")
    model = make_pipeline(
        GBDTFeatures(FOREST, cv=3, n_buckets=6, random_state=0),
        pyfm.FFMClassifier(epochs=5, random_state=0),
    )
    model.fit(table, y)
    assert set(model.predict(table)) == {"no", "yes"}
    assert roc_auc_score(y == "yes", model.predict_proba(table)[:, 1]) > 0.6
    matrix = make_pipeline(clone(model[0]), clone(model[1])).fit(ids.astype(np.int64), y)
    assert matrix.predict_proba(ids.astype(np.int64)).shape == (500, 2)


def test_scikit_learn_searches_its_parameters() -> None:
    ids = ROWS.core.features.reshape(500, -1).astype(np.int64)
    features = GBDTFeatures(PLAIN, cv=2, random_state=0)
    model = make_pipeline(features, pyfm.LinearClassifier(random_state=0))
    model.set_params(gbdtfeatures__forest__n_estimators=2, gbdtfeatures__n_buckets=3)
    scores = cross_val_score(model, ids, np.asarray(ROWS.y), cv=2, scoring="neg_log_loss")
    assert np.isfinite(scores).all()
    assert not hasattr(features, "models_")


@pytest.mark.parametrize(
    "check",
    [
        check_estimator_cloneable, check_estimator_repr, check_get_params_invariance,
        check_no_attributes_set_in_init, check_set_params,
    ],
    ids=lambda check: check.__name__,
)  # fmt: skip
@pytest.mark.parametrize("kind", [GBDTFeatures, FieldColumns])
def test_checks_of_scikit_learn(check: Any, kind: Any) -> None:
    check(kind.__name__, kind())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"output": "trees"}, "output: expected one of 'score', 'leaves'"),
        ({"n_buckets": 1}, r"n_buckets: expected an integer in \[2, 65536\]"),
        ({"forest": "lightgbm"}, "forest: expected a classifier"),
        ({"forest": GradientBoostingClassifier}, "forest: expected a classifier"),
        ({"cv": "folds"}, "cv: expected one of 'prefit'"),
        ({"cv": "prefit", "forest": None}, "forest: expected a fitted one"),
        ({"cv": "prefit"}, "X: expected numbers, which a fitted forest reads"),
        ({"cv": 1}, "cv: expected at least 2 folds"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"random_state": -1}, "random_state"),
        ({"output": "leaves", "forest": pyfm.LinearClassifier()}, "a forest that tells leaves"),
    ],
)
def test_refusals(params: dict[str, Any], message: str) -> None:
    features = GBDTFeatures(**({"forest": FOREST, "cv": 2} | params))
    with pytest.raises(ValueError, match=message):
        features.fit(TRAIN)
    assert not hasattr(features, "models_")


@pytest.mark.parametrize(
    ("X", "kwargs", "message"),
    [
        (NUMBERS[:300], {"data": TRAIN}, "data: expected the 300 rows of X, found '400 rows'"),
        (NUMBERS[:400], {"data": [1]}, "data: expected a Dataset or None"),
        (NUMBERS[0], {"y": [1]}, "X: expected a Dataset, a table, or a 2-D array"),
        (TRAIN.with_targets(None), {}, "expected targets"),
        (TRAIN, {"y": np.arange(400) % 3}, "classes"),
        (TRAIN.with_targets(None), {"y": [0, 1]}, "y: expected length 400"),
    ],
)
def test_refusals_of_rows(X: Any, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GBDTFeatures(PLAIN, cv=2).fit(X, **kwargs)


def test_refusals_of_later_rows() -> None:
    numbers = GBDTFeatures(PLAIN, cv=2, n_buckets=4).fit(NUMBERS[:400], data=TRAIN)
    for X in (NUMBERS[:, :3], VALID, {"a": [1.0]}):
        with pytest.raises(ValueError, match="an array of numbers with 5 columns, as in fit"):
            numbers.transform(X, data=VALID)
    rows = GBDTFeatures(PLAIN, cv=2, n_buckets=4).fit(TRAIN)
    with pytest.raises(ValueError, match="X: expected a Dataset or ids, as in fit"):
        rows.transform(NUMBERS[400:])
    with pytest.raises(ValueError, match="X: expected rows of 4 fields, as in fit, found 5"):
        rows.transform(rows.transform(VALID))


@pytest.mark.parametrize("layout", ["one_per_field", "gaps", "values", "field_zero"])
@pytest.mark.parametrize(("absent", "value"), [(False, 1.0), (True, 1.0), (True, 0.5)])
def test_appended_fields_of_an_explicit_loop(layout: str, absent: bool, value: float) -> None:
    from selections import rows_in

    data = rows_in(layout, weights=True)
    rng = np.random.default_rng(0)
    ids = rng.integers(-1 if absent else 0, 7, (len(data), 3))
    fields = np.array([0, 0, 1] if absent else [0, 1, 2])
    made = pyfm.Dataset(append_fields(data.core, ids, fields, 7, value))
    assert (made.n_features, made.n_fields) == (data.n_features + 7, data.n_fields + fields[-1] + 1)
    assert (made.layout == "one_per_field") == (layout == "one_per_field" and not absent)
    for row in range(0, len(data), 11):
        old, new = (entries_of(of[row : row + 1]) for of in (data, made))
        behind = [
            (data.n_fields + f, data.n_features + j, value)
            for f, j in zip(fields.tolist(), ids[row].tolist(), strict=True)
            if j >= 0
        ]
        assert new == old + behind
    for name in ("y", "sample_weight"):
        np.testing.assert_array_equal(getattr(made, name), getattr(data, name))


def entries_of(row: pyfm.Dataset) -> list[tuple[int, int, float]]:
    core, n = row.core, row.nnz
    fields = core.fields
    if fields is None:
        fields = np.arange(n) if core.indptr is None else np.zeros(n)  # type: ignore[assignment]
    values = np.ones(n) if core.values is None else core.values
    assert fields is not None
    return list(zip(fields.tolist(), core.features.tolist(), values.tolist(), strict=True))
