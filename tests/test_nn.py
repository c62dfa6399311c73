"""Each pair of functions against its oracle: batches of all sizes, odd widths, rows with gaps full
of NaN between them, on every SIMD level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference_nn as ref
from nn_arrays import SHAPES, Floats, close, doubles, gaps_untouched, padded, random

from pyfm import nn

Maker = Callable[[np.random.Generator, int], list[Floats]]


def norm_parameters(rng: np.random.Generator, n: int) -> list[Floats]:
    return [random(rng, n), random(rng, n)]


def relu_behind(oracle: Callable[..., ref.Result]) -> Callable[..., ref.Result]:
    return lambda x, *p: ref.then(oracle(x, *p), lambda y: ref.activation("relu", y))


def dense_with(name: str, n_out: int = 6) -> tuple[Any, ...]:
    return (
        lambda x, *p, **o: nn.dense_forward(x, *p, activation=name, **o),
        nn.dense_backward,
        lambda x, *p: ref.then(ref.dense(x, *p), lambda y: ref.activation(name, y)),
        lambda rng, n: [padded(random(rng, n, n_out) / np.sqrt(n)), random(rng, n_out)],
    )


def activation(name: str) -> tuple[Any, ...]:
    return (
        lambda x, **o: nn.activation_forward(x, name, **o),
        lambda dout, cache, **o: (nn.activation_backward(dout, cache, **o),),
        lambda x: ref.activation(name, x),
        lambda rng, n: [],
    )


# name -> (forward, backward, oracle, parameters for a width)
LAYERS: dict[str, tuple[Any, ...]] = {
    "batch_norm": (
        nn.batch_norm_forward, nn.batch_norm_backward, ref.batch_norm, norm_parameters
    ),
    "batch_norm, relu": (
        lambda *a, **o: nn.batch_norm_forward(*a, relu=True, **o), nn.batch_norm_backward,
        relu_behind(ref.batch_norm), norm_parameters,
    ),
    "layer_norm": (
        nn.layer_norm_forward, nn.layer_norm_backward, ref.layer_norm, norm_parameters
    ),
    "prelu": (nn.prelu_forward, nn.prelu_backward, ref.prelu, lambda rng, n: [random(rng, n)]),
    **{f"dense, {name}": dense_with(name) for name in ref.ACTIVATIONS if name != "gelu"},
    "dense, one output": dense_with("identity", 1),
    "dense, one output, tanh": dense_with("tanh", 1),
    **{name: activation(name) for name in ref.ACTIVATIONS},
}  # fmt: skip
each_layer = pytest.mark.parametrize("name", LAYERS)


def needs_two_rows(name: str) -> bool:
    return name.startswith("batch_norm")


@each_layer
def test_equals_the_oracle(name: str, level: str) -> None:
    forward, backward, oracle, parameters = LAYERS[name]
    for seed, (batch, width) in enumerate(SHAPES):
        # Of two numbers x̂ is ±1 whatever they are, of one it is 0: dx is rounding error.
        if {"batch": batch, "layer": width}.get(name.split("_")[0], 3) < 3:
            continue
        rng = np.random.default_rng(seed)
        x, own = padded(random(rng, batch, width)), parameters(rng, width)
        expected, slopes = oracle(*doubles([x, *own]))
        out = padded(np.zeros(expected.shape))
        dout, dx = padded(random(rng, *expected.shape)), padded(np.zeros(x.shape))
        same, cache = forward(x, *own, out=out)
        assert same is out
        close(out, expected)
        gradients = backward(dout, cache, dx=dx)
        assert gradients[0] is dx
        for found, wanted in zip(gradients, slopes(dout.astype(float)), strict=True):
            # dx of few numbers that are normalized is a small difference of larger ones.
            close(found, wanted, max(1.0, float(np.abs(wanted).max())))
        assert gaps_untouched(out)
        assert gaps_untouched(dx)


@each_layer
@pytest.mark.parametrize("n_threads", [2, 3, 4, 8])
def test_any_number_of_threads_gives_the_same_bits(name: str, n_threads: int) -> None:
    forward, backward, _, parameters = LAYERS[name]
    rng = np.random.default_rng(0)
    x, own = random(rng, 1500, 33), parameters(rng, 33)

    def run(n: int) -> list[bytes]:
        out, cache = forward(x, *own, n_threads=n)
        dout = random(np.random.default_rng(1), *out.shape)
        return [a.tobytes() for a in (out, *backward(dout, cache))]

    assert run(n_threads) == run(1)


@each_layer
def test_backward_can_be_repeated(name: str) -> None:
    forward, backward, _, parameters = LAYERS[name]
    rng = np.random.default_rng(0)
    x = random(rng, 70, 9)
    out, cache = forward(x, *parameters(rng, 9))
    for k in (1, 2):
        dout = random(np.random.default_rng(k), *out.shape)
        first = [a.copy() for a in backward(dout, cache)]
        again = backward(dout, cache)
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@each_layer
def test_an_empty_batch(name: str) -> None:
    forward, backward, _, parameters = LAYERS[name]
    x, own = np.empty((0, 5), np.float32), parameters(np.random.default_rng(0), 5)
    if needs_two_rows(name):
        with pytest.raises(ValueError, match="at least 2 rows"):
            forward(x, *own)
        return
    out, cache = forward(x, *own)
    for gradient in cache.gradients.values():
        gradient[:] = np.nan
    dx, *gradients = backward(out, cache)
    assert dx.shape == (0, 5)
    assert all((g == 0).all() for g in gradients)


@pytest.mark.parametrize("shape", [(5, 4), (70, 3)])
@each_layer
def test_oracles_by_differences(name: str, shape: tuple[int, int]) -> None:
    """Central differences in float64: a step of 1e-5 is off by 1e-10 and rounding."""
    _, _, oracle, parameters = LAYERS[name]
    rng = np.random.default_rng(3)
    arrays = doubles([random(rng, *shape), *parameters(rng, shape[1])])
    out, backward = oracle(*arrays)
    dout = rng.normal(size=out.shape)
    for which, gradient in enumerate(backward(dout)):
        at = tuple(rng.integers(0, n) for n in gradient.shape)
        values = []
        for step in (1e-5, -1e-5):
            moved = [a.copy() for a in arrays]
            moved[which][at] += step
            values.append((oracle(*moved)[0] * dout).sum())
        assert gradient[at] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6, abs=1e-6)
