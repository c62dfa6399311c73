"""Training in batches equals the oracle, and is the same to the bit for any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise

import contract
import numpy as np
import pytest
from contract import (
    KINDS,
    Case,
    Data,
    assert_same_weights,
    assert_weights_close,
    epochs,
    make_data,
    train,
)
from reference import Reference, sigmoid

from pyfm import _core
from pyfm.optim import SGD

FULL = 0

MIXED = ("values", "missing", "several", "plain", "several", "missing", "plain")

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)


# --- the oracle -----------------------------------------------------------------------------------


@cache
def expectation(case: Case, data: Data, batch_size: int) -> tuple[Reference, float]:
    """The oracle after two passes over the rows, and the mean loss of the second."""
    reference = case.reference()
    reference.forget(contract.unmet(case, data))
    n = len(data.rows)
    weight = list(data.weight or [1.0] * n)
    bounds = [*range(0, n, batch_size or n), n]
    losses: list[float] = []
    for _ in range(2):
        losses = []
        for begin, end in pairwise(bounds):
            batch = slice(begin, end)
            losses += reference.update_batch(data.rows[batch], data.y[batch], weight[batch])
    return reference, float(np.average(losses, weights=weight))


def check_training(case: Case, data: Data, layout: str = "csr", batch_size: int = 3) -> None:
    model = case.core()
    loss = train(model, data.core(layout), epochs=2, batch_size=batch_size)
    expected, expected_loss = expectation(case, data, batch_size)
    assert loss == pytest.approx(expected_loss, rel=1e-5, abs=1e-6)
    assert_weights_close(model, expected)


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@each_optimizer
@each_model
def test_every_size(model: str, optimizer: str, n_factors: int, level: str) -> None:
    if model == "linear" and n_factors > 1:
        return  # the linear model has no factors
    for n_fields in contract.N_FIELDS:
        case = Case(model, optimizer, n_fields=n_fields, n_factors=n_factors)
        check_training(case, make_data(("plain",) * 4, n_fields), "one_per_field")
        check_training(case, make_data(MIXED if n_fields < 10 else MIXED[1:3], n_fields))


@pytest.mark.parametrize("kind", contract.ROW_KINDS)
@pytest.mark.parametrize("normalize", [False, True])
@each_optimizer
@each_model
def test_every_kind_of_row(
    model: str, optimizer: str, normalize: bool, kind: str, level: str
) -> None:
    case = Case(model, optimizer, n_fields=5, normalize=normalize)
    check_training(case, make_data((kind,) * 7, n_fields=5))


@pytest.mark.parametrize("batch_size", [2, 5, 7, 100, FULL])
@pytest.mark.parametrize("loss", contract.LOSSES)
@pytest.mark.parametrize("linear", [False, True])
@each_optimizer
@each_model
def test_batches_losses_weights_and_linear_terms(
    model: str, optimizer: str, linear: bool, loss: str, batch_size: int, level: str
) -> None:
    case = Case(model, optimizer, n_fields=4, loss=loss, linear=linear, normalize=True)
    check_training(case, make_data(MIXED, 4, weighted=True), batch_size=batch_size)


@pytest.mark.parametrize("params", [contract.PROXIMAL, contract.CLIPPED], ids=["value", "norm"])
@pytest.mark.parametrize("n_factors", [1, 4, 5, 8, 16, 32])
@each_optimizer
@each_model
def test_l1_and_clipping(
    model: str, optimizer: str, n_factors: int, params: tuple[tuple[str, float], ...], level: str
) -> None:
    """By the norm of the whole batch's gradient."""
    if model == "linear" and n_factors > 1:
        return
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors, params=params)
    check_training(case, make_data(("plain",) * 4, 5), "one_per_field")
    check_training(case, make_data(MIXED, 5))


@each_optimizer
@each_model
def test_a_feature_in_several_fields(model: str, optimizer: str, level: str) -> None:
    """Unlike example by example, where its fields would see each other's steps."""
    row = [(0, 4, 1.0), (1, 4, 1.0), (2, 5, 1.0), (3, 4, 1.0), (4, 0, 1.0)]
    data = Data([row, row[1:], row], [1.0, 0.0, 0.0], None, 15, 5)
    check_training(Case(model, optimizer, n_fields=5), data)
    data = Data([row] * 3, [1.0, 0.0, 0.0], None, 15, 5)
    check_training(Case(model, optimizer, n_fields=5), data, "one_per_field")


