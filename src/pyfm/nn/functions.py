"""Pairs of functions: dense layers and dropout."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_choice, check_int, refuse
from pyfm.nn.layer import Floats
from pyfm.nn.layers import IN_DENSE, check_rate, width
from pyfm.nn.pairs import Cache, backward, cached, columns


def dense_forward(
    x: Floats,
    weight: Floats,
    bias: Floats | None = None,
    *,
    activation: str = "identity",
    n_threads: int = 1,
    out: Floats | None = None,
) -> tuple[Floats, Cache]:
    r"""Fully connected: :math:`f(x W + b)`.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, n_in)
        Arrays are not copied, here and elsewhere in `pyfm.nn`: other types than float32, and rows
        whose numbers do not lie side by side, are refused. Kept in the cache.
    weight : ndarray of float32, shape (n_in, n_out)
    bias : ndarray of float32, shape (n_out,), optional
    activation : str, default="identity"
        f, computed in passing: any of `Activation` but "gelu".
    n_threads : int, default=1
        0: all processors. The result does not depend on it.
    out : ndarray of float32, shape (batch, n_out), optional
        Where to write; by default a new array.

    Returns
    -------
    out : ndarray of float32, shape (batch, n_out)
    cache
        For `dense_backward`; holds the arrays, which have to stay as they are until then.

    Raises
    ------
    ValueError
        If an array is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> x, w = np.array([[1, 2]], np.float32), np.array([[1, 0, -1], [0, 1, 0]], np.float32)
    >>> out, cache = nn.dense_forward(x, w, activation="relu")
    >>> out
    array([[1., 2., 0.]], dtype=float32)
    >>> dx, dweight, dbias = nn.dense_backward(np.ones_like(out), cache)
    >>> dx
    array([[1., 1.]], dtype=float32)
    """
    if getattr(weight, "ndim", None) != 2:
        refuse("weight", "an array of float32, shape (n_in, n_out)", weight)
    core = _core.dense(
        width("rows of weight", weight.shape[0]), width("columns of weight", weight.shape[1]),
        bias=bias is not None, activation=check_choice("activation", activation, IN_DENSE),
        alpha=None, init="he_uniform",
    )  # fmt: skip
    cache = cached("dense", core, *(weight,) if bias is None else (weight, bias))
    return cache.forward(x, n_threads=n_threads, out=out), cache


def dense_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats, Floats | None]:
    """Gradients of `dense_forward`.

    Parameters
    ----------
    dout : ndarray of float32, shape (batch, n_out)
        Gradient of a loss by the output.
    cache
        Of the forward call, whose `n_threads` is used here, too.
    dx : ndarray of float32, shape (batch, n_in), optional
        Where to write; by default a new array.

    Returns
    -------
    dx : ndarray of float32, shape (batch, n_in)
    dweight : ndarray of float32, shape (n_in, n_out)
    dbias : ndarray of float32, shape (n_out,), or None
        None where there is no bias.

    Raises
    ------
    ValueError
        If an array is not as described, or the cache is of another function.
    """
    dx = backward("dense", dout, cache, dx)
    return dx, cache.gradients["weight"], cache.gradients.get("bias")


def dropout_forward(
    x: Floats, rate: float, *, seed: int, n_threads: int = 1, out: Floats | None = None
) -> tuple[Floats, Cache]:
    """Dropout, inverted: numbers become 0 with probability `rate`, others are scaled up.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
    rate : float
        At least 0 and below 1; what is kept is multiplied by 1 / (1 - rate).
    seed : int
        What is dropped is a pure function of it, the row and the column.
    n_threads : int, default=1
        0: all processors. The result does not depend on it.
    out : ndarray of float32, shape (batch, features), optional
        Where to write; by default a new array.

    Returns
    -------
    out : ndarray of float32, shape (batch, features)
    cache
        For `dropout_backward`.

    Raises
    ------
    ValueError
        If an array or the rate is not as described.

    References
    ----------
    N. Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting. JMLR
    15, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> out, cache = nn.dropout_forward(np.ones((4, 100), np.float32), 0.5, seed=1)
    >>> dx = nn.dropout_backward(np.ones_like(out), cache)
    >>> bool((dx == out).all())
    True
    """
    cache = cached("dropout", _core.dropout(columns(x), check_rate(rate)))
    key = check_int("seed", seed, 0, 2**64 - 1)
    return cache.forward(x, seed=key, n_threads=n_threads, out=out), cache


def dropout_backward(dout: Floats, cache: Cache, *, dx: Floats | None = None) -> Floats:
    """Gradient of `dropout_forward` by x.

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
    return backward("dropout", dout, cache, dx)
