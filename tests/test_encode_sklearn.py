"""`FieldEncoder` at home in scikit-learn: clone, set_params, pipelines, pickle."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from encoding import buffers
from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_estimator_cloneable,
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_set_params,
)

import pyfm
from pyfm.encode import Buckets, Hashed

TABLE = {"site": ["a", "b", "a"], "price": [0.5, None, 2.0]}


@pytest.mark.parametrize(
    "check",
    [
        check_estimator_cloneable, check_estimator_repr, check_get_params_invariance,
        check_no_attributes_set_in_init, check_set_params,
    ],
    ids=lambda check: check.__name__,
)  # fmt: skip
def test_checks_of_scikit_learn(check: Any) -> None:
    check("FieldEncoder", pyfm.FieldEncoder())


def test_clone_keeps_parameters_and_drops_the_fit() -> None:
    fitted = pyfm.FieldEncoder({"site": Hashed(4), "price": "real"}, target="y")
    fitted.fit(TABLE | {"y": [0, 1, 0]})
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "n_features_")
    copy.set_params(columns={"price": Buckets("log2")}, crosses=())
    assert copy.fit(TABLE | {"y": [0, 1, 0]}).field_names_ == ("price",)
    assert fitted.field_names_ == ("site", "price")


def test_pickle() -> None:
    fitted = pyfm.FieldEncoder(crosses=[("site", "price")]).fit(TABLE)
    copy = pickle.loads(pickle.dumps(fitted))
    assert buffers(copy.transform(TABLE)) == buffers(fitted.transform(TABLE))
    assert copy.lookup(2) == fitted.lookup(2)
    data = pickle.loads(pickle.dumps(fitted.transform(TABLE)))
    assert data.encoder.lookup(2) == fitted.lookup(2)


def test_transform_of_the_fit_is_fit_transform() -> None:
    y = np.array([0, 1, 0])
    one, two = pyfm.FieldEncoder(), pyfm.FieldEncoder()
    assert buffers(one.fit_transform(TABLE, y)) == buffers(two.fit(TABLE, y).transform(TABLE))


def test_names_of_columns() -> None:
    fitted = pyfm.FieldEncoder().fit(TABLE)
    assert fitted.feature_names_in_.tolist() == ["site", "price"]
    names = fitted.get_feature_names_out(["site", "price"])
    assert names.dtype == object
    assert len(names) == fitted.n_features_
