"""A pair of functions: dense layers."""

from __future__ import annotations

from functools import partial

from pyfm import _core
from pyfm.checks import check_choice
from pyfm.nn.docs import documented
from pyfm.nn.layer import Floats, check_matrix
from pyfm.nn.layers import IN_DENSE, width
from pyfm.nn.pairs import Cache, backward, cached


@partial(documented, n_in="n_in", n_out="n_out")
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
        whose numbers do not lie side by side, are refused.
    weight : ndarray of float32, shape (n_in, n_out)
    bias : ndarray of float32, shape (n_out,), optional
    activation : str, default="identity"
        f, computed in passing: any of `Activation` but "gelu".
    {pair}

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
    n_in, n_out = check_matrix("weight", weight, "(n_in, n_out)").shape
    core = _core.dense(
        width("rows of weight", n_in), width("columns of weight", n_out),
        bias=bias is not None, activation=check_choice("activation", activation, IN_DENSE),
        init="he_uniform",
    )  # fmt: skip
    cache = cached("dense", core, *(weight,) if bias is None else (weight, bias))
    return cache.forward(x, n_threads=n_threads, out=out), cache


@partial(documented, n_in="n_in", n_out="n_out")
def dense_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats, Floats | None]:
    """Gradients of `dense_forward`.

    {back}

    Returns
    -------
    dx : ndarray of float32, shape (batch, n_in)
    dweight : ndarray of float32, shape (n_in, n_out)
    dbias : ndarray of float32, shape (n_out,), or None
        None where there is no bias.

    {raises_back}
    """
    dx = backward("dense", dout, cache, dx)
    return dx, cache.gradients["weight"], cache.gradients.get("bias")
