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
from pyfm.data_file.layout import METADATA_KEY as DATA_SET
from pyfm.estimators.base import Estimator
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.targets import Labels, Numbers
from pyfm.model_file.layout import DTYPE_NAMES, ENCODER, METADATA_KEY, chunks
from pyfm.model_file.metadata import from_json
from pyfm.model_file.network import fill_network, fill_network_state
from pyfm.model_file.training_state import NOISE_SIZE, TrainingState, fill_state
from pyfm.progress import Progress


def load(path: str | os.PathLike[str]) -> Any:
    """Reads a fitted estimator from a file that ``model.save(path)`` wrote.

    It predicts exactly what the saved one predicts (on the same SIMD level). `fit` trains a new
    model, or with ``warm_start=True`` goes on, and so does `partial_fit`; exactly so if the file
    holds the optimizers' state (``save(path, optimizer_state=True)`` and checkpoints).

    Parameters
    ----------
    path : str or path-like
        A file, or the folder of a bagging of `pyfm.ensemble`.

    Returns
    -------
    The estimator, as it was fitted

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
    if os.path.isdir(path):
        from pyfm.ensemble.folder import load as load_folder  # which imports this module

        return load_folder(path)
    with _reading(os.fsdecode(path)) as file:
        return _load(file, best=None)[0]


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[Estimator, Progress | None]:
    """The estimator, and how far its fit had come; None of files that are no checkpoints."""
    best = _core.Snapshot()
    with _reading(os.fsdecode(path)) as file:
        model, state = _load(file, best)
    if state is None or state.origin is None:
        return model, None
    return model, Progress(state.origin, state.optimizers, best if state.has_best else None)


def describe(path: str | os.PathLike[str]) -> tuple[Estimator, dict[str, Any]]:
    """The estimator, not fitted, and the metadata of a model file; its weights are not read."""
    with _reading(os.fsdecode(path)) as file:
        return from_json(_metadata(file))


def _load(file: Any, best: _core.Snapshot | None) -> tuple[Estimator, TrainingState | None]:
    """Fills `best`, if it is asked for, with the best weights of a checkpoint."""
    model, metadata = from_json(_metadata(file))
    names = file.keys()
    tensors = {name: file.get_slice(name) for name in names}
    spec: ModelSpec = metadata["spec"]
    state: TrainingState | None = metadata["training"]
    encoder = _encoder(metadata.get("encoder"), tensors)
    inputs = Inputs(**metadata["inputs"], fields=_column_fields(metadata, tensors), encoder=encoder)
    features = _features(spec, state, tensors)
    _check_tensors(spec, state, features, tensors)
    core = spec.build(state.optimizers, state.seed) if state else spec.build()
    if state and features is not None:
        core.add_rows(features)  # in their order
        if best is not None and state.has_best:
            _fill_weights(core, spec, features, tensors, "best.")
            fill_network(core, spec, tensors, "best.deep.")
            core.save(best)
    _fill_weights(core, spec, features, tensors)
    fill_network(core, spec, tensors)
    if state and features is not None:
        fill_state(core, spec, features, state.n_batches, tensors)
        fill_network_state(core, spec, state, tensors)
    if "counted" in tensors:
        core.set_counts(tensors["counted"][:], tensors["counts"][:])
    classes = metadata["classes"]
    targets = Numbers() if classes is None else Labels(classes)
    model._set_fitted(spec, core, inputs, targets, metadata["history"], metadata["best_epoch"])
    model._kept_optimizers = state.optimizers if state else None
    model._stream = metadata["stream"]
    if metadata["admission"] is not None:
        model.n_features_seen_, model.n_features_admitted_ = metadata["admission"]
    return model, state


def _fill_weights(
    core: _core.Model,
    spec: ModelSpec,
    features: NDArray[np.uint32] | None,
    tensors: dict[str, Any],
    prefix: str = "",
) -> None:
    if core.bias is not None:
        core.bias[...] = _finite(f"{prefix}bias", tensors[f"{prefix}bias"][:])
    for part in spec.tables:
        tensor = tensors[prefix + part]
        shape = tensor.get_shape()
        for piece in chunks(shape[0], 4 * math.prod(shape[1:])):
            weights = _finite(prefix + part, tensor[piece].astype(np.float32, copy=False))
            if features is None:  # without the features that have no weights
                rows = np.flatnonzero(weights.any(axis=tuple(range(1, weights.ndim))))
                core.set_weights(part, weights[rows], (rows + piece.start).astype(np.uint32))
            else:
                core.set_weights(part, weights, features[piece])


def _finite(name: str, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(weights).all():
        refuse(f"tensor {name}", "finite weights", "NaN or infinity")
    return weights


def _metadata(file: Any) -> str:
    metadata = file.metadata() or {}
    if DATA_SET in metadata:
        raise ValueError("expected a model of pyfm, found a data set: Dataset.open reads it")
    if METADATA_KEY not in metadata:
        raise ValueError("expected a model of pyfm, found a safetensors file of something else")
    return str(metadata[METADATA_KEY])


def _features(
    spec: ModelSpec, state: TrainingState | None, tensors: dict[str, Any]
) -> NDArray[np.uint32] | None:
    """The features whose rows the file holds; None: all."""
    if "features" in tensors:
        return _ids("features", spec, tensors["features"], in_order=state is None)
    if state:
        refuse("tensors", "features in the order of their rows", sorted(tensors))
    return None


def _ids(name: str, spec: ModelSpec, tensor: Any, *, in_order: bool = True) -> NDArray[np.uint32]:
    (n_stored,) = _check(name, tensor, "U32", None)
    if n_stored > spec.n_features:
        refuse(f"tensor {name}", f"at most {spec.n_features} features", n_stored)
    ids: NDArray[np.uint32] = tensor[:] if n_stored else np.empty(0, np.uint32)
    if in_order and not (ids[1:] > ids[:-1]).all():
        refuse(f"tensor {name}", f"increasing ids below {spec.n_features}", "others")
    if len(np.unique(ids)) != n_stored or (ids >= spec.n_features).any():
        kind = "increasing" if in_order else "different"
        refuse(f"tensor {name}", f"{kind} ids below {spec.n_features}", "others")
    return ids


def _encoder(given: Any, tensors: dict[str, Any]) -> Any:
    """The encoder, whose tensors are taken out; None of models that have none."""
    own = {name: tensors.pop(name) for name in list(tensors) if name.startswith(ENCODER)}
    if given is None:
        if own:
            refuse("tensors", "none of an encoder", sorted(own))
        return None
    from pyfm.encode.stored import from_parts  # which imports pyarrow

    arrays = {}
    for name, tensor in own.items():
        (n,) = _check(name, tensor, tensor.get_dtype(), None)
        dtype = _ENCODER_DTYPES.get(tensor.get_dtype())
        if dtype is None:
            refuse(f"tensor {name}", f"one of {', '.join(_ENCODER_DTYPES)}", tensor.get_dtype())
        arrays[name.removeprefix(ENCODER)] = tensor[:] if n else np.empty(0, dtype)
    return from_parts(given, arrays)


_ENCODER_DTYPES = {"U8": np.uint8, "I64": np.int64, "U64": np.uint64}


def _column_fields(metadata: dict[str, Any], tensors: dict[str, Any]) -> NDArray[Any] | None:
    if "column_fields" not in tensors:
        return None
    shape = (metadata["inputs"]["n_columns"],)
    _check("column_fields", tensors["column_fields"], "U16", shape)
    fields: NDArray[Any] = tensors["column_fields"][:]
    return fields


def _check_tensors(
    spec: ModelSpec,
    state: TrainingState | None,
    features: NDArray[np.uint32] | None,
    tensors: dict[str, Any],
) -> None:
    """Names, types and shapes, before the core is asked for memory."""
    network, statistics = spec.network_shapes()
    in_network = {f"deep.{name}": shape for name, shape in (network | statistics).items()}
    shapes = spec.shapes() | in_network | (state.shapes(spec) if state else {})
    expected = sorted(shapes) + (["frequencies"] if state else [])
    others = {"features", "column_fields"}
    if state and "noise" in tensors:
        others.add("noise")
        n_parts = len(spec.tables) * spec.n_outputs
        _check("noise", tensors["noise"], "U32", (n_parts, NOISE_SIZE))
    if {"counted", "counts"} <= set(tensors):
        others |= {"counted", "counts"}
        counted = _ids("counted", spec, tensors["counted"])
        _check("counts", tensors["counts"], "U32", (len(counted),))
    found = sorted(set(tensors) - others)
    if found != sorted(expected):
        refuse("tensors", f"{sorted(expected)}", found)
    for name, shape in shapes.items():
        kind, dtype = name.split(".")[-1], "float32"
        if "deep." not in name:
            dtype = spec.dtype_of(kind).name
            if features is not None and kind != "bias":
                shape = (len(features), *shape[1:])
        elif name.split("deep.")[1] in statistics:
            dtype = "float64"
        _check(name, tensors[name], DTYPE_NAMES[dtype], shape)
    if state and features is not None:
        (n,) = _check("frequencies", tensors["frequencies"], "F32", None)
        if n > len(features):
            refuse("tensor frequencies", f"at most {len(features)}", n)


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
