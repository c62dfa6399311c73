"""Rows that are changed on their way to the model, against the oracle."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import contract
import numpy as np
import pytest
from augmented import FULL, PLAIN, binomial_bound
from contract import Case, Data, make_data
from numpy.typing import NDArray
from reference_random import augmented, bootstrap_rows, random_normal, shuffled

from pyfm import Augmentation, _core

BATCH_SIZES = (1, 3, FULL)

each_model = pytest.mark.parametrize("model", contract.MODELS)

# Of 5 fields: in some nothing stands for unknown features, in one what is no field's own feature.
UNKNOWN = [2, -1, 7, -1, 0]

AUGMENTATIONS: Mapping[str, Augmentation] = {
    "dropout": Augmentation(feature_dropout=0.4),
    "unknowns": Augmentation(feature_dropout=0.4, unknown=UNKNOWN),
    "noise": Augmentation(value_noise=0.3),
    "noise in some": Augmentation(value_noise=0.3, numeric_fields=[3, 1]),
    "bootstrap": Augmentation(bootstrap=True),
    "all": Augmentation(feature_dropout=0.2, unknown=UNKNOWN, value_noise=0.5, bootstrap=True),
}

each_augmentation = pytest.mark.parametrize("name", AUGMENTATIONS)

MIXED = ("values", "missing", "several", "zeros", "empty", "duplicates", "plain") * 3


def train(
    model: _core.Model,
    data: _core.Dataset,
    augmentation: Augmentation | None,
    epochs: range = range(3),
    **params: Any,
) -> list[float]:
    """Losses of the epochs."""
    options = {"shuffle": True, "n_threads": 1, "poll": None} | params
    core = augmentation.core() if augmentation else None
    return [
        model.train_epoch(data, epoch=epoch, augmentation=core, **options).loss for epoch in epochs
    ]


def places(n: int, augmentation: Augmentation, seed: int, epoch: int) -> list[int]:
    rows = bootstrap_rows(n, seed) if augmentation.bootstrap else list(range(n))
    return shuffled(rows, seed, epoch)


def explicit(data: Data, augmentation: Augmentation, seed: int, epoch: int) -> Data:
    """The rows of an epoch, one after the other."""
    changes = asdict(augmentation)
    del changes["bootstrap"]
    order = places(len(data.rows), augmentation, seed, epoch)
    rows = [
        augmented(data.rows[i], place, seed=seed, epoch=epoch, **changes)
        for place, i in enumerate(order)
    ]
    weight = None if data.weight is None else [data.weight[i] for i in order]
    return Data(rows, [data.y[i] for i in order], weight, data.n_features, data.n_fields)


def met(data: Data, augmentation: Augmentation, seed: int) -> set[int]:
    """Features that training may meet."""
    found = {j for i in places(len(data.rows), augmentation, seed, 0) for _, j, _ in data.rows[i]}
    if augmentation.feature_dropout and augmentation.unknown is not None:
        found |= {j for j in augmentation.unknown if j >= 0}
    return found


def assert_same_weights(found: _core.Model, expected: _core.Model, tolerance: float = 0) -> None:
    """Of the features that the first has met."""
    if found.bias is not None and expected.bias is not None:
        np.testing.assert_allclose(found.bias, expected.bias, rtol=tolerance, atol=tolerance)
    for part in contract.PARTS:
        if contract.table(found, part) is not None:
            a, b = (model.weights(part, found.features) for model in (found, expected))
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# --- the oracle -----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("kinds", [MIXED, PLAIN], ids=["mixed", "plain"])
@each_augmentation
@each_model
def test_training_is_that_on_changed_rows(
    model: str, name: str, kinds: tuple[str, ...], batch_size: int, level: str
) -> None:
    augmentation = AUGMENTATIONS[name]
    data = make_data(kinds, 5, weighted=True)
    if kinds is PLAIN and augmentation.value_noise:
        augmentation = replace(augmentation, value_noise=0.0)
    case = Case(model, "adagrad", n_fields=5, normalize=True)
    found, expected = case.core(), case.started()
    layout = "one_per_field" if kinds is PLAIN else "csr"
    losses = train(found, data.core(layout), augmentation, batch_size=batch_size)
    assert set(found.features.tolist()) == met(data, augmentation, case.seed)
    for epoch in range(3):
        rows = explicit(data, augmentation, case.seed, epoch).core()
        once = range(epoch, epoch + 1)
        (loss,) = train(expected, rows, None, once, shuffle=False, batch_size=batch_size)
        assert losses[epoch] == pytest.approx(loss, rel=1e-6)
    # The rows are the same but for the last bit of a noise, if the compiler contracts a product and
    # a sum; such a bit stays about one in each step.
    assert_same_weights(found, expected, 1e-6 if augmentation.value_noise else 0)


@each_model
def test_a_bootstrap_sample_is_a_selection_of_rows(model: str, level: str) -> None:
    data = make_data(MIXED, 5, weighted=True).core()
    case = Case(model, "adagrad", n_fields=5)
    rows = np.array(bootstrap_rows(data.n_rows, case.seed))
    for batch_size in BATCH_SIZES:
        found, expected = case.core(), case.core()
        losses = train(found, data, Augmentation(bootstrap=True), batch_size=batch_size)
        assert losses == train(expected, data.take(rows), None, batch_size=batch_size)
        np.testing.assert_array_equal(found.features, expected.features)
        assert_same_weights(found, expected)


# --- what is drawn --------------------------------------------------------------------------------


# One step of gradient descent along all rows of a linear model with weights 0 on targets of -1: the
# weight of a feature is the sum of its values, for a suitable learning rate. With a feature of its
# own for each entry, it is what became of the entry.
def observed(
    augmentation: Augmentation,
    n_rows: int,
    n_fields: int,
    value: float = 1.0,
    seed: int = 3,
    epoch: int = 0,
) -> NDArray[np.float64]:
    """What becomes of the entries, each a feature of its own, in the order of the data."""
    n = n_rows * n_fields
    data = _core.Dataset(
        indptr=None,
        features=np.arange(n, dtype=np.uint32),
        fields=None,
        values=np.full(n, value, np.float32),
        y=np.full(n_rows, -1, np.float32),
        weight=None,
        n_rows=n_rows,
        n_features=n,
        n_fields=n_fields,
    )
    step = ("sgd", {"learning_rate": float(n_rows), "l1": 0.0, "l2": 0.0})
    model = _core.Model(
        kind="linear",
        loss="squared",
        n_features=n,
        n_fields=n_fields,
        n_factors=0,
        linear=True,
        normalize=False,
        init_scale=0.0,
        dtype="float32",
        seed=seed,
        linear_optimizer=step,
        factor_optimizer=None,
    )
    train(model, data, augmentation, range(epoch, epoch + 1), shuffle=False, batch_size=FULL)
    return -model.weights("linear").astype(np.float64)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.95])
def test_the_share_that_is_dropped(p: float) -> None:
    kept = observed(Augmentation(feature_dropout=p), 4000, 5) != 0
    assert 1 - kept.mean() == pytest.approx(p, abs=binomial_bound(20_000, p))
    by_field = 1 - kept.reshape(-1, 5).mean(axis=0)
    assert by_field == pytest.approx([p] * 5, abs=binomial_bound(4000, p))
    # Neighbours, in a row and in a field, know nothing of each other.
    grid = kept.reshape(-1, 5)
    for a, b in ((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])):
        both = (~a & ~b).mean()
        assert both == pytest.approx(p * p, abs=binomial_bound(a.size, p * p))


def test_epochs_and_seeds_draw_anew() -> None:
    dropout = Augmentation(feature_dropout=0.5)
    draws = [
        observed(dropout, 1000, 5, seed=seed, epoch=epoch) != 0
        for seed, epoch in itertools.product((3, 4), (0, 1, 2))
    ]
    for a, b in itertools.combinations(draws, 2):
        assert (a & b).mean() == pytest.approx(0.25, abs=binomial_bound(5000, 0.25))
    np.testing.assert_array_equal(observed(dropout, 1000, 5, seed=3, epoch=2) != 0, draws[2])


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_noise_is_normal_and_relative(sigma: float) -> None:
    x = observed(Augmentation(value_noise=sigma), 4000, 5, value=8.0)
    z = (x / 8 - 1) / sigma
    n = z.size  # five standard deviations of each estimate
    assert z.mean() == pytest.approx(0, abs=5 / math.sqrt(n))
    assert z.std() == pytest.approx(1, abs=5 / math.sqrt(2 * n))
    assert (z**3).mean() == pytest.approx(0, abs=5 * math.sqrt(15 / n))
    assert (z**4).mean() == pytest.approx(3, abs=5 * math.sqrt(96 / n))
    for k in (1, 2):
        assert (np.abs(z) < k).mean() == pytest.approx(
            math.erf(k / math.sqrt(2)), abs=binomial_bound(n, 0.5)
        )
    assert not observed(Augmentation(value_noise=sigma), 100, 5, value=0.0).any()


def test_noise_of_numeric_fields_only() -> None:
    x = observed(Augmentation(value_noise=0.5, numeric_fields=[0, 3]), 200, 5).reshape(-1, 5)
    np.testing.assert_allclose(x[:, [1, 2, 4]], 1, rtol=1e-6)
    assert (np.abs(x[:, [0, 3]] - 1) > 1e-4).mean() > 0.99


def test_huge_noise_stays_finite() -> None:
    x = observed(Augmentation(value_noise=1e30), 100, 5, value=1e30)
    assert np.isfinite(x).all()


def test_unknowns_take_the_place_of_what_is_dropped() -> None:
    """With the value 1, whatever the value was."""
    unknown = [0, -1, 2, 3, 4]  # the features of the first row's entries
    augmentation = Augmentation(feature_dropout=0.3, unknown=unknown)
    plain = observed(Augmentation(feature_dropout=0.3), 400, 5, value=2.0).reshape(-1, 5)
    x = observed(augmentation, 400, 5, value=2.0).reshape(-1, 5)
    np.testing.assert_allclose(x[1:], plain[1:], rtol=1e-6)
    dropped = (plain == 0).sum(axis=0) * np.array([1, 0, 1, 1, 1])
    np.testing.assert_allclose(x[0], plain[0] + dropped, rtol=1e-6)


def test_how_often_a_bootstrap_sample_holds_each_row() -> None:
    n = 4000
    counts = np.rint(observed(Augmentation(bootstrap=True), n, 1)).astype(int)
    expected = Counter(bootstrap_rows(n, seed=3))
    assert counts.tolist() == [expected[i] for i in range(n)]
    share = 1 - math.exp(-1)  # the limit of 1 - (1 - 1/n)^n; 63.2 %
    assert (counts > 0).mean() == pytest.approx(share, abs=binomial_bound(n, share))
    for k in range(4):  # multiplicities are Poisson
        p = math.exp(-1) / math.factorial(k)
        assert (counts == k).mean() == pytest.approx(p, abs=binomial_bound(n, p))
    later = observed(Augmentation(bootstrap=True), n, 1, epoch=5)
    np.testing.assert_array_equal(np.rint(later), counts)  # one sample for all epochs
    other = observed(Augmentation(bootstrap=True), n, 1, seed=4)
    assert (np.rint(other) != counts).any()


def test_the_oracle_of_normal_numbers() -> None:
    z = np.array([random_normal(5, i) for i in range(20_000)])
    assert abs(z.mean()) < 5 / math.sqrt(z.size)
    assert abs(z.std() - 1) < 5 / math.sqrt(2 * z.size)


# --- threads and the absence of effects -----------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_augmentation
@each_model
def test_batches_are_the_same_bits_on_any_number_of_threads(
    model: str, name: str, dtype: str
) -> None:
    if model == "linear" and dtype == "float16":
        return  # linear weights are always float32
    data = make_data(MIXED * 20, 5, weighted=True).core()
    case = Case(model, "adagrad", n_fields=5, dtype=dtype)
    alone = case.core()
    losses = train(alone, data, AUGMENTATIONS[name], batch_size=100)
    for n_threads in range(2, 9):
        several = case.core()
        again = train(several, data, AUGMENTATIONS[name], batch_size=100, n_threads=n_threads)
        assert again == losses
        np.testing.assert_array_equal(several.features, alone.features)
        assert_same_weights(several, alone)


@pytest.mark.parametrize("n_threads", [2, 4, 8])
def test_threads_without_locks_drop_the_same_features(n_threads: int) -> None:
    """Each entry is a feature of its own: its weight moves unless it is dropped."""
    n_rows, n_fields = 3000, 3
    features = np.arange(n_rows * n_fields).reshape(-1, n_fields)
    data = contract.id_data(features, np.ones(n_rows), features.size)
    case = Case("linear", "sgd", n_fields=features.size // contract.FEATURES_PER_FIELD)
    patterns = []
    for n in (1, n_threads):
        model = case.core()
        train(model, data, Augmentation(feature_dropout=0.3), range(2), n_threads=n)
        patterns.append(model.weights("linear") != 0)
    np.testing.assert_array_equal(*patterns)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@each_model
def test_off_is_no_augmentation(model: str, batch_size: int) -> None:
    data = make_data(MIXED, 5).core()
    models = [Case(model, "adagrad", n_fields=5).core() for _ in range(3)]
    unused = Augmentation(unknown=UNKNOWN, numeric_fields=[1])
    for m, augmentation in zip(models, (None, Augmentation(), unused), strict=True):
        train(m, data, augmentation, batch_size=batch_size)
        np.testing.assert_array_equal(m.features, models[0].features)
        assert_same_weights(m, models[0])