@each_optimizer
@each_model
def test_batches_longer_than_what_is_held_at_once(model: str, optimizer: str, level: str) -> None:
    """A batch of as many copies of a few rows is a batch of these, up to the rounding of its sums:
    about √n roundoffs of the mean of their absolute terms, and n = 6000."""
    data = make_data(MIXED, 5)
    many = Data([*data.rows] * 900, [*data.y] * 900, None, 15, 5)
    case = Case(model, optimizer, n_fields=5)
    few, copies = case.core(), case.core()
    loss = train(few, data.core(), batch_size=FULL)
    assert train(copies, many.core(), batch_size=FULL) == pytest.approx(loss, rel=1e-6)
    x, y = contract.weights(few), contract.weights(copies)
    for name in ("bias", "linear", "factors"):
        if (expected := getattr(x, name)) is not None:
            np.testing.assert_allclose(getattr(y, name), expected, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("n_factors", [1, 4, 5, 16])
@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
@each_optimizer
def test_16_bits_stay_near_the_oracle(
    model: str, optimizer: str, n_factors: int, level: str
) -> None:
    """The bounds of test_contract_storage.py, where they are explained; six stores of a weight."""
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors, dtype="float16", normalize=True)
    data = make_data(MIXED, 5)
    reference = expectation(case, data, 3)[0]
    core = case.core()
    train(core, data.core(), epochs=2, batch_size=3)
    error = np.abs(contract.weights(core).factors - reference.factors)
    walk = 2.0**-10 * np.sqrt(6)
    assert np.max(error) < 5 * walk
    assert np.mean(error) < 0.5 * walk
    assert np.any(error > 1e-6)


# --- what a batch is ------------------------------------------------------------------------------


@each_optimizer
@each_model
def test_a_batch_does_not_depend_on_the_order_of_its_rows(model: str, optimizer: str) -> None:
    """But for rounding: all gradients are those of the weights before the batch."""
    data = make_data(MIXED * 3, 5, weighted=True)
    assert data.weight is not None
    order = np.random.default_rng(0).permutation(len(data.rows))
    mixed = Data(
        [data.rows[i] for i in order],
        [data.y[i] for i in order],
        [data.weight[i] for i in order],
        15,
        5,
    )
    case = Case(model, optimizer, n_fields=5)
    found = []
    for rows in (data, mixed):
        core = case.started()
        train(core, rows.core(), epochs=3, batch_size=FULL)
        found.append(contract.weights(core))
    for name in ("bias", "linear", "factors"):
        if (expected := getattr(found[0], name)) is not None:
            np.testing.assert_allclose(getattr(found[1], name), expected, rtol=2e-5, atol=1e-5)


@each_model
def test_weights_count_in_proportion(model: str) -> None:
    """Powers of two leave no trace of rounding."""
    data = make_data(MIXED, 5, weighted=True)
    assert data.weight is not None
    case, found = Case(model, "adagrad", n_fields=5), []
    for factor in (1, 1024):
        core = case.core()
        weight = [factor * w for w in data.weight]
        train(core, replace(data, weight=weight).core(), epochs=2, batch_size=3)
        found.append(core)
    assert_same_weights(*found)


@each_model
def test_batches_of_weight_zero_change_nothing(model: str) -> None:
    case, data = Case(model, n_fields=5, params=(("l2", 0.0),)), make_data(MIXED, 5)
    core, before = case.core(), case.core()
    rows = replace(data, weight=[0.0] * len(data.rows)).core()
    before.initialize(rows, n_threads=1)
    assert train(core, rows, batch_size=3) == 0
    assert_same_weights(core, before)


