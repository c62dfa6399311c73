"""Writes a model file in pieces, so that no second copy of the weights is made."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
from pyfm.atomic_file import destination
from pyfm.checks import check_bool, refuse
from pyfm.estimators.base import Estimator
from pyfm.estimators.model_spec import ModelSpec
from pyfm.model_file.layout import DTYPE_NAMES, ENCODER, METADATA_KEY, chunks
from pyfm.model_file.metadata import to_json
from pyfm.model_file.network import network_state, network_tensors
from pyfm.model_file.training_state import TrainingState
from pyfm.progress import Progress


@dataclass(frozen=True)
class _Table:
    """A tensor that is written in pieces: some features at a time."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    read: Callable[[NDArray[np.uint32]], NDArray[np.float32]]


def save(
    model: Estimator,
    path: str | os.PathLike[str],
    *,
    optimizer_state: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes a fitted estimator; what ``model.save(path)`` does, which documents it.

    With the progress of its fit it is a checkpoint.
    """
    check_is_fitted(model)
    try:
        model._settings()  # checks the parameters, as load does
    except (TypeError, ValueError) as error:
        raise ValueError(f"the model cannot be saved: {error}") from error
    optimizer_state = check_bool("optimizer_state", optimizer_state)
    spec, core = model._spec, model._model
    state = _state(model, progress) if optimizer_state or progress else None
    rows, tensors = _rows(spec, core, state)
    if core.n_counted:
        tensors["counted"], tensors["counts"] = core.counts
    if model._inputs.fields is not None:
        tensors["column_fields"] = model._inputs.fields.astype(np.uint16)
    tensors |= network_tensors(spec, core)
    encoder, more = _encoder(model, candidates=state is not None)
    tensors |= more
    tables = _weights(spec, core, rows)
    if state:
        tensors["frequencies"] = core.frequencies
        if spec.dtype != "float32" and len(noise := core.stream_noise):
            tensors["noise"] = noise
        if core.bias_state is not None and core.bias_state.size:
            tensors["state.bias"] = core.bias_state
        tables |= _slots(spec, core, rows, state)
        tensors |= network_state(spec, core, state)
    if progress and progress.best:
        tensors |= network_tensors(spec, core, "best.deep.", progress.best)
        if core.bias is not None:
            tensors["best.bias"] = progress.best.bias
        best = _weights(spec, core, rows, progress.best)
        tables |= {f"best.{part}": table for part, table in best.items()}
    entries = {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
    entries |= {name: (table.dtype, table.shape) for name, table in tables.items()}
    header = _header(entries, to_json(model, state, encoder))
    with destination(os.fsdecode(path)) as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for tensor in tensors.values():
            _write(file, tensor, tensor.dtype)
        for table in tables.values():
            for piece in chunks(len(rows), 4 * math.prod(table.shape[1:])):
                _write(file, table.read(rows[piece]), table.dtype)


def _encoder(
    model: Estimator, *, candidates: bool
) -> tuple[dict[str, Any] | None, dict[str, NDArray[Any]]]:
    """Its JSON and its tensors; None of models that have none."""
    if model._inputs.encoder is None:
        return None, {}
    from pyfm.encode.stored import to_parts  # which imports pyarrow

    json, tensors = to_parts(model._inputs.encoder, candidates=candidates)
    return json, {ENCODER + name: tensor for name, tensor in tensors.items()}


def _state(model: Estimator, progress: Progress | None) -> TrainingState:
    if progress is not None:
        return TrainingState.of_fit(model._model, progress)
    if model._kept_optimizers is None:
        refuse("optimizer_state", "False, since the model has none that belongs to it", True)
    return TrainingState.of(model._model, model._kept_optimizers)


def _rows(
    spec: ModelSpec, core: _core.Model, state: TrainingState | None
) -> tuple[NDArray[np.uint32], dict[str, NDArray[Any]]]:
    """The features whose rows are stored, and the first tensors."""
    tensors: dict[str, NDArray[Any]] = {}
    if core.bias is not None:
        tensors["bias"] = core.bias
    if state:
        tensors["features"] = features = core.features_by_row
        return features, tensors
    shapes = spec.shapes()
    features = _nonzero_features(spec, core)
    row_bytes = sum(4 * math.prod(shapes[part][1:]) for part in spec.tables)
    if len(features) * (row_bytes + 4) >= spec.n_features * row_bytes:
        return np.arange(spec.n_features, dtype=np.uint32), tensors  # all: they need no list
    tensors["features"] = features
    return features, tensors


def _weights(
    spec: ModelSpec,
    core: _core.Model,
    rows: NDArray[np.uint32],
    snapshot: _core.Snapshot | None = None,
) -> dict[str, _Table]:
    shapes = spec.shapes()
    return {
        part: _Table(
            spec.dtype_of(part),
            (len(rows), *shapes[part][1:]),
            partial(core.weights, part, snapshot=snapshot),
        )
        for part in spec.tables
    }


def _slots(
    spec: ModelSpec, core: _core.Model, rows: NDArray[np.uint32], state: TrainingState
) -> dict[str, _Table]:
    shapes = state.shapes(spec)
    return {
        f"state.{part}": _Table(
            spec.dtype_of(part),
            (len(rows), *shapes[f"state.{part}"][1:]),
            partial(core.state, part),
        )
        for part in spec.tables
        if f"state.{part}" in shapes
    }


def _nonzero_features(spec: ModelSpec, core: _core.Model) -> NDArray[np.uint32]:
    """Features with a weight other than 0."""
    features = core.features
    kept = np.zeros(len(features), bool)
    for part in spec.tables:
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
