"""Pairs of functions: batch and layer normalization."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_bool, check_real
from pyfm.nn.docs import documented
from pyfm.nn.layer import Floats
from pyfm.nn.pairs import Cache, backward, cached, columns


@documented
def batch_norm_forward(
    x: Floats,
    gamma: Floats,
    beta: Floats,
    eps: float = 1e-5,
    *,
    relu: bool = False,
    n_threads: int = 1,
    out: Floats | None = None,
) -> tuple[Floats, Cache]:
    r"""Batch normalization: :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    Mean μ and variance σ² (the biased one) are those of each column of the batch, with sums in
    float64 of those of 64 rows in float32. A column whose rows are all alike has variance 0,
    exactly, and gives β.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
        At least two rows, since one has no variance. A NaN makes its column NaN.
    gamma, beta : ndarray of float32, shape (features,)
    eps : float, default=1e-5
        ε, above 0.
    relu : bool, default=False
        Whether max(0, ·) follows, in the same pass.
    {pair}

    {batch_normalization}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> x = np.array([[1, 5], [3, 5]], np.float32)
    >>> out, cache = nn.batch_norm_forward(x, np.ones(2, np.float32), np.zeros(2, np.float32))
    >>> out.round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> dx, dgamma, dbeta = nn.batch_norm_backward(np.ones_like(x), cache)
    >>> dbeta
    array([2., 2.], dtype=float32)
    """
    core = _core.batch_norm(
        columns(x), eps=check_real("eps", eps, positive=True), momentum=1.0,
        inference="population", relu=check_bool("relu", relu),
    )  # fmt: skip
    cache = cached("batch_norm", core, gamma, beta)
    return cache.forward(x, n_threads=n_threads, out=out), cache


@documented
def batch_norm_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    r"""Gradients of `batch_norm_forward`.

    With :math:`\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}` and means over the batch,

    .. math:: dx = \gamma / \sqrt{\sigma^2 + \epsilon}
        \left( dout - \overline{dout} - \hat x \, \overline{dout \, \hat x} \right)

    {back}

    Returns
    -------
    dx : ndarray of float32, shape (batch, features)
    dgamma, dbeta : ndarray of float32, shape (features,)

    {raises_back}
    """
    dx = backward("batch_norm", dout, cache, dx)
    return dx, cache.gradients["gamma"], cache.gradients["beta"]


@documented
def layer_norm_forward(
    x: Floats,
    gamma: Floats,
    beta: Floats,
    eps: float = 1e-5,
    *,
    n_threads: int = 1,
    out: Floats | None = None,
) -> tuple[Floats, Cache]:
    r"""Layer normalization: :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    Mean μ and variance σ² are those of each row.

    Parameters
    ----------
    x : ndarray of float32, shape (batch, features)
        A NaN makes its row NaN.
    gamma, beta : ndarray of float32, shape (features,)
    eps : float, default=1e-5
        ε, above 0.
    {pair}

    {layer_normalization}
    """
    core = _core.layer_norm(columns(x), eps=check_real("eps", eps, positive=True))
    cache = cached("layer_norm", core, gamma, beta)
    return cache.forward(x, n_threads=n_threads, out=out), cache


@documented
def layer_norm_backward(
    dout: Floats, cache: Cache, *, dx: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Gradients of `layer_norm_forward`.

    {back}

    Returns
    -------
    dx : ndarray of float32, shape (batch, features)
    dgamma, dbeta : ndarray of float32, shape (features,)

    {raises_back}
    """
    dx = backward("layer_norm", dout, cache, dx)
    return dx, cache.gradients["gamma"], cache.gradients["beta"]
