"""Slow, obvious twins of the layers: float64, straight from the formulas.

Each takes a batch and its parameters, and returns the output and a function from the gradient of a
loss by the output to the gradients by the batch and by each parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Backward = Callable[[Array], tuple[Array, ...]]
Result = tuple[Array, Backward]


def dense(x: Array, weight: Array, bias: Array) -> Result:
    def backward(dout: Array) -> tuple[Array, ...]:
        return dout @ weight.T, x.T @ dout, dout.sum(0)

    return x @ weight + bias, backward


def _normalize(x: Array, axis: int, eps: float) -> tuple[Array, Callable[[Array], Array]]:
    """x̂, and from a gradient by x̂ to that by x, the long way round: through mean and variance."""
    n = x.shape[axis]
    mean = x.mean(axis, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis, keepdims=True)
    deviation = np.sqrt(variance + eps)
    normalized = (x - mean) / deviation

    def backward(g: Array) -> Array:
        by_variance = (g * (x - mean)).sum(axis, keepdims=True) * -0.5 / deviation**3
        by_mean = -g.sum(axis, keepdims=True) / deviation
        by_mean = by_mean - by_variance * 2 * (x - mean).mean(axis, keepdims=True)
        total: Array = g / deviation + by_variance * 2 * (x - mean) / n + by_mean / n
        return total

    return normalized, backward


def _norm(x: Array, gamma: Array, beta: Array, axis: int, eps: float) -> Result:
    normalized, of_normalized = _normalize(x, axis, eps)

    def backward(dout: Array) -> tuple[Array, ...]:
        return of_normalized(dout * gamma), (dout * normalized).sum(0), dout.sum(0)

    return normalized * gamma + beta, backward


def batch_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _norm(x, gamma, beta, 0, eps)


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _norm(x, gamma, beta, 1, eps)


def prelu(x: Array, alpha: Array) -> Result:
    def backward(dout: Array) -> tuple[Array, ...]:
        return dout * np.where(x > 0, 1, alpha), (dout * np.minimum(x, 0)).sum(0)

    return np.where(x > 0, x, alpha * x), backward


def _cumulative(x: float) -> float:
    """Of the standard normal distribution, without cancellation in the lower tail."""
    return math.erfc(-x / math.sqrt(2)) / 2


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


# name -> (value, slope) at a number, with the default α.
ACTIVATIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "identity": (lambda x: x, lambda x: 1.0),
    "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
    "leaky_relu": (lambda x: x if x > 0 else 0.01 * x, lambda x: 1.0 if x > 0 else 0.01),
    "elu": (lambda x: x if x > 0 else math.expm1(x), lambda x: 1.0 if x > 0 else math.exp(x)),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "tanh": (math.tanh, lambda x: 1 / math.cosh(x) ** 2),
    "gelu": (lambda x: x * _cumulative(x), lambda x: _cumulative(x) + x * _density(x)),
}


def activation(name: str, x: Array) -> Result:
    value, slope = (np.vectorize(f, otypes=[float]) for f in ACTIVATIONS[name])
    return value(x), lambda dout: (dout * slope(x),)


def then(first: Result, second: Callable[[Array], Result]) -> Result:
    """One layer behind another; gradients by the input, and by the first one's parameters."""
    out, backward = second(first[0])
    return out, lambda dout: first[1](backward(dout)[0])
