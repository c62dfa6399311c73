"""Writes a model file: in pieces, so that no second copy of the weights is made; atomically."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
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
    if model._inputs.fields is not None:
        tensors["column_fields"] = model._inputs.fields.astype(np.uint16)
    entries = {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
    entries |= {
        part: (spec.dtype_in_file(part), (len(rows), *shapes[part][1:])) for part in spec.parts
    }
    header = _header(entries, to_json(model))
    with _destination(os.fsdecode(path)) as file:
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


def check_destination(path: str | os.PathLike[str]) -> None:
    """Raises the OSError that `save` would end in where no file can be made; makes none."""
    name = os.fsdecode(path)
    if os.path.isdir(name):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    folder = os.path.dirname(os.path.realpath(name))
    os.stat(folder)
    if not _is_special(name) and not os.access(folder, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), name)


def _is_special(path: str) -> bool:
    """Devices and pipes, such as /dev/null and /dev/stdout: written to, never replaced."""
    return os.path.exists(path) and not os.path.isfile(path)


@contextlib.contextmanager
def _destination(path: str) -> Iterator[IO[bytes]]:
    """What to write to. Errors name `path`, and not the temporary file beside it."""
    try:
        if _is_special(path):
            with open(path, "wb") as file:
                yield file
        else:
            with _atomic_write(os.path.realpath(path)) as file:
                yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


@contextlib.contextmanager
def _atomic_write(path: str) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its place when all is written, and else goes."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    if os.name == "posix":  # elsewhere folders cannot be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
