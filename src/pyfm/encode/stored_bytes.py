"""Encoders as two arrays of bytes: the JSON, which also lists the tensors, and these themselves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_int, refuse
from pyfm.encode.encoder import FieldEncoder
from pyfm.encode.stored import from_parts, to_parts

Bytes = NDArray[np.uint8]

_DTYPES = {"uint8": "|u1", "int64": "<i8", "uint64": "<u8"}


def to_bytes(encoder: FieldEncoder) -> tuple[Bytes, Bytes]:
    """Counts of rare values included. Each tensor begins at a multiple of 8 bytes."""
    parts, tensors = to_parts(encoder, candidates=True)
    listed = [[name, array.dtype.name, len(array)] for name, array in tensors.items()]
    text = json.dumps({"encoder": parts, "tensors": listed}, allow_nan=False).encode()
    padded = [
        piece
        for array in tensors.values()
        for piece in (
            np.ascontiguousarray(array, _DTYPES[array.dtype.name]).view(np.uint8),
            np.zeros(-array.nbytes % 8, np.uint8),
        )
    ]
    data = np.concatenate([np.empty(0, np.uint8), *padded])
    return np.frombuffer(text, np.uint8), data


def from_bytes(text: Bytes, data: Bytes) -> FieldEncoder:
    """The encoder that `to_bytes` took apart; raises ValueError for anything else."""
    given: Any = json.loads(text.tobytes())
    if not isinstance(given, dict) or set(given) != {"encoder", "tensors"}:
        refuse("encoder", "its JSON", type(given).__name__)
    if not isinstance(given["tensors"], list):
        refuse("encoder: tensors", "a list", type(given["tensors"]).__name__)
    tensors: dict[str, NDArray[Any]] = {}
    begin = 0
    for entry in given["tensors"]:
        if not isinstance(entry, list) or len(entry) != 3:
            refuse("encoder: tensors", "names, types and lengths", entry)
        name, dtype, length = entry
        if not isinstance(name, str) or name in tensors or str(dtype) not in _DTYPES:
            refuse("encoder: tensors", f"names with types among {', '.join(_DTYPES)}", entry)
        check_int(f"encoder: tensor {name}", length, 0, len(data))
        kind = np.dtype(_DTYPES[str(dtype)])
        end = begin + length * kind.itemsize
        if end > len(data):
            refuse(f"encoder: tensor {name}", f"at most {len(data)} bytes in all", end)
        array = data[begin:end].view(kind)
        tensors[name] = array.astype(kind.newbyteorder("="), copy=False)
        begin = end + -end % 8
    if begin != len(data):
        refuse("encoder: tensors", f"{begin} bytes", len(data))
    return from_parts(given["encoder"], tensors)
