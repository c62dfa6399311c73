"""scikit-learn's estimators of estimators, on arrays, tables and data sets."""

from __future__ import annotations

from typing import Any

import joblib
import kinds
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

import pyfm

N_ROWS = 240
MODEL = pyfm.FMClassifier(epochs=15, init_scale=1, learning_rate=0.2, random_state=0)
LINEAR = pyfm.LinearClassifier(epochs=5, random_state=0)
MEMBERS = [("fm", MODEL), ("linear", LINEAR)]


def data() -> dict[str, tuple[Any, Any]]:
    """Rows of two fields, with a click where they agree, in each form."""
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 3, (N_ROWS, 2))
    y = (pairs[:, 0] == pairs[:, 1]).astype(int)
    ids = pairs + [0, 3]
    site, ad = np.array(list("abc"))[pairs[:, 0]], np.array(list("xyz"))[pairs[:, 1]]
    return {
        "ids": (ids, y),
        "table": (pd.DataFrame({"site": site, "ad": ad}), y),
        "Dataset": (pyfm.Dataset.from_ids(ids, y), y),
        "names": (pyfm.Dataset.from_ids(ids), np.array(["no", "yes"])[y]),
    }  # fmt: skip


DATA = data()
META: dict[str, Any] = {
    "calibrated": CalibratedClassifierCV(MODEL, cv=3),
    "calibrated, one model": CalibratedClassifierCV(MODEL, ensemble=False, method="isotonic", cv=3),
    "stacked": StackingClassifier(MEMBERS, cv=3),
    "voting": VotingClassifier(MEMBERS, voting="soft", weights=[3, 1]),
    "one against the rest": OneVsRestClassifier(MODEL),
    "pipeline": make_pipeline(FunctionTransformer(), MODEL),
    "search": GridSearchCV(MODEL, {"n_factors": [2, 4]}, cv=3, scoring="neg_log_loss"),
}
each_form = pytest.mark.parametrize("form", DATA)


@each_form
@pytest.mark.parametrize("meta", META.values(), ids=META)
def test_they_learn(form: str, meta: Any) -> None:
    X, y = DATA[form]
    fitted = clone(meta).fit(X, y)
    assert fitted.classes_.tolist() == np.unique(y).tolist()
    assert log_loss(y, fitted.predict_proba(X)) < 0.3  # a constant reaches 0.64
    assert (fitted.predict(X) == y).mean() > 0.95


@each_form
def test_votes_are_means(form: str) -> None:
    X, y = DATA[form]
    votes = VotingClassifier(MEMBERS, voting="soft").fit(X, y).predict_proba(X)
    codes = np.unique(y, return_inverse=True)[1]
    apart = [clone(model).fit(X, codes).predict_proba(X) for _, model in MEMBERS]
    np.testing.assert_array_equal(votes, np.average(apart, axis=0))
    if form == "Dataset":
        models = [pyfm.FMRegressor(random_state=0), pyfm.LinearRegressor(random_state=0)]
        mean = VotingRegressor([(type(m).__name__, m) for m in models]).fit(X, y).predict(X)
        apart = [m.fit(X).predict(X) for m in models]
        np.testing.assert_array_equal(mean, np.average(apart, axis=0))


@each_form
def test_three_classes_one_against_the_rest(form: str) -> None:
    X, _ = DATA[form]
    y = DATA["ids"][0][:, 0]  # the first field itself
    found = OneVsRestClassifier(MODEL).fit(X, y).predict_proba(X)
    apart = np.column_stack(
        [clone(MODEL).fit(X, (y == c).astype(int)).predict_proba(X)[:, 1] for c in range(3)]
    )
    np.testing.assert_allclose(found, apart / apart.sum(axis=1, keepdims=True), rtol=1e-12)
    assert (found.argmax(axis=1) == y).all()


@each_form
def test_stacks_are_made_of_predictions_out_of_fold(form: str) -> None:
    X, y = DATA[form]
    stack = StackingClassifier(MEMBERS, cv=3).fit(X, y)
    codes = np.unique(y, return_inverse=True)[1]
    columns = [
        cross_val_predict(model, X, codes, cv=3, method="predict_proba")[:, 1]
        for _, model in MEMBERS
    ]
    again = clone(stack.final_estimator_).fit(np.column_stack(columns), codes)
    np.testing.assert_allclose(stack.final_estimator_.coef_, again.coef_, rtol=1e-12)


