"""Bagging beside an explicit loop; its samples, its out-of-bag scores, its threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import pyfm
from pyfm.ensemble import BaggingClassifier, BaggingRegressor, average_probabilities
from pyfm.ensemble.sampling import draw, left_out

ROWS, _ = pyfm.datasets.make_ctr(600, n_fields=4, n_features=40, random_state=0)
FM = pyfm.FMClassifier(epochs=2)


def by_hand(bag: Any) -> list[tuple[Any, np.ndarray[Any, Any]]]:
    """Members fitted one by one to copies of their rows, and the rows of each."""
    random = np.random.RandomState(bag.random_state)
    made = []
    for _ in range(bag.n_estimators):
        sample_seed, model_seed = random.randint(2**31 - 1, size=2).tolist()
        rng = np.random.default_rng(sample_seed)
        rows = np.sort(rng.integers(0, len(ROWS), len(ROWS)))
        copied = pyfm.Dataset.from_ids(
            ROWS.core.features.reshape(len(ROWS), -1)[rows],
            y=np.asarray(ROWS.y)[rows],
            n_features=40,
        )
        made.append((clone(bag.estimator).set_params(random_state=model_seed).fit(copied), rows))
    return made


@pytest.mark.parametrize("average", ["probability", "logit"])
def test_mean_and_out_of_bag_of_an_explicit_loop(average: str) -> None:
    bag = BaggingClassifier(FM, n_estimators=4, average=average, oob_score=True, random_state=3)
    bag.fit(ROWS)
    members = by_hand(bag)
    each = [member.predict_proba(ROWS) for member, _ in members]
    expected = np.mean(each, axis=0)
    if average == "logit":
        odds = np.mean([np.log(p[:, 1] / p[:, 0]) for p in each], axis=0)
        expected = np.column_stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))])
    np.testing.assert_allclose(bag.predict_proba(ROWS), expected, rtol=1e-12)
    outside = np.array([[i not in set(rows.tolist()) for _, rows in members] for i in range(600)])
    assert (np.isnan(bag.oob_prediction_[:, 1]) == ~outside.any(axis=1)).all()
    known = np.flatnonzero(outside.any(axis=1))
    for i in known[:50]:
        p = np.array([each[m][i, 1] for m in range(4) if outside[i, m]])
        mean = p.mean() if average == "probability" else None
        if mean is None:
            mean = 1 / (1 + np.exp(-np.log(p / (1 - p)).mean()))
        assert bag.oob_prediction_[i, 1] == pytest.approx(mean, rel=1e-12)
    y, found = np.asarray(ROWS.y)[known], bag.oob_prediction_[known]
    assert bag.oob_score_ == accuracy_score(y, found.argmax(axis=1))
    assert bag.oob_logloss_ == pytest.approx(log_loss(y, found[:, 1]), rel=1e-9)


def test_regressor_out_of_bag() -> None:
    rng = np.random.default_rng(0)
    y = np.asarray(ROWS.core.features.reshape(600, -1)[:, 0] % 3 + rng.normal(0, 0.1, 600))
    linear = pyfm.LinearRegressor(epochs=5)
    bag = BaggingRegressor(linear, n_estimators=5, oob_score=True, random_state=0)
    bag.fit(ROWS.with_targets(None), y)
    known = ~np.isnan(bag.oob_prediction_)
    assert bag.oob_score_ == pytest.approx(r2_score(y[known], bag.oob_prediction_[known]), rel=1e-6)
    error = np.sqrt(np.mean((y[known] - bag.oob_prediction_[known]) ** 2))
    assert bag.oob_rmse_ == pytest.approx(error, rel=1e-5)
    expected = np.mean([member.predict(ROWS) for member in bag.estimators_], axis=0)
    np.testing.assert_array_equal(bag.predict(ROWS), expected)
    assert bag.score(ROWS, y) == r2_score(y, expected)


def test_the_same_bits_on_any_number_of_threads() -> None:
    one = BaggingClassifier(pyfm.FFMClassifier(epochs=2), n_estimators=5, random_state=1)
    many = clone(one).set_params(n_jobs=3)
    other = clone(one).set_params(random_state=2)
    p = one.fit(ROWS).predict_proba(ROWS)
    np.testing.assert_array_equal(many.fit(ROWS).predict_proba(ROWS), p)
    assert (other.fit(ROWS).predict_proba(ROWS) != p).any()


def test_members_share_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    fit = pyfm.FMClassifier.fit

    def spy(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        given.append(X)
        return fit(self, X, *args, **kwargs)

    monkeypatch.setattr(pyfm.FMClassifier, "fit", spy)
    BaggingClassifier(FM, n_estimators=3, random_state=0).fit(ROWS)
    assert len(given) == 3
    assert all(rows.core.is_selection for rows in given)  # entries are not copied


@pytest.mark.parametrize("kind", ["ids", "numbers", "table", "strings"])
def test_members_read_what_the_ensemble_reads(kind: str) -> None:
    ids = ROWS.core.features.reshape(600, -1).astype(np.int64)
    y: Any = np.where(np.asarray(ROWS.y) > 0, "yes", "no")
    X: Any = {
        "ids": ids,
        "strings": ids,
        "numbers": ids / 40,
        "table": {"a": ids[:, 0], "b": ids[:, 1]},
    }[kind]
    bag = BaggingClassifier(FM, n_estimators=2, random_state=0).fit(X, y)
    assert bag.classes_.tolist() == ["no", "yes"]
    assert set(bag.predict(X)) <= {"no", "yes"}
    expected = np.mean([member.predict_proba(X) for member in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict_proba(X), expected, rtol=1e-12)
    assert bag.score(X, y) == accuracy_score(y, bag.predict(X))
    assert bag.n_features_in_ == bag.estimators_[0].n_features_in_


def test_samples() -> None:
    y = np.zeros(100, np.float32)
    y[7] = 1
    for seed in range(20):
        rows = draw(100, 100, y, bootstrap=True, seed=seed)
        assert y[rows].any()
        assert (np.diff(rows) >= 0).all()
        assert set(left_out(100, rows)) | set(rows) == set(range(100))
        assert not set(left_out(100, rows)) & set(rows)
    without = draw(100, 60, None, bootstrap=False, seed=0)
    assert len(set(without)) == 60
    with pytest.raises(ValueError, match=r"max_samples: expected samples in which each of the 2"):
        draw(100, 1, y, bootstrap=True, seed=0)


def test_weights_reach_the_members() -> None:
    weight = np.where(np.arange(600) < 300, 1.0, 0.0)
    fm = pyfm.FMClassifier(epochs=1)
    bag = BaggingClassifier(fm, n_estimators=3, random_state=0).fit(ROWS, sample_weight=weight)
    plain = BaggingClassifier(fm, n_estimators=3, random_state=0).fit(ROWS)
    assert (bag.predict_proba(ROWS) != plain.predict_proba(ROWS)).any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_estimators": 0}, r"n_estimators: expected an integer in \[1, 10000\], found 0"),
        ({"max_samples": 0}, "max_samples: expected an integer >= 1, found 0"),
        ({"max_samples": 601}, r"max_samples: expected an integer in \[1, 600\], found 601"),
        ({"max_samples": 1.5}, "max_samples: expected a number between 0 and 1"),
        ({"max_samples": True}, "max_samples"),
        ({"bootstrap": "yes"}, "bootstrap: expected True or False"),
        ({"average": "median"}, "average: expected one of 'probability', 'logit'"),
        ({"oob_score": 1}, "oob_score: expected True or False"),
        ({"oob_score": True, "bootstrap": False}, "oob_score: expected False, since every member"),
        ({"n_jobs": 0}, "n_jobs: expected a number of threads"),
        ({"random_state": -1}, "random_state"),
        ({"estimator": pyfm.FMClassifier}, "estimator: expected a classifier of pyfm"),
        ({"estimator": pyfm.FMRegressor()}, r"estimator: expected a classifier of pyfm.*sklearn"),
        ({"estimator": pyfm.FMClassifier(warm_start=True)}, "warm_start=False"),
        ({"estimator": pyfm.FMClassifier(epochs=0)}, "epochs: expected an integer >= 1"),
    ],
)
def test_refusals(params: dict[str, Any], message: str) -> None:
    bag = BaggingClassifier(FM, n_estimators=2).set_params(**params)
    with pytest.raises(ValueError, match=message):
        bag.fit(ROWS)
    assert not hasattr(bag, "estimators_")


def test_out_of_bag_needs_a_row_that_was_left_out() -> None:
    bag = BaggingClassifier(FM, n_estimators=1, oob_score=True, max_samples=500, random_state=0)
    sample_seed = np.random.RandomState(0).randint(2**31 - 1, size=2)[0]
    outside = left_out(600, draw(600, 500, ROWS.y, bootstrap=True, seed=int(sample_seed)))
    weight = np.ones(600)
    weight[outside] = 0
    with pytest.raises(ValueError, match="oob_score: expected rows with a weight"):
        bag.fit(ROWS, sample_weight=weight)
    assert not [name for name in vars(bag) if name.endswith("_")]
    bag.fit(ROWS).set_params(oob_score=False).fit(ROWS)
    assert not hasattr(bag, "oob_score_")  # which was that of the first fit
    with pytest.raises(ValueError, match="rows in memory"):
        bag.fit(pyfm.Dataset.stream(__file__, format="libffm"))


def test_a_failing_member_ends_the_others() -> None:
    diverges = pyfm.FMClassifier(learning_rate=1e30, optimizer="sgd", epochs=50)
    bag = BaggingClassifier(diverges, n_estimators=6, n_jobs=2, random_state=0)
    with pytest.raises(ValueError, match="learning_rate"):
        bag.fit(ROWS)
    assert not hasattr(bag, "estimators_")


def expected_failures(bag: Any) -> dict[str, str]:
    sampled = "the rows are drawn: a row of weight 2 and two rows are not the same sample"
    of_tables = "a DataFrame has columns of its own kinds, and is not the matrix of its numbers"
    kind = "regressor" if isinstance(bag, BaggingRegressor) else "classifier"
    return {
        "check_sample_weight_equivalence_on_dense_data": sampled,
        "check_sample_weight_equivalence_on_sparse_data": sampled,
        f"check_{kind}_data_not_an_array": of_tables,
    }


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        BaggingClassifier(pyfm.LinearClassifier(), n_estimators=3),
        BaggingRegressor(pyfm.LinearRegressor(), n_estimators=3),
    ],
    expected_failed_checks=expected_failures,
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("as_table", [False, True])
def test_bagging_of_scikit_learn(as_table: bool) -> None:
    ids = ROWS.core.features.reshape(600, -1).astype(np.int64)
    X: Any = ids
    if as_table:
        X = pd.DataFrame(ids, columns=list("abcd"))
    model = pyfm.FFMClassifier(epochs=2)
    bag = sklearn.ensemble.BaggingClassifier(model, n_estimators=3, random_state=0)
    p = bag.fit(X, np.asarray(ROWS.y)).predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert roc_auc_score(ROWS.y, p[:, 1]) > 0.6


def test_average_probabilities() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.uniform(0.01, 0.99, (2, 50))
    odds = 0.75 * np.log(p / (1 - p)) + 0.25 * np.log(q / (1 - q))
    found = average_probabilities([p, q], weights=[3, 1])
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-odds)), rtol=1e-12)
    columns = [np.column_stack([1 - of, of]) for of in (p, q)]
    found = average_probabilities(columns, weights=[3, 1])
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-odds)), rtol=1e-12)
    found = average_probabilities([p, q], average="probability")
    np.testing.assert_allclose(found, (p + q) / 2, rtol=1e-15)
    assert average_probabilities([[0.0, 1.0], [1.0, 1.0]]).round(6).tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("probabilities", "params", "message"),
    [
        ([], {}, "at least one model"),
        ([[0.5], [0.5, 0.5]], {}, r"probabilities\[1\]: expected 1-D or 2-D, shape \(1,\)"),
        ([0.5], {}, r"probabilities\[0\]: expected 1-D or 2-D"),
        ([[1.5]], {}, r"probabilities\[0\]: expected numbers in \[0, 1\]"),
        ([[float("nan")]], {}, r"probabilities\[0\]: expected numbers in \[0, 1\]"),
        ([[0.5]], {"weights": [1, 2]}, r"weights: expected shape \(1,\)"),
        ([[0.5]], {"weights": [0.0]}, "weights: expected finite numbers >= 0, not all 0"),
        ([[0.5]], {"weights": [-1.0]}, "weights: expected finite numbers >= 0, not all 0"),
        ([[0.5]], {"average": "mode"}, "average: expected one of"),
    ],
)
def test_refusals_of_average_probabilities(
    probabilities: Any, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        average_probabilities(probabilities, **params)
