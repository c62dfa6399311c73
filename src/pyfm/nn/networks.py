"""Layers that are made of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pyfm import _core
from pyfm.checks import check_bool, check_choice, check_fraction, check_int, check_real, refuse
from pyfm.nn.layer import Layer
from pyfm.nn.layers import ACTIVATIONS, INFERENCES, INITS, Dense, width


class Sequential(Layer):
    """Layers one behind the other. They become parts of it, and cannot be used by themselves.

    Parameters
    ----------
    layers : list of Layer
        Each as wide as the one before it gives.
    random_state : int, optional
        Gives all parameters their initial values anew; without it they keep what they have.

    Attributes
    ----------
    parameters : dict
        The arrays of the layers, by the number of the layer and their name: ``0.weight``.

    Raises
    ------
    ValueError
        If there is no layer, one is there twice or a part of another already, or the widths do not
        chain.

    Examples
    --------
    A step of gradient descent on the squared loss:

    >>> import numpy as np
    >>> from pyfm import nn
    >>> x, y = np.eye(4, dtype=np.float32), np.ones((4, 1), np.float32)
    >>> layers = [nn.Dense(4, 8, bias=False), nn.BatchNorm(8, relu=True), nn.Dense(8, 1)]
    >>> network = nn.Sequential(layers, random_state=0)
    >>> before = network.forward(x)
    >>> _ = network.backward(before - y)
    >>> for name, value in network.parameters.items():
    ...     value -= 0.05 * network.gradients[name]
    >>> after = network.forward(x)
    >>> bool(((after - y) ** 2).sum() < ((before - y) ** 2).sum())
    True
    """

    def __init__(self, layers: Iterable[Layer], *, random_state: int | None = None) -> None:
        parts = list(layers) if isinstance(layers, Iterable) else []
        if not parts or not all(isinstance(part, Layer) for part in parts):
            refuse("layers", "a list of layers, at least one", layers)
        # Checked here, since the core takes the layers away before it looks at them.
        if len(set(map(id, parts))) < len(parts):
            raise ValueError("layers: expected different layers, found one of them twice")
        for i, (first, second) in enumerate(pairwise(parts)):
            if first.n_out != second.n_in:
                raise ValueError(
                    f"layers: expected widths that chain, found layer {i + 1} that takes "
                    f"{second.n_in} columns behind one that gives {first.n_out}"
                )
        super().__init__(
            _core.sequential([part._core for part in parts]),
            [value for part in parts for value in part._values],
            [gradient for part in parts for gradient in part._gradients],
        )
        if random_state is not None:
            self.initialize(random_state)


class Residual(Layer):
    """A residual block: F(x) + x; where F changes the width, F(x) + x P.

    Parameters
    ----------
    inner : Layer
        F, which becomes a part of it.
    init : {"he_uniform", "he_normal", "xavier_uniform", "xavier_normal"}, default="xavier_uniform"
        How P starts.
    random_state : int, optional
        Gives all parameters their initial values anew; without it, those of `inner` keep what they
        have.

    Attributes
    ----------
    parameters : dict
        Those of `inner`, such as ``inner.weight``, and ``projection.weight``: P, of shape
        (n_in, n_out).

    References
    ----------
    K. He et al.: Deep residual learning for image recognition. CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> block = nn.Residual(nn.Activation(2, "relu"))
    >>> block.forward(np.array([[-1, 1]], np.float32))
    array([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self, inner: Layer, *, init: str = "xavier_uniform", random_state: int | None = None
    ) -> None:
        if not isinstance(inner, Layer):
            refuse("inner", "a layer", inner)
        check_choice("init", init, INITS)
        parts = [inner]
        if inner.n_in != inner.n_out:
            parts.append(Dense(inner.n_in, inner.n_out, bias=False, init=init))
        super().__init__(
            _core.residual(inner._core, init=init),
            [value for part in parts for value in part._values],
            [gradient for part in parts for gradient in part._gradients],
        )
        if random_state is not None:
            self.initialize(random_state)


def tower(
    n_in: int,
    hidden: Sequence[int] = (400, 400, 400),
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    inference: str = "population",
    momentum: float = 0.1,
    eps: float = 1e-5,
    dropout: float = 0.0,
    residual: int = 0,
    random_state: int | None = None,
) -> Layer:
    """The network of a deep CTR model: hidden layers, and a score.

    For each hidden width: dense (without bias where normalization follows, which has its own),
    batch normalization, activation, dropout. What follows the last is dense, of width 1.

    Parameters
    ----------
    n_in : int
        Width of the input.
    hidden : sequence of int, default=(400, 400, 400)
        Widths of the hidden layers; none makes a linear model of the input.
    activation : str, default="relu"
        A name of `Activation`, or "prelu".
    batch_norm : bool, default=False
        Whether to normalize.
    inference, momentum, eps
        As in `BatchNorm`.
    dropout : float, default=0
        Rate of dropout, at least 0 and below 1.
    residual : int, default=0
        Hidden layers in each residual block; 0: there are none.
    random_state : int, optional
        Of the initial values: He's uniform scheme, Xavier's for sigmoid, tanh, identity and the
        score.

    Returns
    -------
    Layer
        From (batch, n_in) to (batch, 1).

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from pyfm import nn
    >>> network = nn.tower(16, (32, 8), batch_norm=True, dropout=0.1, random_state=0)
    >>> network.forward(np.eye(16, dtype=np.float32)).shape
    (16, 1)
    >>> list(network.parameters)[:3]
    ['0.weight', '1.gamma', '1.beta']
    """
    if isinstance(hidden, str) or not isinstance(hidden, Iterable):
        refuse("hidden", "a sequence of widths", hidden)
    core = _core.tower(
        width("n_in", n_in), hidden=[width("hidden", n) for n in hidden],
        activation=check_choice("activation", activation, (*ACTIVATIONS, "prelu")),
        batch_norm=check_bool("batch_norm", batch_norm),
        eps=check_real("eps", eps, positive=True),
        momentum=check_fraction("momentum", momentum, one=True),
        inference=check_choice("inference", inference, INFERENCES),
        dropout=check_fraction("dropout", dropout, zero=True),
        residual=check_int("residual", residual, 0, 2**31 - 1),
    )  # fmt: skip
    network = Layer(core)
    network.initialize(random_state)
    return network
