"""The values of vocabularies as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.encode.arrow import arrow
from pyfm.encode.sketch import N_REGISTERS
from pyfm.encode.tokens import arrow_type, string_buffers

Tensors = Mapping[str, NDArray[Any]]

# What there is of each type: strings have offsets, too.
_DTYPES: dict[str, Any] = {
    "int64": np.int64,
    "bool": np.int64,
    "uint64": np.uint64,
    "string": np.uint8,
    "binary": np.uint8,
    "pair": np.uint8,
    "counts": np.int64,
    "registers": np.uint8,
}


def pack(name: str, values: Any) -> dict[str, NDArray[Any]]:
    """Of an Arrow array without nulls."""
    types = arrow().types
    if types.is_integer(values.type):
        return {name: values.to_numpy()}
    if types.is_fixed_size_binary(values.type):
        width, begin = values.type.byte_width, values.offset
        data = np.frombuffer(values.buffers()[1] or b"", np.uint8)
        return {name: data[width * begin : width * (begin + len(values))]}
    data, offsets = string_buffers(values)
    return {
        name: data[offsets[0] : offsets[-1]],
        f"{name}.offsets": offsets - offsets[0],
    }


def unpack(
    prefix: str,
    name: str,
    type_: str,
    tensors: Tensors,
    used: set[str],
    width: int | None = None,
) -> Any:
    """The Arrow array that `pack` took apart; counts and registers as they are, checked.

    Raises ValueError for what is not one; adds the names of the tensors to `used`.
    """
    if type_ not in _DTYPES or (width is None) != (type_ != "pair"):
        refuse("book: type", f"one of {', '.join(_DTYPES)}", type_)
    values = _tensor(f"{prefix}{name}", _DTYPES[type_], tensors, used)
    if type_ == "registers":
        if len(values) != N_REGISTERS or values.max() > 64:
            refuse("registers", f"{N_REGISTERS} numbers of zeros", "others")
        return values
    if type_ == "counts":
        if len(values) and values.min() < 1:
            refuse("counts", "numbers >= 1", "others")
        return values
    pa = arrow()
    if type_ in ("int64", "bool", "uint64"):
        if type_ == "bool" and not np.isin(values, (0, 1)).all():
            refuse(name, "truth values", "others")
        return pa.array(values)
    if width is not None:
        if len(values) % width:
            refuse(name, f"{width} bytes each", f"{len(values)} bytes")
        buffers = [None, pa.py_buffer(values)]
        return pa.Array.from_buffers(pa.binary(width), len(values) // width, buffers)
    offsets = _tensor(f"{prefix}{name}.offsets", np.int64, tensors, used)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(values):
        refuse(f"{name}.offsets", f"offsets from 0 to {len(values)}", "others")
    if (np.diff(offsets) < 0).any():
        refuse(f"{name}.offsets", "offsets that do not decrease", "others")
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(values)]
    array = pa.Array.from_buffers(arrow_type(type_), len(offsets) - 1, buffers)
    try:
        array.validate(full=True)  # that strings are UTF-8
    except pa.lib.ArrowInvalid as error:
        raise ValueError(f"{name}: {error}") from error
    return array


def _tensor(name: str, dtype: Any, tensors: Tensors, used: set[str]) -> NDArray[Any]:
    if name not in tensors:
        refuse("tensors of the encoder", f"{name!r} among them", sorted(tensors))
    used.add(name)
    array = tensors[name]
    if array.dtype != dtype or array.ndim != 1:
        found = f"{array.dtype} of shape {array.shape}"
        refuse(f"tensor {name}", f"{np.dtype(dtype)} of shape (n,)", found)
    return np.ascontiguousarray(array)
