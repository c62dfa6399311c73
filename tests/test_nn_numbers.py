"""Accuracy where it is hard: large means, constant columns, tails; NaN; dropout's masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference_nn as ref
from nn_arrays import Floats, close, random

from pyfm import nn

ONES, ZEROS = np.ones(4, np.float32), np.zeros(4, np.float32)


def test_statistics_of_columns_with_large_means(level: str) -> None:
    """float32 keeps 1e-7 of a number; the variance loses nothing that the numbers still have."""
    rng = np.random.default_rng(0)
    means = [1e3, -1e4, 1e5, 0]
    x = (rng.normal(size=(5000, 4)) + means).astype(np.float32)
    layer = nn.BatchNorm(4)
    out = layer.forward(x)
    exact = x.astype(float)
    np.testing.assert_allclose(
        layer.buffers["population_variance"], exact.var(0, ddof=1), rtol=1e-6
    )
    np.testing.assert_allclose(
        layer.buffers["population_mean"], exact.mean(0), rtol=1e-7, atol=1e-7
    )
    expected, _ = ref.batch_norm(exact, ONES.astype(float), ZEROS.astype(float))
    # The mean is rounded to float32 once: by 1e5 · 6e-8 at most.
    np.testing.assert_allclose(out, expected, atol=6e-3, rtol=1e-5)
    np.testing.assert_allclose(out[:, 3], expected[:, 3], atol=1e-6, rtol=1e-5)


def test_columns_that_move_or_jump(level: str) -> None:
    x = np.zeros((4096, 4), np.float32)
    x[:, 0] = np.arange(4096)
    x[:, 1] = np.arange(4096) > 4000
    x[0, 2] = 1e6
    x[-1, 3] = 1e-20  # its square is no float32
    layer = nn.BatchNorm(4)
    layer.forward(x)
    exact = x.astype(float)
    # An outlier in the first row of a piece costs 6 of float32's 24 bits, of sums of squares that
    # have been rounded some 10 times, by 6e-8 each.
    for j, rtol in ((0, 1e-6), (1, 1e-6), (2, 64 * 6e-7)):
        variance = layer.buffers["population_variance"][j]
        assert variance == pytest.approx(exact[:, j].var(ddof=1), rel=rtol)
    assert layer.buffers["population_variance"][3] >= 0


@pytest.mark.parametrize("value", [0.0, 0.1, -1e4 / 3, 1e30])
@pytest.mark.parametrize("batch", [2, 63, 64, 65, 1000, 4097])
def test_identical_columns(value: float, batch: int, level: str) -> None:
    x = np.full((batch, 4), value, np.float32)
    layer = nn.BatchNorm(4)
    layer.parameters["beta"][:] = [0, 1, 2, 3]
    assert (layer.forward(x) == layer.parameters["beta"]).all()
    assert (layer.buffers["population_variance"] == 0).all()
    dx = layer.backward(random(np.random.default_rng(0), batch, 4))
    assert dx is not None
    assert np.isfinite(dx).all()
    assert all(np.isfinite(g).all() for g in layer.gradients.values())


def test_rows_with_large_means(level: str) -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(50, 401)) + 1e4).astype(np.float32)
    gamma, beta = np.ones(401, np.float32), np.zeros(401, np.float32)
    out, _ = nn.layer_norm_forward(x, gamma, beta)
    expected, _ = ref.layer_norm(x.astype(float), gamma.astype(float), beta.astype(float))
    np.testing.assert_allclose(out, expected, atol=1e-3, rtol=1e-5)
    same, _ = nn.layer_norm_forward(np.full((3, 401), 1e4 / 3, np.float32), gamma, beta)
    assert (same == 0).all()


NUMBERS = np.concatenate(
    [s * np.logspace(-30, 2.1, 4001) for s in (1.0, -1.0)] + [np.linspace(-20, 20, 4001)]
).astype(np.float32)


@pytest.mark.parametrize("name", ref.ACTIVATIONS)
def test_activations_to_a_few_units_in_the_last_place(name: str, level: str) -> None:
    """6 of them; in the tail of gelu, where e^(-x²/2) multiplies the error of x² / 2, up to 100
    without fused multiply-add."""
    out, cache = nn.activation_forward(NUMBERS[None], name)
    expected, slopes = ref.activation(name, NUMBERS.astype(float))
    normal = np.abs(expected) > 1e-37  # what is smaller may be 0
    with np.errstate(all="ignore"):
        off = np.abs(out[0] - expected) / np.spacing(np.abs(expected).astype(np.float32))
    tail = (name == "gelu") & (NUMBERS < -2)
    assert off[normal & ~tail].max() <= 6
    assert off[normal].max() <= 100
    assert (np.abs(out[0][~normal]) <= 2e-37).all()
    # Slopes come from outputs where they can: to some units in the last place of 1.
    dx = nn.activation_backward(np.ones_like(out), cache)
    np.testing.assert_allclose(dx[0], slopes(np.ones(len(NUMBERS)))[0], rtol=1e-5, atol=1e-6)


LIMITS = {  # at -∞ and ∞; gelu's is -∞ · 0
    "identity": (-math.inf, math.inf), "relu": (0, math.inf), "leaky_relu": (-math.inf, math.inf),
    "elu": (-1, math.inf), "sigmoid": (0, 1), "tanh": (-1, 1), "gelu": (math.nan, math.inf),
}  # fmt: skip


@pytest.mark.parametrize("name", ref.ACTIVATIONS)
def test_infinite_numbers_and_nan(name: str, level: str) -> None:
    x = np.array([[-np.inf, np.inf, np.nan, 1, 1, 1, 1, 1, 1]], np.float32)
    out, _ = nn.activation_forward(x, name)
    assert tuple(out[0, :2]) == pytest.approx(LIMITS[name], nan_ok=True)
    assert math.isnan(out[0, 2])
    assert not np.isnan(out[0, 3:]).any()


def test_nan_stays_in_its_column_or_row(level: str) -> None:
    x = random(np.random.default_rng(0), 100, 9)
    x[70, 4] = np.nan
    nine, none = np.ones(9, np.float32), np.zeros(9, np.float32)
    out, _ = nn.batch_norm_forward(x, nine, none)
    assert (np.isnan(out) == (np.arange(9) == 4)).all()
    out, _ = nn.layer_norm_forward(x, nine, none)
    assert (np.isnan(out) == (np.arange(100) == 70)[:, None]).all()
    out, _ = nn.dense_forward(x, np.ones((9, 2), np.float32))
    assert (np.isnan(out) == (np.arange(100) == 70)[:, None]).all()


def mask(rate: float, seed: int, shape: tuple[int, int] = (2000, 70), n_threads: int = 1) -> Floats:
    out, _ = nn.dropout_forward(np.ones(shape, np.float32), rate, seed=seed, n_threads=n_threads)
    return out


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_dropout_drops_its_share(rate: float, level: str) -> None:
    out = mask(rate, 1)
    kept = out != 0
    close(out[kept], np.full(kept.sum(), 1 / (1 - rate)))
    # Within five standard deviations: of the whole, and of the worst of 70 columns and 2000 rows.
    for share, n in ((kept.mean(), kept.size), *((kept.mean(a), kept.shape[a]) for a in (0, 1))):
        deviation = math.sqrt(rate * (1 - rate) / n)
        assert np.abs(share - (1 - rate)).max() <= 5 * deviation + 1 / n


def test_dropout_is_independent_between_rows_columns_and_seeds() -> None:
    a, b = mask(0.5, 1) / 2, mask(0.5, 2) / 2
    for one, other in ((a, b), (a[1:], a[:-1]), (a[:, 1:], a[:, :-1])):
        agree = (one == other).mean()
        assert abs(agree - 0.5) < 5 * 0.5 / math.sqrt(one.size)


def test_dropout_is_a_function_of_seed_row_and_column() -> None:
    whole = mask(0.3, 7)
    for n_threads in (2, 3, 4, 8):
        assert np.array_equal(mask(0.3, 7, n_threads=n_threads), whole)
    assert np.array_equal(mask(0.3, 7, (100, 33)), whole[:100, :33])
    assert not np.array_equal(mask(0.3, 8), whole)
    out, cache = nn.dropout_forward(np.ones((2000, 70), np.float32), 0.3, seed=7)
    assert np.array_equal(nn.dropout_backward(np.ones_like(out), cache), whole)


def test_dropout_may_drop_nan(level: str) -> None:
    out, _ = nn.dropout_forward(np.full((3, 20), np.nan, np.float32), 0.3, seed=7)
    assert np.array_equal(np.isnan(out), mask(0.3, 7, (3, 20)) != 0)
    assert (out[mask(0.3, 7, (3, 20)) == 0] == 0).all()


def test_dropout_is_the_same_on_every_level(level: str) -> None:
    out = mask(0.3, 7, (3, 20))
    assert (out[0] == 0).nonzero()[0].tolist() == DROPPED


DROPPED = [1, 2, 6, 11, 17, 18]
