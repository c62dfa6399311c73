"""What the pairs of functions share."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import refuse
from pyfm.nn.layer import Floats, Layer
from pyfm.nn.layers import width


class Cache(Layer):
    """What a forward function leaves for its backward function; `kind` says which."""

    kind: str


def cached(kind: str, core: _core.Layer, *values: Floats) -> Cache:
    """A layer whose parameters are the caller's arrays."""
    cache = Cache(core, values)
    cache.kind = kind
    return cache


def backward(kind: str, dout: Floats, cache: Cache, dx: Floats | None) -> Floats:
    if getattr(cache, "kind", None) != kind:
        refuse("cache", f"that of {kind}_forward", cache)
    gradient = cache.backward(dout, dx=dx)
    assert gradient is not None
    return gradient


def columns(x: Floats) -> int:
    """The width of a batch."""
    shape = getattr(x, "shape", None)
    if shape is None or len(shape) != 2:
        refuse("x", "an array of float32, shape (batch, features)", x)
    return width("columns of x", shape[1])
