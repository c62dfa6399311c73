"""Reads a model file; nothing in it is believed before it is checked."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from pyfm import _core
from pyfm.checks import refuse
from pyfm.estimators.base import Estimator
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.targets import Labels, Numbers
from pyfm.model_file.layout import DTYPE_NAMES, METADATA_KEY, chunks
from pyfm.model_file.metadata import from_json


def load(path: str | os.PathLike[str]) -> Any:
    """Reads a fitted estimator from a file that ``model.save(path)`` wrote.

    It predicts exactly what the saved one predicts (on the same SIMD level). It holds no optimizer
    state; `fit` trains a new model.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    LinearClassifier, FMClassifier, FFMClassifier or one of the regressors

    Raises
    ------
    FormatError
        If the file is not a model, damaged, truncated, or of a newer format. Nothing is allocated
        on the word of the file: the core takes memory only for weights that the file holds.
    MemoryError
        If the model does not fit in memory.
    OSError
        If the file cannot be read; FileNotFoundError if there is none.

    Examples
    --------
    >>> import tempfile, pathlib, pyfm
    >>> model = pyfm.LinearRegressor().fit([[0, 1], [0, 2]], [1.0, 2.0])
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.pyfm"
    >>> model.save(path)
    >>> bool((pyfm.load(path).coef_ == model.coef_).all())
    True
    """
    with _reading(os.fsdecode(path)) as file:
        model, metadata = from_json(_metadata(file))
        names = file.keys()
        _fill(model, metadata, {name: file.get_slice(name) for name in names})
    return model


def describe(path: str | os.PathLike[str]) -> tuple[Estimator, dict[str, Any]]:
    """The estimator, not fitted, and the metadata of a model file; its weights are not read."""
    with _reading(os.fsdecode(path)) as file:
        return from_json(_metadata(file))


def _fill(model: Estimator, metadata: dict[str, Any], tensors: dict[str, Any]) -> None:
    spec: ModelSpec = metadata["spec"]
    inputs = Inputs(**metadata["inputs"], fields=_column_fields(metadata, tensors))
    features = _features(spec, tensors)
    _check_tensors(spec, features, tensors)
    core = spec.build()
    if core.bias is not None:
        core.bias[...] = _finite("bias", tensors["bias"][:])
    for part in spec.parts:
        shape = tensors[part].get_shape()
        for piece in chunks(shape[0], 4 * math.prod(shape[1:])):
            weights = _finite(part, tensors[part][piece].astype(np.float32, copy=False))
            if features is None:  # without the features that have no weights
                rows = np.flatnonzero(weights.any(axis=tuple(range(1, weights.ndim))))
                core.set_weights(part, weights[rows], (rows + piece.start).astype(np.uint32))
            else:
                core.set_weights(part, weights, features[piece])
    if "counted" in tensors:
        core.set_counts(tensors["counted"][:], tensors["counts"][:])
    classes = metadata["classes"]
    targets = Numbers() if classes is None else Labels(classes)
    model._set_fitted(spec, core, inputs, targets, metadata["history"], metadata["best_epoch"])
    model._stream = metadata["stream"]
    if metadata["admission"] is not None:
        model.n_features_seen_, model.n_features_admitted_ = metadata["admission"]


def _finite(name: str, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(weights).all():
        refuse(f"tensor {name}", "finite weights", "NaN or infinity")
    return weights


def _metadata(file: Any) -> str:
    metadata = file.metadata() or {}
    if METADATA_KEY not in metadata:
        raise ValueError("expected a model of pyfm, found a safetensors file of something else")
    return str(metadata[METADATA_KEY])


def _features(spec: ModelSpec, tensors: dict[str, Any]) -> NDArray[np.uint32] | None:
    """The features whose rows the file holds; None: all."""
    return _ids("features", spec, tensors["features"]) if "features" in tensors else None


def _ids(name: str, spec: ModelSpec, tensor: Any) -> NDArray[np.uint32]:
    (n_stored,) = _check(name, tensor, "U32", None)
    if n_stored > spec.n_features:
        refuse(f"tensor {name}", f"at most {spec.n_features} features", n_stored)
    ids: NDArray[np.uint32] = tensor[:] if n_stored else np.empty(0, np.uint32)
    if n_stored and not ((ids[1:] > ids[:-1]).all() and ids[-1] < spec.n_features):
        refuse(f"tensor {name}", f"increasing ids below {spec.n_features}", "others")
    return ids


def _column_fields(metadata: dict[str, Any], tensors: dict[str, Any]) -> NDArray[Any] | None:
    if "column_fields" not in tensors:
        return None
    shape = (metadata["inputs"]["n_columns"],)
    _check("column_fields", tensors["column_fields"], "U16", shape)
    fields: NDArray[Any] = tensors["column_fields"][:]
    return fields


def _check_tensors(
    spec: ModelSpec, features: NDArray[np.uint32] | None, tensors: dict[str, Any]
) -> None:
    """Names, types and shapes, before the core is asked for memory."""
    shapes = spec.shapes()
    others = {"features", "column_fields"}
    if {"counted", "counts"} <= set(tensors):
        others |= {"counted", "counts"}
        counted = _ids("counted", spec, tensors["counted"])
        _check("counts", tensors["counts"], "U32", (len(counted),))
    found = sorted(set(tensors) - others)
    if found != sorted(shapes):
        refuse("tensors", f"{sorted(shapes)}", found)
    for name, shape in shapes.items():
        if features is not None and name != "bias":
            shape = (len(features), *shape[1:])
        _check(name, tensors[name], DTYPE_NAMES[spec.dtype_of(name).name], shape)


def _check(name: str, tensor: Any, dtype: str, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of a tensor, which is `shape`, or any with one dimension."""
    if tensor.get_dtype() != dtype:
        refuse(f"tensor {name}", f"type {dtype}", tensor.get_dtype())
    found = tuple(tensor.get_shape())
    if found != shape if shape is not None else len(found) != 1:
        refuse(f"tensor {name}", f"shape {shape or '(n,)'}", found)
    return found


@contextlib.contextmanager
def _reading(path: str) -> Iterator[Any]:
    """The open file; whatever is wrong with it becomes a FormatError that names it."""
    with open(path, "rb"):  # an OSError of Python's own, with the name
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise _core.FormatError(f"{path}: expected a safetensors file, found: {error}") from error
    except (TypeError, ValueError) as error:
        raise _core.FormatError(f"{path}: {error}") from error
