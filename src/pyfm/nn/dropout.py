"""A pair of functions: dropout."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_fraction, check_int
from pyfm.nn.docs import documented
from pyfm.nn.layer import Floats
from pyfm.nn.pairs import Cache, backward, cached, columns


@documented
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
    {pair}

    {dropout}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> out, cache = nn.dropout_forward(np.ones((4, 100), np.float32), 0.5, seed=1)
    >>> dx = nn.dropout_backward(np.ones_like(out), cache)
    >>> bool((dx == out).all())
    True
    """
    cache = cached("dropout", _core.dropout(columns(x), check_fraction("rate", rate, zero=True)))
    key = check_int("seed", seed, 0, 2**64 - 1)
    return cache.forward(x, seed=key, n_threads=n_threads, out=out), cache


@documented
def dropout_backward(dout: Floats, cache: Cache, *, dx: Floats | None = None) -> Floats:
    """Gradient of `dropout_forward` by x.

    {back}

    Returns
    -------
    ndarray of float32, shape (batch, features)

    {raises_back}
    """
    return backward("dropout", dout, cache, dx)
