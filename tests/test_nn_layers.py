"""Layers as objects: networks, prediction, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from nn_arrays import Floats, close, padded, random
from threadpoolctl import threadpool_info, threadpool_limits

from pyfm import blas, nn

RNG = np.random.default_rng(0)
X = random(RNG, 300, 12)


def make(**options: Any) -> nn.Layer:
    return nn.tower(12, (20, 20, 8), random_state=0, **options)


TOWERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "linear": {"activation": "identity"},
    "batch_norm": {"batch_norm": True},
    "moving_average": {"batch_norm": True, "inference": "moving_average", "momentum": 0.5},
    "dropout": {"dropout": 0.3, "batch_norm": True},
    "residual-1": {"residual": 1, "dropout": 0.2, "batch_norm": True, "activation": "elu"},
    "residual-2": {"residual": 2, "batch_norm": True, "activation": "gelu"},
    "gelu": {"activation": "gelu"},
    "prelu": {"activation": "prelu", "batch_norm": True},
    "tanh": {"activation": "tanh", "batch_norm": True},
}
each_tower = pytest.mark.parametrize("options", TOWERS.values(), ids=TOWERS)


def train(network: nn.Layer, x: Floats, steps: int, n_threads: int = 1) -> list[float]:
    """Gradient descent on the squared distance from the first column; the losses."""
    losses = []
    for step in range(steps):
        out = network.forward(x, seed=step, n_threads=n_threads)
        error = out - x[:, :1]
        losses.append(float((error**2).mean()))
        network.backward((error / len(x)).astype(np.float32), input_gradient=False)
        for name, value in network.parameters.items():
            value -= 0.05 * network.gradients[name]
    return losses


def slope(layer: nn.Layer, dout: Floats) -> Floats:
    dx = layer.backward(dout)
    assert dx is not None
    return dx


@each_tower
def test_towers_learn(options: dict[str, Any]) -> None:
    losses = train(make(**options), X, 60)
    assert losses[-1] < 0.5 * losses[0]


@each_tower
@pytest.mark.parametrize("n_threads", [2, 3, 4, 8])
def test_training_is_the_same_for_any_number_of_threads(
    options: dict[str, Any], n_threads: int, level: str
) -> None:
    networks = make(**options), make(**options)
    x = random(np.random.default_rng(1), 700, 12)
    assert train(networks[0], x, 3) == train(networks[1], x, 3, n_threads)
    for a, b in zip(*(n.parameters.values() for n in networks), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(networks[0].predict(x), networks[1].predict(x, n_threads=n_threads))


@pytest.mark.parametrize("activation", ["relu", "elu", "gelu", "prelu"])
@pytest.mark.parametrize("residual", [0, 1, 2])
def test_prediction_is_the_forward_pass_where_nothing_is_random(
    activation: str, residual: int
) -> None:
    network = make(activation=activation, residual=residual)
    assert np.array_equal(network.predict(X), network.forward(X))


@each_tower
def test_prediction_by_several_threads_at_once(options: dict[str, Any]) -> None:
    network = make(**options)
    train(network, X, 3)
    parts = np.array_split(X, 8)
    expected = [network.predict(p) for p in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(network.predict, parts * 8))
    assert all(np.array_equal(a, b) for a, b in zip(expected * 8, found, strict=True))
    assert np.array_equal(network.predict(X), network.predict(padded(X), n_threads=3))


def test_prediction_with_statistics_of_the_epoch() -> None:
    layer = nn.BatchNorm(12)
    batches = np.array_split(X, 3)
    layer.forward(X[:50] + 100)
    layer.start_epoch()  # forgets that batch
    for batch in batches:
        layer.forward(batch)
    mean = np.mean([b.mean(0, dtype=float) for b in batches], axis=0)
    variance = np.mean([b.var(0, ddof=1, dtype=float) for b in batches], axis=0)
    close(layer.buffers["population_mean"], mean)
    close(layer.buffers["population_variance"], variance)
    close(layer.predict(X), (X - mean) / np.sqrt(variance + 1e-5))


def test_prediction_with_moving_averages() -> None:
    layer = nn.BatchNorm(12, inference="moving_average", momentum=0.25)
    mean, variance = np.zeros(12), np.ones(12)
    for batch in np.array_split(X, 3):
        layer.forward(batch)
        mean = 0.75 * mean + 0.25 * batch.mean(0, dtype=float)
        variance = 0.75 * variance + 0.25 * batch.var(0, ddof=1, dtype=float)
    close(layer.predict(X), (X - mean) / np.sqrt(variance + 1e-5))
    layer.buffers["moving_mean"][:] = 7  # views: what was saved can be put back
    close(layer.predict(X), (X - 7) / np.sqrt(variance + 1e-5))


def test_a_fused_relu_is_a_relu() -> None:
    fused, apart = nn.BatchNorm(12, relu=True), [nn.BatchNorm(12), nn.Activation(12, "relu")]
    network = nn.Sequential(apart)
    dout = random(np.random.default_rng(1), 300, 12)
    assert np.array_equal(fused.forward(X), network.forward(X))
    assert np.array_equal(slope(fused, dout), slope(network, dout))
    assert np.array_equal(fused.predict(X), network.predict(X))


def test_a_residual_block_adds_its_input() -> None:
    inner = nn.Dense(12, 12, activation="tanh", random_state=0)
    alone = inner.forward(X)
    dout = random(np.random.default_rng(1), 300, 12)
    dx = slope(inner, dout)
    block = nn.Residual(inner)
    close(block.forward(X), X + alone)
    close(slope(block, dout), dout + dx)
    close(block.predict(X), X + alone)


def test_a_residual_block_projects_where_the_width_changes() -> None:
    inner = nn.Dense(12, 5, random_state=0)
    block = nn.Residual(inner)
    p = block.parameters
    total = p["inner.weight"] + p["projection.weight"]
    close(block.forward(X), X @ total + p["inner.bias"])
    dout = random(np.random.default_rng(1), 300, 5)
    close(slope(block, dout), dout @ total.T)
    close(block.gradients["projection.weight"], X.T @ dout)
    assert np.array_equal(block.gradients["projection.weight"], block.gradients["inner.weight"])


def test_parts_share_their_arrays_with_the_whole() -> None:
    parts = [nn.Dense(12, 4, random_state=0), nn.Dense(4, 2, random_state=1)]
    weight = parts[1].parameters["weight"]
    network = nn.Sequential(parts)
    assert network.parameters["1.weight"] is weight
    before = network.forward(X)
    weight *= 2
    close(network.forward(X), 2 * before)


def test_initial_values_are_a_function_of_the_seed() -> None:
    one, two, other = (nn.Dense(30, 20, random_state=s) for s in (0, 0, 1))
    assert np.array_equal(one.parameters["weight"], two.parameters["weight"])
    assert not np.array_equal(one.parameters["weight"], other.parameters["weight"])
    wide = nn.Dense(30, 40, random_state=0).parameters["weight"]
    assert np.array_equal(wide[:, :20], one.parameters["weight"])  # he: by the rows alone
    first, second = (nn.Dense(9, 9).parameters["weight"] for _ in range(2))
    assert not np.array_equal(first, second)


def test_dropout_differs_from_batch_to_batch_and_layer_to_layer() -> None:
    layer, ones = nn.Dropout(12, 0.5), np.ones((300, 12), np.float32)
    assert not np.array_equal(layer.forward(ones), layer.forward(ones))
    assert np.array_equal(layer.forward(ones, seed=3), layer.forward(ones, seed=3))
    twice = nn.Sequential([nn.Dropout(12, 0.5), nn.Dropout(12, 0.5)])
    assert set(twice.forward(ones).ravel()) == {0, 4}
    assert 0.2 < (twice.forward(ones) != 0).mean() < 0.3


NINE = np.ones((4, 9), np.float32)
ROW = np.ones(9, np.float32)
READ_ONLY = np.ones((4, 9), np.float32)
READ_ONLY.flags.writeable = False


def trained(layer: nn.Layer) -> nn.Layer:
    layer.forward(NINE)
    return layer


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("one of float64", lambda: nn.batch_norm_forward(NINE.astype(float), ROW, ROW)),
    ("gamma: expected shape \\(9,\\)", lambda: nn.batch_norm_forward(NINE, ROW[:3], ROW)),
    ("shape \\(batch, features\\)", lambda: nn.batch_norm_forward(ROW, ROW, ROW)),
    ("shape \\(batch, features\\)", lambda: nn.batch_norm_forward([[1.0]], ROW, ROW)),  # type: ignore[arg-type]
    ("without gaps", lambda: nn.batch_norm_forward(np.asfortranarray(NINE), ROW, ROW)),
    ("without gaps", lambda: nn.batch_norm_forward(np.ones((4, 18), "f")[:, ::2], ROW, ROW)),
    ("at least 2 rows", lambda: nn.batch_norm_forward(NINE[:1], ROW, ROW)),
    ("eps", lambda: nn.batch_norm_forward(NINE, ROW, ROW, 0)),
    ("eps", lambda: nn.layer_norm_forward(NINE, ROW, ROW, -1)),
    ("shares its memory", lambda: nn.layer_norm_forward(NINE, ROW, ROW, out=NINE)),
    ("out: expected shape", lambda: nn.layer_norm_forward(NINE, ROW, ROW, out=NINE[:2].copy())),
    ("n_threads", lambda: nn.layer_norm_forward(NINE, ROW, ROW, n_threads=-1)),
    ("n_threads.*1024", lambda: nn.layer_norm_forward(NINE, ROW, ROW, n_threads=10**6)),
    ("n_threads.*1024", lambda: nn.PReLU(9).predict(NINE, n_threads=1025)),
    ("out: expected an array", lambda: nn.PReLU(9).forward(NINE, out=NINE.tolist())),  # type: ignore[arg-type]
    ("gamma: expected an array", lambda: nn.layer_norm_forward(NINE, ROW.tolist(), ROW)),  # type: ignore[arg-type]
    ("can be written", lambda: nn.PReLU(9).forward(NINE, out=READ_ONLY)),
    ("columns of x", lambda: nn.prelu_forward(NINE[:, :0], ROW)),
    ("one of >f4", lambda: nn.prelu_forward(NINE.astype(">f4"), ROW)),
    ("found \\(2, 4, 9\\)", lambda: nn.PReLU(9).forward(np.stack([NINE, NINE]))),
    ("dx: expected None", lambda: trained(nn.PReLU(9)).backward(
        NINE, input_gradient=False, dx=NINE.copy())),
    ("input_gradient", lambda: trained(nn.PReLU(9)).backward(NINE, input_gradient=0)),  # type: ignore[arg-type]
    ("dx: .* shares its memory", lambda: trained(nn.PReLU(9)).backward(NINE, dx=NINE)),
    ("dx: expected an array", lambda: trained(nn.PReLU(9)).backward(NINE, dx=[])),  # type: ignore[arg-type]
    ("rate.*found 1", lambda: nn.dropout_forward(NINE, 1, seed=0)),
    ("rate", lambda: nn.dropout_forward(NINE, -0.1, seed=0)),
    ("rate", lambda: nn.Dropout(3, float("nan"))),
    ("seed", lambda: nn.dropout_forward(NINE, 0.5, seed=-1)),
    ("'gelu'", lambda: nn.activation_forward(NINE, "swish")),
    ("alpha: expected None", lambda: nn.Activation(3, "relu", alpha=0.1)),
    ("alpha", lambda: nn.Activation(3, "elu", alpha=-1)),
    ("activation", lambda: nn.Dense(3, 3, activation="gelu")),
    ("x: expected shape \\(batch, 3\\)", lambda: nn.dense_forward(NINE, np.ones((3, 2), "f"))),
    ("weight", lambda: nn.dense_forward(NINE, ROW)),
    ("bias", lambda: nn.dense_forward(NINE, np.ones((9, 2), "f"), ROW)),
    ("n_in", lambda: nn.Dense(0, 3)),
    ("init", lambda: nn.Dense(3, 3, init="orthogonal")),
    ("momentum", lambda: nn.BatchNorm(3, momentum=2)),
    ("inference", lambda: nn.BatchNorm(3, inference="mean")),
    ("takes 4 columns behind one that gives 5",
     lambda: nn.Sequential([nn.Dense(3, 5), nn.Dense(4, 1)])),
    ("at least one", lambda: nn.Sequential([])),
    ("one of them twice", lambda: nn.Sequential([nn.PReLU(3)] * 2)),
    ("inner", lambda: nn.Residual(3)),  # type: ignore[arg-type]
    ("hidden", lambda: nn.tower(3, (4, 0))),
    ("residual", lambda: nn.tower(3, residual=-1)),
    ("layers", lambda: nn.Sequential(nn.PReLU(3))),  # type: ignore[arg-type]
    ("hidden", lambda: nn.tower(3, 4)),  # type: ignore[arg-type]
    ("dropout", lambda: nn.tower(3, dropout=1)),
    ("call of forward", lambda: nn.PReLU(9).backward(NINE)),
]  # fmt: skip


@pytest.mark.parametrize(("message", "call"), REFUSED, ids=[f"{i}" for i in range(len(REFUSED))])
def test_refused(message: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_part_cannot_be_used_by_itself() -> None:
    part = nn.Dense(9, 9)
    nn.Residual(part)
    for call in (
        lambda: part.forward(NINE),
        lambda: part.predict(NINE),
        lambda: part.backward(NINE),
        lambda: nn.Residual(part),
        lambda: nn.Sequential([nn.PReLU(9), part]),
    ):
        with pytest.raises(ValueError, match="part of another"):
            call()


def test_backward_takes_the_cache_of_its_forward() -> None:
    _, cache = nn.dropout_forward(NINE, 0.5, seed=0)
    with pytest.raises(ValueError, match="prelu_forward"):
        nn.prelu_backward(NINE, cache)
    with pytest.raises(ValueError, match="dout: expected shape"):
        nn.dropout_backward(NINE[:2], cache)


def test_a_forward_pass_that_fails_leaves_nothing_to_go_back_from() -> None:
    network = nn.Sequential([nn.Dense(12, 9), nn.BatchNorm(9)])
    network.forward(X)
    with pytest.raises(ValueError, match="at least 2 rows"):
        network.forward(X[:1])
    with pytest.raises(ValueError, match="call of forward"):
        network.backward(np.ones((300, 9), np.float32))


def test_backward_keeps_its_arrays_while_another_thread_goes_forward() -> None:
    """Nothing else holds the batches; the freed ones would be other memory, or none."""
    layer = nn.LayerNorm(400)
    dout, dx = np.ones((2, 2048, 400), np.float32)
    layer.forward(np.ones_like(dout))

    def forward() -> None:
        layer.forward(np.ones_like(dout))

    def backward() -> None:
        with suppress(ValueError):  # between a forward pass's beginning and its end
            layer.backward(dout, dx=dx)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(call) for call in (forward, backward) * 100]:
            done.result()
    assert (dx == 0).all()  # of rows that are all alike


def test_backward_without_the_input_gradient() -> None:
    network = make(batch_norm=True, residual=1)
    dout = random(np.random.default_rng(1), 300, 1)
    network.forward(X)
    network.backward(dout)
    expected = [g.copy() for g in network.gradients.values()]
    for gradient in network.gradients.values():
        gradient[:] = np.nan
    assert network.backward(dout, input_gradient=False) is None
    assert all(map(np.array_equal, network.gradients.values(), expected))


def blas_threads() -> set[int]:
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_blas_keeps_to_one_thread_while_layers_run() -> None:
    with threadpool_limits(2, user_api="blas"):
        with blas.one_thread():
            assert blas_threads() == {1}
            with blas.one_thread():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == {2}
        with pytest.raises(ZeroDivisionError), blas.one_thread():
            _ = 1 / 0
        assert blas_threads() == {2}


def test_scipy_is_loaded_when_matrices_are_multiplied() -> None:
    code = (
        "import sys, pyfm; pyfm.nn; print('scipy' in sys.modules, 'threadpoolctl' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
