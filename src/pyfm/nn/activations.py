"""Pairs of functions: activations."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_choice
from pyfm.nn.layer import Floats
from pyfm.nn.layers import ACTIVATIONS, Activation
from pyfm.nn.pairs import Cache, backward, cached, columns


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
    n_threads : int, default=1
        0: all processors.
    out : ndarray of float32, shape (batch, features), optional
        Where to write; by default a new array.

    Returns
    -------
    out : ndarray of float32, shape (batch, features)
    cache
        For `activation_backward`.

    Raises
    ------
    ValueError
        If an array or a parameter is not as described.

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


def activation_backward(dout: Floats, cache: Cache, *, dx: Floats | None = None) -> Floats:
    """Gradient of `activation_forward` by x.

    Parameters
    ----------
    dout : ndarray of float32, shape (batch, features)
        Gradient of a loss by the output.
    cache
        Of the forward call.
    dx : ndarray of float32, shape (batch, features), optional
        Where to write; by default a new array.

    Returns
    -------
    ndarray of float32, shape (batch, features)

    Raises
    ------
    ValueError
        If an array is not as described, or the cache is of another function.
    """
    return backward("activation", dout, cache, dx)


def prelu_forward(
    x: Floats, alpha: Floats, *, n_threads: int = 1, out: Floats | None = None
) -> tuple[Floats, Cache]:
    """Parametric ReLU: x above 0, αx below.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
    alpha : ndarray of float32, shape (features,)
        α of each column.
    n_threads : int, default=1
        0: all processors. The result does not depend on it.
    out : ndarray of float32, shape (batch, features), optional
        Where to write; by default a new array.

    Returns
    -------
    out : ndarray of float32, shape (batch, features)
    cache
        For `prelu_backward`.

    Raises
    ------
    ValueError
        If an array is not as described.

    References
    ----------
    K. He et al.: Delving deep into rectifiers. ICCV 2015.
    """
    cache = cached("prelu", _core.prelu(columns(x)), alpha)
    return cache.forward(x, n_threads=n_threads, out=out), cache


def prelu_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats]:
    """Gradients of `prelu_forward`.

    Parameters
    ----------
    dout : ndarray of float32, shape (batch, features)
        Gradient of a loss by the output.
    cache
        Of the forward call.
    dx : ndarray of float32, shape (batch, features), optional
        Where to write; by default a new array.

    Returns
    -------
    dx : ndarray of float32, shape (batch, features)
    dalpha : ndarray of float32, shape (features,)

    Raises
    ------
    ValueError
        If an array is not as described, or the cache is of another function.
    """
    dx = backward("prelu", dout, cache, dx)
    return dx, cache.gradients["alpha"]
