"""What the pairs of functions share."""

from __future__ import annotations

from pyfm import _core
from pyfm.checks import refuse
from pyfm.nn.layer import Floats, Layer, check_array, check_matrix
from pyfm.nn.layers import width


class Cache(Layer):
    """What a forward function leaves for its backward function; `kind` says which."""

    kind: str


def cached(kind: str, core: _core.Layer, *values: Floats) -> Cache:
    """A layer whose parameters are the caller's arrays."""
    for (name, _, _), value in zip(core.parameters(), values, strict=True):
        check_array(name, value)
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
    return width("columns of x", check_matrix("x", x).shape[1])
