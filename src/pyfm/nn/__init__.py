"""Layers of neural networks, forward and backward, on float32 arrays of shape (batch, features).

Functions come in pairs: ``out, cache = …_forward(x, …)`` and ``dx, … = …_backward(dout, cache)``,
where ``dout`` is the gradient of a loss by ``out``. Layers are objects that keep their parameters,
and can be put together.
"""

from pyfm.nn.activations import (
    activation_backward,
    activation_forward,
    prelu_backward,
    prelu_forward,
)
from pyfm.nn.dense import dense_backward, dense_forward
from pyfm.nn.dropout import dropout_backward, dropout_forward
from pyfm.nn.layer import Layer
from pyfm.nn.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    PReLU,
)
from pyfm.nn.networks import Residual, Sequential, tower
from pyfm.nn.normalization import (
    batch_norm_backward,
    batch_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)

__all__ = [
    "dense_forward",
    "dense_backward",
    "batch_norm_forward",
    "batch_norm_backward",
    "layer_norm_forward",
    "layer_norm_backward",
    "dropout_forward",
    "dropout_backward",
    "activation_forward",
    "activation_backward",
    "prelu_forward",
    "prelu_backward",
    "Layer",
    "Dense",
    "BatchNorm",
    "LayerNorm",
    "Dropout",
    "Activation",
    "PReLU",
    "Residual",
    "Sequential",
    "tower",
]