def test_bags() -> None:
    X, y = DATA["ids"]
    bag = BaggingClassifier(MODEL, n_estimators=4, random_state=0).fit(X, y)
    apart = [model.predict_proba(X) for model in bag.estimators_]
    np.testing.assert_allclose(bag.predict_proba(X), np.mean(apart, axis=0), rtol=1e-12)
    assert (bag.predict(X) == y).all()
    assert not np.array_equal(apart[0], apart[1])
    with pytest.raises(TypeError, match=r"found a pyfm\.Dataset: estimators of other libraries"):
        BaggingClassifier(MODEL).fit(DATA["Dataset"][0], y)


def test_a_threshold_for_decisions() -> None:
    X, y = DATA["Dataset"]
    tuned = TunedThresholdClassifierCV(LINEAR, cv=3, scoring="recall").fit(X, y)
    likely = tuned.estimator_.predict_proba(X)[:, 1] >= tuned.best_threshold_
    assert (tuned.predict(X) == likely).all()


def test_an_encoder_and_a_model_in_folds_and_searches() -> None:
    X, y = DATA["table"]
    model = make_pipeline(pyfm.FieldEncoder(), MODEL)
    assert cross_val_score(model, X, y, cv=3, scoring="roc_auc").min() > 0.95
    grid: dict[str, list[Any]] = {
        "fieldencoder__columns": [{"site": "categorical"}, {"site": "hashed", "ad": "categorical"}],
        "fmclassifier__n_factors": [4],
    }
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_params_["fieldencoder__columns"] == grid["fieldencoder__columns"][1]
    assert search.feature_names_in_.tolist() == ["site", "ad"]
    assert search.best_estimator_.feature_names_in_.tolist() == ["site", "ad"]


def test_transformers_whose_output_are_tables() -> None:
    """A model sees a table behind them, and a matrix without."""
    X, y = DATA["table"]
    columns = ColumnTransformer([("codes", OrdinalEncoder(dtype=int), ["site", "ad"])],
                                verbose_feature_names_out=False)  # fmt: skip
    for form in ("pandas", "polars"):
        model = make_pipeline(clone(columns), MODEL).set_output(transform=form).fit(X, y)
        assert model[-1].feature_names_in_.tolist() == ["site", "ad"]
        assert model[-1].n_fields_ == 2
        assert (model.predict(X) == y).mean() > 0.95
    plain = make_pipeline(columns, MODEL).fit(X, y)
    assert not hasattr(plain[-1], "feature_names_in_")


def test_the_output_of_an_encoder_is_a_dataset() -> None:
    X, y = DATA["table"]
    with sklearn.config_context(transform_output="pandas"):
        model = make_pipeline(SimpleImputer(strategy="most_frequent"), pyfm.FieldEncoder(), MODEL)
        model.fit(X, y)
    assert model[1].feature_names_in_.tolist() == ["site", "ad"]
    assert isinstance(model[1].transform(X), pyfm.Dataset)
    assert not hasattr(pyfm.FieldEncoder(), "set_output")
    with pytest.raises(ValueError, match="Unable to configure output for FieldEncoder"):
        model.set_output(transform="pandas")
    by_step = SimpleImputer(strategy="most_frequent").set_output(transform="pandas")
    again = make_pipeline(by_step, pyfm.FieldEncoder(), MODEL).fit(X, y)
    assert (again.predict(X) == y).mean() > 0.95


@pytest.mark.parametrize("kind", kinds.ESTIMATORS)
def test_notebooks_copy_no_weights(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = kinds.small(kind, epochs=2, random_state=0)
    name = kind.__name__
    assert name in model._repr_html_()
    model.fit(*DATA["ids"])

    def refused(*_: Any) -> None:
        raise AssertionError("weights were copied")

    monkeypatch.setattr(pyfm.estimators.base.Estimator, "_weights", refused)
    with pytest.raises(AssertionError, match="copied"):
        _ = model.coef_
    for shown in (model, Pipeline([("model", model)]), GridSearchCV(model, {"epochs": [1]})):
        html = shown._repr_html_()
        assert name in html
        assert "epochs" in html
    html = model._repr_html_()
    assert "fitted" in html
    if hasattr(sklearn.base.BaseEstimator, "_get_fitted_attr_html"):  # from version 1.9 on
        assert "n_features_in_" in html
        assert ("intercept_" in html) == hasattr(model, "intercept_")
        assert "progressive" not in html


def test_fitted_models_predict_in_workers() -> None:
    X, y = DATA["table"]
    for model in (MODEL, make_pipeline(pyfm.FieldEncoder(), MODEL)):
        expected = model.fit(X, y).predict_proba(X)
        for backend in ("loky", "threading"):
            with joblib.parallel_config(backend, n_jobs=2):
                found = joblib.Parallel()(joblib.delayed(model.predict_proba)(X) for _ in range(3))
            assert all(np.array_equal(one, expected) for one in found)
