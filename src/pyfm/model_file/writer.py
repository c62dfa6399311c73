"""Writes a model file in pieces, so that no second copy of the weights is made."""

from __future__ import annotations

import json
import os
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyfm.atomic_file import destination
from pyfm.estimators.base import Estimator
from pyfm.estimators.model_spec import views
from pyfm.model_file.layout import METADATA_KEY, chunks
from pyfm.model_file.metadata import to_json

_DTYPES = {"float32": "F32", "uint32": "U32", "uint16": "U16"}


def save(model: Estimator, path: str | os.PathLike[str]) -> None:
    """Writes a fitted estimator; what ``model.save(path)`` does, which documents it."""
    check_is_fitted(model)
    tensors: dict[str, NDArray[Any]] = dict(views(model._model))
    rows = _stored_rows(tensors)
    if rows is not None:
        tensors["features"] = rows
    if model._inputs.fields is not None:
        tensors["column_fields"] = model._inputs.fields.astype(np.uint16)
    header = _header(tensors, rows, to_json(model))
    with destination(os.fsdecode(path)) as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for name, tensor in tensors.items():
            selected = rows if name in ("linear", "factors") else None
            _write_rows(file, tensor, selected)


def _stored_rows(tensors: dict[str, NDArray[Any]]) -> NDArray[np.uint32] | None:
    """Features with a weight other than 0; None where storing all rows is not larger."""
    tables = [tensors[name] for name in ("linear", "factors") if name in tensors]
    n_features = len(tables[0])
    row_bytes = sum(table[0].size * 4 for table in tables)
    kept = np.zeros(n_features, bool)
    for piece in chunks(n_features, row_bytes):
        for table in tables:
            part = table[piece]
            kept[piece] |= part.any(axis=tuple(range(1, part.ndim)))
    rows = np.flatnonzero(kept).astype(np.uint32)
    return rows if len(rows) * (row_bytes + 4) < n_features * row_bytes else None


def _header(
    tensors: dict[str, NDArray[Any]], rows: NDArray[np.uint32] | None, metadata: str
) -> bytes:
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: metadata}}
    offset = 0
    for name, tensor in tensors.items():
        shape = list(tensor.shape)
        if rows is not None and name in ("linear", "factors"):
            shape[0] = len(rows)
        size = int(np.prod(shape, dtype=object)) * tensor.itemsize
        header[name] = {
            "dtype": _DTYPES[tensor.dtype.name],
            "shape": shape,
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header).encode()
    return text + b" " * (-len(text) % 8)  # the format asks for aligned tensors


def _write_rows(file: IO[bytes], tensor: NDArray[Any], rows: NDArray[np.uint32] | None) -> None:
    n_rows = len(tensor) if rows is None else len(rows)
    little_endian = tensor.dtype.newbyteorder("<")
    for piece in chunks(n_rows, tensor[:1].nbytes):
        part = tensor[piece] if rows is None else tensor[rows[piece]]
        file.write(np.ascontiguousarray(part, dtype=little_endian).data)
