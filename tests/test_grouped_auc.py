"""Grouped AUC: the mean of the groups' AUCs, weighted by impressions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import reference_metrics
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from pyfm.metrics import auc, gauc

# (label, prediction with many ties, group, weight), some group with weight in both classes.
row = st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from("abcd"), st.integers(0, 3))


def has_both(rows: list[tuple[int, int, str, int]]) -> bool:
    met = {(group, label) for label, _, group, weight in rows if weight}
    return any({(group, 0), (group, 1)} <= met for group in "abcd")


@given(rows=st.lists(row, min_size=2, max_size=60).filter(has_both))
def test_equal_to_the_oracle(rows: list[tuple[int, int, str, int]]) -> None:
    y, p, groups, weight = zip(*rows, strict=True)
    expected = reference_metrics.gauc(
        np.array(y, float), np.array(p, float), groups, np.array(weight, float)
    )
    assert gauc(y, p, groups, sample_weight=weight) == pytest.approx(expected, rel=1e-13)


def test_the_mean_of_scikit_learns_aucs() -> None:
    rng = np.random.default_rng(0)
    y, p, users = rng.integers(0, 2, 5000), rng.random(5000), rng.integers(0, 40, 5000)
    theirs = [sklearn.metrics.roc_auc_score(y[users == u], p[users == u]) for u in range(40)]
    expected = np.average(theirs, weights=np.bincount(users))
    assert gauc(y, p, users) == pytest.approx(expected, rel=1e-13)


def test_one_group_is_auc() -> None:
    y, p, weight = [0, 1, 1, 0, 1], [0.3, 0.2, 0.9, 0.9, 0.4], [1.0, 2.5, 3.0, 0.5, 0.1]
    assert gauc(y, p, [7] * 5, sample_weight=weight) == pytest.approx(
        auc(y, p, sample_weight=weight),
        rel=1e-6,  # which rounds weights to float32
    )


def test_what_all_rows_of_a_group_share_does_not_count() -> None:
    """Users who click much have higher predictions; within each, the order is wrong."""
    y = [0, 1, 1, 1, 0, 0, 0, 1]
    p = [0.9, 0.8, 0.8, 0.8, 0.3, 0.2, 0.2, 0.1]
    users = [1, 1, 1, 1, 2, 2, 2, 2]
    assert auc(y, p) > 0.5
    assert gauc(y, p, users) == 0


def test_groups_of_one_class_are_left_out() -> None:
    y, p, groups = [0, 1, 1, 1, 0], [0.1, 0.9, 0.2, 0.3, 0.8], ["a", "a", "b", "b", "c"]
    assert gauc(y, p, groups) == 1
    # A group whose only negative row has no weight is of one class, too.
    assert gauc([*y, 0], [*p, 0.9], [*groups, "b"], sample_weight=[1, 1, 1, 1, 1, 0]) == 1


@pytest.mark.parametrize(
    "groups",
    [
        np.array([3, 1, 3, 1]),
        np.array([3, 1, 3, 1], np.uint8),
        ["u3", "u1", "u3", "u1"],
        np.array(["u3", "u1", "u3", "u1"], object),
        np.array([0.5, -1, 0.5, -1]),
        np.array(["2026-01-02", "2026-01-01"] * 2, "datetime64[D]"),
        [True, False, True, False],
    ],
    ids=str,
)
def test_groups_of_any_type(groups: Any) -> None:
    assert gauc([0, 1, 1, 0], [-5, 3, 7, 100], groups) == 0.5


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1], "groups: expected 2 entries, as many as y_true, found 1"),
        ([[1], [1]], "groups: expected one dimension"),
        (1, "groups: expected one dimension"),
        ([1.0, math.nan], r"groups\[1\]: expected a group, found .*nan"),
        (np.array(["2026-01-01", "NaT"], "datetime64[D]"), r"groups\[1\]: expected a group"),
        (np.array([1, "a"], object), "groups: expected values of one type"),
        ([1, 2], "y_true: expected a group with rows of both classes"),
    ],
)
def test_wrong_groups(groups: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gauc([0, 1], [0.1, 0.2], groups)


def test_what_other_metrics_refuse() -> None:
    with pytest.raises(ValueError, match=r"y_true\[1\]: expected numbers 0 or 1"):
        gauc([0, 2], [0.1, 0.2], [1, 1])
    with pytest.raises(ValueError, match="y_pred: expected 2 entries"):
        gauc([0, 1], [0.1], [1, 1])
    with pytest.raises(ValueError, match="at least one weight > 0"):
        gauc([0, 1], [0.1, 0.2], [1, 1], sample_weight=[0, 0])
