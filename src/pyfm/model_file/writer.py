"""Writes a model file in pieces, so that no second copy of the weights is made."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
from pyfm.atomic_file import destination
from pyfm.estimators.base import Estimator
from pyfm.estimators.model_spec import ModelSpec
from pyfm.model_file.layout import DTYPE_NAMES, METADATA_KEY, chunks
from pyfm.model_file.metadata import to_json


def save(model: Estimator, path: str | os.PathLike[str]) -> None:
    """Writes a fitted estimator; what ``model.save(path)`` does, which documents it."""
    check_is_fitted(model)
    spec, core = model._spec, model._model
    shapes = spec.shapes()
    features = _nonzero_features(spec, core)
    row_bytes = sum(4 * math.prod(shapes[part][1:]) for part in spec.parts)
    if len(features) * (row_bytes + 4) >= spec.n_features * row_bytes:
        rows = np.arange(spec.n_features, dtype=np.uint32)  # all: they need no list
    else:
        rows = features
    tensors: dict[str, NDArray[Any]] = {}
    if core.bias is not None:
        tensors["bias"] = core.bias
    if rows is features:
        tensors["features"] = features
    if core.n_counted:
        tensors["counted"], tensors["counts"] = core.counts
    if model._inputs.fields is not None:
        tensors["column_fields"] = model._inputs.fields.astype(np.uint16)
    entries = {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
    entries |= {part: (spec.dtype_of(part), (len(rows), *shapes[part][1:])) for part in spec.parts}
    header = _header(entries, to_json(model))
    with destination(os.fsdecode(path)) as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for tensor in tensors.values():
            _write(file, tensor, tensor.dtype)
        for part in spec.parts:
            dtype, shape = entries[part]
            for piece in chunks(len(rows), 4 * math.prod(shape[1:])):
                _write(file, core.weights(part, rows[piece]), dtype)


def _nonzero_features(spec: ModelSpec, core: _core.Model) -> NDArray[np.uint32]:
    """Features with a weight other than 0."""
    features = core.features
    kept = np.zeros(len(features), bool)
    for part in spec.parts:
        shape = spec.shapes()[part]
        for piece in chunks(len(features), 4 * math.prod(shape[1:])):
            weights = core.weights(part, features[piece])
            kept[piece] |= weights.any(axis=tuple(range(1, weights.ndim)))
    return features[kept]


def _header(entries: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], metadata: str) -> bytes:
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: metadata}}
    offset = 0
    for name, (dtype, shape) in entries.items():
        size = math.prod(shape) * dtype.itemsize
        header[name] = {
            "dtype": DTYPE_NAMES[dtype.name],
            "shape": list(shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header).encode()
    return text + b" " * (-len(text) % 8)  # the format asks for aligned tensors


def _write(file: IO[bytes], tensor: NDArray[Any], dtype: np.dtype[Any]) -> None:
    file.write(np.ascontiguousarray(tensor, dtype=dtype.newbyteorder("<")).data)
