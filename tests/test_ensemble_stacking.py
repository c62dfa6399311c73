"""Stacking beside an explicit loop, without leaks; folds of any splitter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

import pyfm
from pyfm.ensemble import FieldColumns, StackingClassifier, contributions, default_members
from pyfm.ensemble.folds import split

ROWS, _ = pyfm.datasets.make_ctr(600, n_fields=4, n_features=40, random_state=0)
TRAIN, VALID = ROWS[:500], ROWS[500:]
MEMBERS: list[tuple[str, Any]] = [
    ("linear", pyfm.LinearClassifier(epochs=3)),
    ("fm", pyfm.FMClassifier(epochs=3)),
]
TREE = make_pipeline(FieldColumns(), DecisionTreeClassifier(max_depth=3))


def log_odds(p: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(np.log(p[:, 1] / p[:, 0]))


@pytest.mark.parametrize("predict_by", ["folds", "refit"])
def test_scores_of_an_explicit_loop(predict_by: str) -> None:
    cv = KFold(3, shuffle=True, random_state=5)
    stack = StackingClassifier(MEMBERS, cv=cv, predict_by=predict_by, random_state=7).fit(TRAIN)
    random = np.random.RandomState(7)
    oof, of_valid = np.zeros((500, 2)), np.zeros((100, 2))
    for m, (_, member) in enumerate(MEMBERS):
        for train, test in cv.split(np.zeros(500)):
            seed = random.randint(2**31 - 1)
            model = clone(member).set_params(random_state=seed)
            for_model = np.asarray(TRAIN.core.features).reshape(500, -1)[train]
            copied = pyfm.Dataset.from_ids(for_model, np.asarray(TRAIN.y)[train], n_features=40)
            model.fit(copied)
            oof[test, m] = model.decision_function(TRAIN[test])
            of_valid[:, m] += model.decision_function(VALID).astype(np.float64) / 3
    if predict_by == "refit":
        for m, (_, member) in enumerate(MEMBERS):
            model = clone(member).set_params(random_state=random.randint(2**31 - 1)).fit(TRAIN)
            of_valid[:, m] = model.decision_function(VALID)
    np.testing.assert_array_equal(stack.oof_score_, oof)
    np.testing.assert_allclose(stack.member_scores(VALID), of_valid, rtol=1e-12)
    final = LogisticRegression(C=1e4).fit(oof, TRAIN.y)
    expected = final.decision_function(of_valid)
    np.testing.assert_allclose(stack.decision_function(VALID), expected, rtol=1e-9)
    np.testing.assert_allclose(log_odds(stack.predict_proba(VALID)), expected, rtol=1e-6)
    assert stack.predict(VALID).tolist() == (expected > 0).astype(int).tolist()
    for m, (name, _) in enumerate(MEMBERS):
        own = log_loss(TRAIN.y, 1 / (1 + np.exp(-oof[:, m])))
        assert stack.oof_logloss_[name] == pytest.approx(own, rel=1e-6)


def test_random_labels_do_not_leak() -> None:
    """What a model says of rows that it learned tells their labels; out of fold it is chance."""
    ids = np.random.default_rng(0).integers(0, 300, (2000, 3)) + [0, 300, 600]
    y = np.random.default_rng(1).integers(0, 2, 2000)
    rows = pyfm.Dataset.from_ids(ids, y)
    members = [("linear", pyfm.LinearClassifier(epochs=20)), ("fm", pyfm.FMClassifier(epochs=20))]
    stack = StackingClassifier(members, cv=5, predict_by="refit", random_state=0).fit(rows)
    seen = stack.member_scores(rows)
    for m in range(2):
        assert roc_auc_score(y, seen[:, m]) > 0.7
        # 2000 rows: the standard deviation of a random AUC is 1 / sqrt(12 · 1000 / 2) = 0.013.
        assert abs(roc_auc_score(y, stack.oof_score_[:, m]) - 0.5) < 0.05


def test_the_same_bits_on_any_number_of_threads() -> None:
    members = [
        *MEMBERS,
        ("trees", make_pipeline(FieldColumns(), DecisionTreeClassifier(max_depth=3))),
    ]
    one = StackingClassifier(members, cv=3, random_state=1).fit(TRAIN)
    many = StackingClassifier(members, cv=3, random_state=1, n_jobs=3).fit(TRAIN)
    np.testing.assert_array_equal(one.oof_score_, many.oof_score_)
    np.testing.assert_array_equal(one.predict_proba(VALID), many.predict_proba(VALID))


def test_mean_and_other_final_estimators() -> None:
    mean = StackingClassifier(MEMBERS, final_estimator="mean", cv=3, random_state=0).fit(TRAIN)
    assert mean.final_estimator_ is None
    np.testing.assert_allclose(
        mean.decision_function(VALID), mean.member_scores(VALID).mean(axis=1)
    )
    forest = RandomForestClassifier(5, max_depth=2, random_state=0)
    stack = StackingClassifier(MEMBERS, final_estimator=forest, cv=3, random_state=0).fit(TRAIN)
    p = stack.final_estimator_.predict_proba(stack.member_scores(VALID))
    np.testing.assert_allclose(stack.predict_proba(VALID), p, atol=1e-12)


@pytest.mark.parametrize("cv", [TimeSeriesSplit(4), [(range(250), range(250, 500))]])
def test_folds_in_the_order_of_time(cv: Any) -> None:
    stack = StackingClassifier(MEMBERS, cv=cv, predict_by="refit", random_state=0).fit(TRAIN)
    known = ~np.isnan(stack.oof_score_[:, 0])
    assert not known[:100].any()
    assert known[250:].all()
    final = LogisticRegression(C=1e4).fit(stack.oof_score_[known], np.asarray(TRAIN.y)[known])
    np.testing.assert_allclose(stack.final_estimator_.coef_, final.coef_)


def test_groups_stay_together() -> None:
    groups = np.arange(500) % 10
    folds = split(GroupKFold(5), 500, np.asarray(TRAIN.y), groups, classifier=True)
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
    stack = StackingClassifier(MEMBERS, cv=GroupKFold(5), random_state=0)
    assert not np.isnan(stack.fit(TRAIN, groups=groups).oof_score_).any()
    with pytest.raises(ValueError, match="groups"):
        clone(stack).fit(TRAIN)


def test_sample_weights() -> None:
    weight = np.random.default_rng(0).integers(0, 3, 500).astype(np.float32)
    cv = StratifiedKFold(3)
    stack = StackingClassifier(MEMBERS, cv=cv, random_state=0).fit(TRAIN, sample_weight=weight)
    final = LogisticRegression(C=1e4).fit(stack.oof_score_, TRAIN.y, sample_weight=weight)
    np.testing.assert_allclose(stack.final_estimator_.coef_, final.coef_)
    within = TRAIN.with_targets(TRAIN.y, weight)
    again = StackingClassifier(MEMBERS, cv=cv, random_state=0).fit(within)
    np.testing.assert_array_equal(again.oof_score_, stack.oof_score_)
    assert again.oof_logloss_ == stack.oof_logloss_


@pytest.mark.parametrize("kind", ["ids", "table"])
def test_arrays_and_tables_with_labels_of_any_kind(kind: str) -> None:
    ids = ROWS.core.features.reshape(600, -1).astype(np.int64)
    X: Any = ids if kind == "ids" else {name: ids[:, i] for i, name in enumerate("abcd")}
    y = np.where(np.asarray(ROWS.y) > 0, "yes", "no")
    members = [
        *MEMBERS,
        ("trees", make_pipeline(FieldColumns(), DecisionTreeClassifier(max_depth=3))),
    ]
    stack = StackingClassifier(members, cv=3, random_state=0).fit(X, y)
    assert stack.classes_.tolist() == ["no", "yes"]
    assert stack.score(X, y) == np.mean(stack.predict(X) == y)
    assert stack.score(X, y) > max(np.mean(y == "no"), np.mean(y == "yes"))


def test_contributions() -> None:
    stack = StackingClassifier(MEMBERS, cv=3, random_state=0).fit(TRAIN)
    linear, fm = contributions(stack, VALID)
    scores, y = stack.member_scores(VALID), np.asarray(VALID.y)

    def loss(columns: list[int]) -> float:
        final = LogisticRegression(C=1e4).fit(stack.oof_score_[:, columns], TRAIN.y)
        return float(log_loss(y, final.predict_proba(scores[:, columns])[:, 1]))

    assert (linear.name, fm.name) == ("linear", "fm")
    assert fm.alone == pytest.approx(log_loss(y, 1 / (1 + np.exp(-scores[:, 1]))), rel=1e-6)
    assert linear.so_far == pytest.approx(loss([0]), rel=1e-6)
    assert fm.so_far == pytest.approx(loss([0, 1]), rel=1e-6)
    assert linear.without == pytest.approx(loss([1]), rel=1e-6)
    assert fm.without == pytest.approx(loss([0]), rel=1e-6)
    single = StackingClassifier(MEMBERS[:1], cv=3, random_state=0).fit(TRAIN)
    assert np.isnan(contributions(single, VALID)[0].without)
    with pytest.raises(ValueError, match="stack: expected a StackingClassifier"):
        contributions(pyfm.FMClassifier(), VALID)
    with pytest.raises(ValueError, match="y: expected labels"):
        contributions(stack, VALID.with_targets(None))


def test_default_members() -> None:
    pytest.importorskip("lightgbm", reason="the extra gbdt, which `test` installs")
    members = default_members()
    assert [name for name, _ in members] == ["linear", "fm", "ffm", "deepfm", "lightgbm"]
    stack = StackingClassifier(members, cv=2, random_state=0).fit(TRAIN)
    assert [added.name for added in contributions(stack, VALID)] == [name for name, _ in members]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": []}, "estimators: expected a list of pairs"),
        ({"estimators": [pyfm.FMClassifier()]}, "estimators: expected a list of pairs"),
        ({"estimators": [("a", pyfm.FMRegressor())]}, "estimators: a: expected a classifier"),
        ({"estimators": [("a", pyfm.FMClassifier)]}, "estimators: a: expected a classifier"),
        ({"estimators": MEMBERS + MEMBERS}, "estimators: expected different names"),
        ({"estimators": [("mean", pyfm.FMClassifier())]}, "names other than 'mean'"),
        ({"final_estimator": "median"}, "final_estimator: expected a classifier, None or 'mean'"),
        ({"predict_by": "luck"}, "predict_by: expected one of 'folds', 'refit'"),
        ({"cv": 1}, "cv: expected at least 2 folds, found 1"),
        ({"cv": None}, "cv: expected a number of folds"),
        ({"cv": True}, "cv: expected a number of folds"),
        ({"cv": []}, "cv: expected at least one fold, found 'none'"),
        ({"cv": ShuffleSplit(3, random_state=0)}, "cv: expected folds each row of which"),
        ({"cv": [(range(400), range(300, 500))]}, "folds that do not predict what they learned"),
        ({"cv": [(range(400), range(400, 501))]}, r"cv: expected rows in \[0, 500\)"),
        ({"cv": [([], range(500))]}, "rows to learn and rows to predict"),
        ({"cv": [([0.5], [1])]}, "cv: expected row numbers or masks"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"random_state": "seed"}, "random_state"),
    ],
)
def test_refusals(params: dict[str, Any], message: str) -> None:
    stack = StackingClassifier(**({"estimators": MEMBERS} | params))
    with pytest.raises(ValueError, match=message):
        stack.fit(TRAIN)
    assert not hasattr(stack, "named_estimators_")


def test_refusals_of_rows() -> None:
    stack = StackingClassifier(MEMBERS, cv=2)
    with pytest.raises(ValueError, match="y: expected two classes"):
        stack.fit(TRAIN.with_targets(None), np.zeros(500))
    parted = [tuple(np.flatnonzero(np.asarray(TRAIN.y) == label) for label in (1, 0))]
    with pytest.raises(ValueError, match="cv: expected rows of both labels"):
        StackingClassifier(MEMBERS, cv=parted).fit(TRAIN)
    with pytest.raises(ValueError, match="rows in memory"):
        stack.fit(pyfm.Dataset.stream(__file__, format="libffm"))


def expected_failures(_: Any) -> dict[str, str]:
    reason = "folds are of rows: a row of weight 2 is in one fold, two rows may be in two"
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [StackingClassifier([("linear", pyfm.LinearClassifier())], cv=2)],
    expected_failed_checks=expected_failures,
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("as_table", [False, True])
def test_stacking_of_scikit_learn(as_table: bool) -> None:
    ids = ROWS.core.features.reshape(600, -1).astype(np.int64)
    X: Any = ids
    if as_table:
        X = pd.DataFrame(ids, columns=list("abcd"))
    stack = sklearn.ensemble.StackingClassifier(MEMBERS, cv=3)
    p = stack.fit(X, np.asarray(ROWS.y)).predict_proba(X)
    assert roc_auc_score(ROWS.y, p[:, 1]) > 0.6
