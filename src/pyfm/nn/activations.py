"""Pairs of functions: activations."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_choice
from pyfm.nn.docs import documented
from pyfm.nn.layer import Floats
from pyfm.nn.layers import ACTIVATIONS, Activation
from pyfm.nn.pairs import Cache, backward, cached, columns


@documented
def activation_forward(
    x: Floats,
    name: str,
    *,
    alpha: float | None = None,
    n_threads: int = 1,
    out: Floats | None = None,
) -> tuple[Floats, Cache]:
    """An activation, element by element.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
    name, alpha
        As in `Activation`.
    {pair}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> out, cache = nn.activation_forward(np.array([[-1, 0, 1]], np.float32), "tanh")
    >>> out.round(4).tolist()
    [[-0.7616000175476074, 0.0, 0.7616000175476074]]
    >>> nn.activation_backward(np.ones_like(out), cache).round(2).tolist()
    [[0.41999998688697815, 1.0, 0.41999998688697815]]
    """
    layer = Activation(columns(x), check_choice("name", name, ACTIVATIONS), alpha=alpha)
    cache = cached("activation", layer._core)
    return cache.forward(x, n_threads=n_threads, out=out), cache


@documented
def activation_backward(dout: Floats, cache: Cache, *, dx: Floats | None = None) -> Floats:
    """Gradient of `activation_forward` by x.

    {back}

    Returns
    -------
    ndarray of float32, shape (batch, features)

    {raises_back}
    """
    return backward("activation", dout, cache, dx)


@documented
def prelu_forward(
    x: Floats, alpha: Floats, *, n_threads: int = 1, out: Floats | None = None
) -> tuple[Floats, Cache]:
    """Parametric ReLU: x above 0, αx below.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
    alpha : ndarray of float32, shape (features,)
        α of each column.
    {pair}

    {delving_deep}
    """
    cache = cached("prelu", _core.prelu(columns(x)), alpha)
    return cache.forward(x, n_threads=n_threads, out=out), cache


@documented
def prelu_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats]:
    """Gradients of `prelu_forward`.

    {back}

    Returns
    -------
    dx : ndarray of float32, shape (batch, features)
    dalpha : ndarray of float32, shape (features,)

    {raises_back}
    """
    dx = backward("prelu", dout, cache, dx)
    return dx, cache.gradients["alpha"]
