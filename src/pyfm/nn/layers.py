"""The layers, but for those that are made of others."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import check_bool, check_choice, check_fraction, check_int, check_real, refuse
from pyfm.nn.docs import documented
from pyfm.nn.layer import Layer

# Widths are BLAS's integers.
MAX_WIDTH = 2**31 - 1

ACTIVATIONS = ("identity", "relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu")
IN_DENSE = ACTIVATIONS[:-1]
INITS = ("he_uniform", "he_normal", "xavier_uniform", "xavier_normal")
INFERENCES = ("population", "moving_average")


def width(name: str, value: object) -> int:
    return check_int(name, value, 1, MAX_WIDTH)


class Dense(Layer):
    r"""Fully connected: :math:`f(x W + b)`.

    Parameters
    ----------
    n_in, n_out : int
        Widths.
    activation : str, default="identity"
        f, computed in passing: any of `Activation` but "gelu".
    bias : bool, default=True
        Whether there is b.
    init : {"he_uniform", "he_normal", "xavier_uniform", "xavier_normal"}, default="he_uniform"
        How ``weight`` starts: variance 2 / n_in (He et al., for ReLU and its kin) or
        2 / (n_in + n_out) (Xavier: Glorot and Bengio). ``bias`` starts at 0.
    random_state : int, optional
        Of the initial values.

    Attributes
    ----------
    parameters : dict
        ``weight`` of shape (n_in, n_out), ``bias`` of shape (n_out,).

    References
    ----------
    X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural
    networks. AISTATS 2010.

    K. He et al.: Delving deep into rectifiers. ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> layer = nn.Dense(3, 2, activation="relu", random_state=0)
    >>> x = np.ones((5, 3), np.float32)
    >>> layer.forward(x).shape
    (5, 2)
    >>> layer.backward(np.ones((5, 2), np.float32)).shape
    (5, 3)
    >>> layer.gradients["weight"].shape
    (3, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        activation: str = "identity",
        bias: bool = True,
        init: str = "he_uniform",
        random_state: int | None = None,
    ) -> None:
        core = _core.dense(
            width("n_in", n_in), width("n_out", n_out), bias=check_bool("bias", bias),
            activation=check_choice("activation", activation, IN_DENSE),
            init=check_choice("init", init, INITS),
        )  # fmt: skip
        super().__init__(core)
        self.initialize(random_state)


@documented
class BatchNorm(Layer):
    r"""Batch normalization, :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    Training takes mean μ and variance σ² of each column from the batch. Prediction takes estimates
    of them, of which `buffers` holds both, whichever is used.

    Parameters
    ----------
    n : int
        Width.
    eps : float, default=1e-5
        ε.
    inference : {"population", "moving_average"}, default="population"
        "population" is the paper's: the mean, over the batches since `start_epoch`, of their means
        and of their unbiased variances. "moving_average": the newest batch (its variance unbiased)
        has weight `momentum`, what was there before 1 - `momentum`.
    momentum : float, default=0.1
        Above 0, at most 1.
    relu : bool, default=False
        Whether max(0, ·) follows, in the same pass.

    Attributes
    ----------
    parameters : dict
        ``gamma`` (starts at 1) and ``beta`` (0), shape (n,).
    buffers : dict
        ``population_mean``, ``population_variance``, ``moving_mean``, ``moving_variance``, shape
        (n,); ``n_batches`` of the epoch.

    {batch_normalization}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> layer = nn.BatchNorm(1)
    >>> layer.forward(np.array([[1.0], [3.0]], np.float32)).round(3).tolist()
    [[-1.0], [1.0]]
    >>> layer.buffers["population_mean"], layer.buffers["population_variance"]
    (array([2.]), array([2.]))
    """

    def __init__(
        self,
        n: int,
        *,
        eps: float = 1e-5,
        inference: str = "population",
        momentum: float = 0.1,
        relu: bool = False,
    ) -> None:
        core = _core.batch_norm(
            width("n", n), eps=check_real("eps", eps, positive=True),
            momentum=check_fraction("momentum", momentum, one=True),
            inference=check_choice("inference", inference, INFERENCES),
            relu=check_bool("relu", relu),
        )  # fmt: skip
        super().__init__(core)
        self.initialize(0)


@documented
class LayerNorm(Layer):
    r"""Layer normalization, :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    Mean μ and variance σ² are those of each row.

    Parameters
    ----------
    n : int
        Width.
    eps : float, default=1e-5
        ε.

    Attributes
    ----------
    parameters : dict
        ``gamma`` (starts at 1) and ``beta`` (0), shape (n,).

    {layer_normalization}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> nn.LayerNorm(2).forward(np.array([[1.0, 3.0]], np.float32)).round(3).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(self, n: int, *, eps: float = 1e-5) -> None:
        super().__init__(_core.layer_norm(width("n", n), eps=check_real("eps", eps, positive=True)))
        self.initialize(0)


@documented
class Dropout(Layer):
    """Dropout, inverted: training drops numbers and scales the others up, prediction does nothing.

    Parameters
    ----------
    n : int
        Width.
    rate : float
        Probability with which a number is dropped, at least 0 and below 1; the others are
        multiplied by 1 / (1 - rate).

    {dropout}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> layer, x = nn.Dropout(1000, 0.75), np.ones((1, 1000), np.float32)
    >>> set(layer.forward(x).ravel().tolist())
    {0.0, 4.0}
    >>> bool((layer.predict(x) == x).all())
    True
    """

    def __init__(self, n: int, rate: float) -> None:
        super().__init__(_core.dropout(width("n", n), check_fraction("rate", rate, zero=True)))


class Activation(Layer):
    r"""An activation, element by element.

    Parameters
    ----------
    n : int
        Width.
    name : {"identity", "relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu"}
        leaky_relu: αx below 0; elu: α(eˣ - 1) below 0; gelu: xΦ(x) with the normal distribution's
        Φ, the exact form. Within 6 units in the last place of float32; gelu below -2, where its
        values vanish, within 100.
    alpha : float, optional
        α, at least 0; by default 0.01 for leaky_relu, 1 for elu.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter: Fast and accurate deep network learning by
    exponential linear units (ELUs). ICLR 2016.

    D. Hendrycks, K. Gimpel: Gaussian error linear units (GELUs). arXiv:1606.08415, 2016.

    A. L. Maas, A. Y. Hannun, A. Y. Ng: Rectifier nonlinearities improve neural network acoustic
    models. ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> nn.Activation(2, "leaky_relu", alpha=0.5).forward(np.array([[-1, 1]], np.float32))
    array([[-0.5,  1. ]], dtype=float32)
    """

    def __init__(self, n: int, name: str, *, alpha: float | None = None) -> None:
        check_choice("name", name, ACTIVATIONS)
        if alpha is not None:
            if name not in ("leaky_relu", "elu"):
                refuse("alpha", f"None, since {name} has no α", alpha)
            alpha = check_real("alpha", alpha)
        super().__init__(_core.activation(width("n", n), name, alpha=alpha))


@documented
class PReLU(Layer):
    """Parametric ReLU: x above 0, αx below, with an α of each column that is trained.

    Parameters
    ----------
    n : int
        Width.

    Attributes
    ----------
    parameters : dict
        ``alpha`` of shape (n,), which starts at 0.25.

    {delving_deep}

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> nn.PReLU(2).forward(np.array([[-1, 1]], np.float32))
    array([[-0.25,  1.  ]], dtype=float32)
    """

    def __init__(self, n: int) -> None:
        super().__init__(_core.prelu(width("n", n)))
        self.initialize(0)
