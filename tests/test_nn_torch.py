"""Layers against PyTorch's: the same float32 numbers in, its float64 results out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nn_arrays import SHAPES, close, padded, random

from pyfm import nn

torch = pytest.importorskip("torch", reason="PyTorch is a peer to compare with, no dependency")
F = torch.nn.functional

# name -> (theirs, our activation, α)
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], float | None]] = {
    "relu": (F.relu, None),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), 0.2),
    "elu": (lambda x: F.elu(x, 1.5), 1.5),
    "sigmoid": (torch.sigmoid, None),
    "tanh": (torch.tanh, None),
    "gelu": (F.gelu, None),
}


def parameters(rng: np.random.Generator, n: int) -> list[Any]:
    return [random(rng, n), random(rng, n)]


def activation(name: str) -> tuple[Any, ...]:
    theirs, alpha = ACTIVATIONS[name]
    return (
        lambda x: nn.activation_forward(x, name, alpha=alpha),
        lambda dout, cache: (nn.activation_backward(dout, cache),),
        theirs,
        lambda rng, n: [],
    )


# name -> (forward, backward, theirs, parameters for a width)
PAIRS: dict[str, tuple[Any, ...]] = {
    "batch_norm": (
        nn.batch_norm_forward, nn.batch_norm_backward,
        lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True), parameters,
    ),
    "batch_norm, relu": (
        lambda *a: nn.batch_norm_forward(*a, relu=True), nn.batch_norm_backward,
        lambda x, g, b: F.relu(F.batch_norm(x, None, None, g, b, training=True)), parameters,
    ),
    "layer_norm": (
        nn.layer_norm_forward, nn.layer_norm_backward,
        lambda x, g, b: F.layer_norm(x, x.shape[1:], g, b), parameters,
    ),
    "dense": (
        nn.dense_forward, nn.dense_backward, lambda x, w, b: x @ w + b,
        lambda rng, n: [padded(random(rng, n, 7) / np.sqrt(n)), random(rng, 7)],
    ),
    "prelu": (
        nn.prelu_forward, nn.prelu_backward, F.prelu, lambda rng, n: [random(rng, n)]
    ),
    **{name: activation(name) for name in ACTIVATIONS},
}  # fmt: skip


def tensor(array: Any) -> Any:
    return torch.tensor(array.astype(np.float64), requires_grad=True)


@pytest.mark.parametrize("name", PAIRS)
def test_forward_and_backward(name: str, level: str) -> None:
    forward, backward, theirs, make = PAIRS[name]
    for seed, (batch, width) in enumerate(SHAPES):
        # Of two numbers x̂ is ±1 whatever they are, of one it is 0: dx is rounding error.
        if {"batch": batch, "layer": width}.get(name.split("_")[0], 3) < 3:
            continue
        rng = np.random.default_rng(100 + seed)
        arrays = [padded(random(rng, batch, width)), *make(rng, width)]
        out, cache = forward(*arrays)
        dout = padded(random(rng, *out.shape))
        tensors = [tensor(a) for a in arrays]
        expected = theirs(*tensors)
        expected.backward(torch.tensor(dout.astype(np.float64)))
        close(out, expected.detach().numpy())
        for found, t in zip(backward(dout, cache), tensors, strict=True):
            wanted = t.grad.numpy()
            close(found, wanted, max(1.0, float(np.abs(wanted).max())))


class Twin(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
    """The tower, of PyTorch's parts, with our parameters."""

    def __init__(self, ours: nn.Layer, batch_norm: bool, activation: str) -> None:
        super().__init__()
        p = list(ours.parameters.values())
        self.layers = torch.nn.Sequential()
        at = 0
        for _ in range(2):
            weight = p[at]
            at += 1
            dense = torch.nn.Linear(*weight.shape, bias=not batch_norm)
            dense.weight.data = torch.tensor(weight.T.copy())
            self.layers.append(dense)
            if batch_norm:
                self.layers.append(torch.nn.BatchNorm1d(weight.shape[1]))
                at += 2
            else:
                dense.bias.data = torch.tensor(p[at])
                at += 1
            self.layers.append({"relu": torch.nn.ReLU(), "gelu": torch.nn.GELU()}[activation])
        last = torch.nn.Linear(*p[at].shape)
        last.weight.data, last.bias.data = torch.tensor(p[at].T.copy()), torch.tensor(p[at + 1])
        self.layers.append(last)

    def forward(self, x: Any) -> Any:
        return self.layers(x)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_tower_takes_the_same_steps(batch_norm: bool, activation: str) -> None:
    """20 steps of SGD, in float64 there: float32's rounding grows from step to step."""
    ours = nn.tower(
        24, (33, 17), batch_norm=batch_norm, activation=activation, random_state=0,
        inference="moving_average",
    )  # fmt: skip
    theirs = Twin(ours, batch_norm, activation).double()
    steps = torch.optim.SGD(theirs.parameters(), 0.05)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = random(rng, 257, 24), random(rng, 257, 1)
        out = ours.forward(x)
        ours.backward(((out - y) / len(x)).astype(np.float32), input_gradient=False)
        for name, value in ours.parameters.items():
            value -= np.float32(0.05) * ours.gradients[name]
        scores = theirs(torch.tensor(x.astype(np.float64)))
        steps.zero_grad()
        (((scores - torch.tensor(y.astype(np.float64))) ** 2).mean() / 2).backward()
        steps.step()
        np.testing.assert_allclose(out, scores.detach().numpy(), atol=1e-4, rtol=1e-4)
    theirs.eval()
    expected = theirs(torch.tensor(x.astype(np.float64))).detach().numpy()
    np.testing.assert_allclose(ours.predict(x), expected, atol=1e-4, rtol=1e-4)