def test_the_full_batch_is_gradient_descent() -> None:
    """Logistic regression, against the formula in float64, down to the optimum, where the gradient
    is zero."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 4))
    y = (rng.uniform(size=500) < 1 / (1 + np.exp(-x @ [1.0, -2.0, 0.5, 0.0]))).astype(float)
    rows = [[(0, j, float(np.float32(v))) for j, v in enumerate(row)] for row in x]
    data = Data(rows, [float(v) for v in y], None, 4, 1).core()
    model = _core.Model(
        kind="linear", loss="logistic", n_features=4, n_fields=1, n_factors=0, linear=True,
        normalize=False, init_scale=0.0, dtype="float32", seed=0,
        linear_optimizer=SGD(1.0, l2=0.0).core(), factor_optimizer=None,
    )  # fmt: skip
    assert model.bias is not None
    w, b = np.zeros(4), 0.0
    losses = []
    for epoch in range(300):
        p = np.array([sigmoid(s) for s in x @ w + b])
        losses.append(epochs(model, data, 1, batch_size=FULL)[0])
        w, b = w - x.T @ (p - y) / 500, b - float(np.mean(p - y))
        if epoch in (0, 1, 10, 299):
            np.testing.assert_allclose(model.weights("linear"), w, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(model.bias, [b], rtol=1e-4, atol=1e-5)
    assert np.all(np.diff(losses) < 1e-6), "it descends"
    p = np.array([sigmoid(s) for s in x @ w + b])
    assert np.max(np.abs(x.T @ (p - y))) / 500 < 1e-4


@each_model
def test_the_loss_falls(model: str, level: str) -> None:
    rng = np.random.default_rng(0)
    rows = [contract.make_row("values", 5, rng) for _ in range(200)]
    y = [float(sum(j * x for _, j, x in row) > 0) for row in rows]
    core = Case(model, "adagrad", n_fields=5, params=(("l2", 0.0),)).core()
    losses = epochs(core, Data(rows, y, None, 15, 5).core(), 10, batch_size=16)
    assert losses[-1] < 0.9 * losses[0]


def test_no_rows_are_no_batch() -> None:
    case = Case("fm")
    assert train(case.core(), Data([], [], None, 9, 3).core(), batch_size=4) == 0


@each_model
def test_an_interruption_leaves_the_last_batch(model: str) -> None:
    """The batch at hand is forgotten: with one batch, the model is as it was."""
    n = 2_000_000 if model == "linear" else 200_000  # longer than the time between calls
    features = np.random.default_rng(0).integers(0, 3, (n, 5)) + np.arange(0, 15, 3)
    data = contract.id_data(features, np.zeros(n), 15)
    core = Case(model, n_fields=5, n_factors=256).started()
    before = contract.weights(core)

    def stop(rows: int) -> None:
        raise RuntimeError("enough")

    def train_for_ever() -> None:  # an epoch may end before the first call
        for _ in range(1000):
            core.train_epoch(data, epoch=0, shuffle=False, n_threads=2, poll=stop, batch_size=FULL)
            nonlocal before
            before = contract.weights(core)

    with pytest.raises(RuntimeError, match="enough"):
        train_for_ever()
    after = contract.weights(core)
    for name in ("bias", "linear", "factors"):
        if (expected := getattr(before, name)) is not None:
            np.testing.assert_array_equal(getattr(after, name), expected, err_msg=name)


@pytest.mark.parametrize("batch_size", [4096, 20_000])
def test_an_interruption_leaves_whole_batches(batch_size: int) -> None:
    """Also where rows of one example may be stepped before the batch ends."""
    n_rows, n_fields = 3_000_000, 5  # longer than the time between calls
    features = np.random.default_rng(0).integers(0, 3, (n_rows, n_fields)) + np.arange(0, 15, 3)
    features[:, 4] = 12 + np.arange(n_rows) % batch_size
    n_features = 12 + batch_size
    case = Case("ffm", n_fields=n_fields, n_factors=32, features_per_field=n_features // 5 + 1)

    def data(n: int) -> _core.Dataset:
        return contract.id_data(features[:n], np.arange(n) % 3 == 0, n_features)

    met = 0

    def stop(rows: int) -> None:
        nonlocal met
        met = rows
        raise RuntimeError("enough")

    stopped, whole = case.core(), case.core()
    for core in (stopped, whole):
        core.initialize(data(n_rows), n_threads=1)
    with pytest.raises(RuntimeError, match="enough"):
        stopped.train_epoch(
            data(n_rows), epoch=0, shuffle=False, n_threads=2, poll=stop, batch_size=batch_size
        )
    learned = met // batch_size * batch_size
    whole.train_epoch(
        data(learned), epoch=0, shuffle=False, n_threads=1, poll=None, batch_size=batch_size
    )
    assert_same_weights(stopped, whole)


PEAK_OF_BATCHES = """
import re
import sys
from pathlib import Path

import numpy as np
from contract import Case, id_data

def peak():  # not getrusage's, which begins with that of the process that started this one
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

n_fields = 65_535
n = 3 * n_fields
ids = np.random.default_rng(0).permutation(n).reshape(-1, 5)
data = id_data(ids, np.arange(len(ids)) % 2, n)
model = Case("fm", "adagrad", n_fields=n_fields, n_factors=64).core()
model.initialize(data, n_threads=1)
before = peak()
model.train_epoch(
    data, epoch=0, shuffle=False, n_threads=int(sys.argv[1]), poll=None, batch_size=64
)
print(peak() - before, model.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak in /proc")
@pytest.mark.parametrize("n_threads", [1, 8])
def test_memory_is_that_of_a_batch(n_threads: int) -> None:
    """Never threads x table: 100 MB of weights and state here, beside 4 bytes for each row."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_BATCHES, str(n_threads)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    more, table = map(int, done.stdout.split())
    assert table > 100e6
    assert more < 0.2 * table


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size: expected"):
        train(Case("fm").core(), make_data(KINDS, 3).core(), batch_size=-1)
