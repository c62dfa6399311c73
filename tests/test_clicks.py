"""Rows that stand for (clicks, impressions): the likelihood of every impression as its own row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import entries_of

import pyfm
from pyfm import Dataset, metrics
from pyfm.datasets import CriteoEncoder

IDS = np.array([[0, 2], [1, 2], [0, 3], [1, 3]])

# (clicks, further impressions) of a row.
counts = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8)


def expanded(clicks: Any, impressions: Any) -> tuple[Any, Any]:
    """The row of every impression, and its label."""
    rows = np.repeat(np.arange(len(clicks)), impressions)
    labels = [[1] * c + [0] * (n - c) for c, n in zip(clicks, impressions, strict=True)]
    return rows, np.array([label for some in labels for label in some], float)


@given(counts=counts.filter(lambda some: any(c or n for c, n in some)))
def test_loss_and_gradient_are_those_of_the_impressions(counts: list[tuple[int, int]]) -> None:
    clicks = np.array([c for c, _ in counts])
    impressions = clicks + [n for _, n in counts]
    ids = np.arange(len(counts))[:, None]
    data = Dataset.from_ids(ids).with_clicks(clicks, impressions)
    assert data.y is not None
    assert data.sample_weight is not None
    assert (data.sample_weight > 0).all()
    score = np.random.default_rng(0).normal(size=len(counts))
    row, all_rows, labels = data.core.features, *expanded(clicks, impressions)

    def loss(s: Any, y: Any) -> Any:
        return np.logaddexp(0, s) - y * s

    total = (data.sample_weight * loss(score[row], data.y)).sum()
    assert total == pytest.approx(loss(score[all_rows], labels).sum(), rel=1e-12)

    p = 1 / (1 + np.exp(-score))
    slope = np.bincount(row, data.sample_weight * (p[row] - data.y), len(counts))
    np.testing.assert_allclose(slope, impressions * p - clicks, rtol=1e-12, atol=1e-12)


def test_weighted_metrics_are_those_of_the_impressions() -> None:
    rng = np.random.default_rng(0)
    impressions = rng.integers(1, 20, 30)
    clicks = rng.integers(0, impressions)
    p = rng.random(30)
    data = Dataset.from_ids(np.arange(30)[:, None]).with_clicks(clicks, impressions)
    assert data.y is not None
    rows, labels = expanded(clicks, impressions)
    for metric in (metrics.logloss, metrics.auc, metrics.normalized_entropy, metrics.brier):
        found = metric(data.y, p[data.core.features], sample_weight=data.sample_weight)
        assert found == pytest.approx(metric(labels, p[rows]), rel=1e-12)


def test_rows_come_in_order_with_their_entries() -> None:
    plain = Dataset.from_arrays([0, 1, 1, 3], [5, 6, 7], fields=[0, 1, 1], values=[1, 2, 3])
    for data in (plain, Dataset.from_ids(IDS[:3], [7, 8, 9], sample_weight=[1, 2, 3])):
        split = data.with_clicks([1, 0, 2.5], [4, 3, 2.5])
        rows = entries_of(data)
        assert entries_of(split) == [rows[0], rows[0], rows[1], rows[2]]
        assert split.y is not None
        assert split.sample_weight is not None
        assert split.y.tolist() == [0, 1, 0, 1]
        assert split.sample_weight.tolist() == [3, 1, 3, 2.5]
        assert (split.layout, split.n_features) == (data.layout, data.n_features)


def test_rows_without_impressions_are_left_out() -> None:
    split = Dataset.from_ids(IDS).with_clicks([0, 1, 0, 0], [0, 1, 0, 2])
    assert entries_of(split) == [entries_of(Dataset.from_ids(IDS))[row] for row in (1, 3)]


def test_the_encoder_stays() -> None:
    encoder = CriteoEncoder.__new__(CriteoEncoder)
    data = Dataset(Dataset.from_ids(IDS).core, encoder=encoder)
    assert data.with_clicks([1] * 4, [2] * 4).encoder is encoder


def test_the_rates_are_learned() -> None:
    clicks, impressions = np.array([10, 30, 60, 2]), np.array([100, 100, 100, 4])
    ids = np.arange(4)[:, None]
    data = Dataset.from_ids(ids).with_clicks(clicks, impressions)
    model = pyfm.LinearClassifier(epochs=300, l2=0, learning_rate=0.3, random_state=0).fit(data)
    p = model.predict_proba(ids)[:, 1]
    np.testing.assert_allclose(p, clicks / impressions, atol=0.02)


@pytest.mark.parametrize(
    ("clicks", "impressions", "message"),
    [
        ([1, 3], [2, 2], r"clicks\[1\]: expected at most impressions\[1\] = 2, found 3.0"),
        ([0, -1], [2, 2], r"clicks\[1\]: expected a finite number >= 0, found -1.0"),
        ([0, 0], [2, -2], r"impressions\[1\]: expected a finite number >= 0, found -2.0"),
        ([math.nan, 0], [2, 2], r"clicks\[0\]: expected a finite number >= 0, found nan"),
        ([0, 0], [math.nan, 2], r"impressions\[0\]: expected a finite number >= 0, found nan"),
        ([0, 0], [math.inf, 2], r"impressions\[0\]: expected a finite number >= 0, found inf"),
        ([0, 0], [1e39, 2], r"impressions\[0\]: expected a finite number >= 0"),
        ([0, 0], [0, 0], "impressions: expected at least one impression, found 'none'"),
        ([0], [2, 2], r"clicks: expected shape \(2,\), a number for each row, found \(1,\)"),
        ([0, 0], [2], r"impressions: expected shape \(2,\)"),
        ([[0, 0]], [2, 2], r"clicks: expected shape \(2,\)"),
        (0, [2, 2], r"clicks: expected shape \(2,\)"),
        (["a", "b"], [2, 2], "clicks: expected an array of numbers"),
        (None, [2, 2], "clicks: expected an array of numbers"),
    ],
)
def test_wrong_counts(clicks: Any, impressions: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dataset.from_ids(IDS[:2]).with_clicks(clicks, impressions)
