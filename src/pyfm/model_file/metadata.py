"""The metadata of a model file: everything about an estimator but its weights, as JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pyfm
from pyfm import estimators
from pyfm.augmentation import Augmentation
from pyfm.checks import check_choice, check_int, check_real, refuse
from pyfm.estimators.base import Estimator
from pyfm.estimators.inputs import KINDS
from pyfm.estimators.model_spec import DEEP_KINDS, DTYPES, ModelSpec
from pyfm.estimators.multiclass import MAX_CLASSES
from pyfm.estimators.streams import Stream
from pyfm.estimators.targets import Labels
from pyfm.estimators.tower import Tower
from pyfm.model_file.layout import FORMAT_VERSION
from pyfm.model_file.training_state import TrainingState
from pyfm.optim import OPTIMIZERS, Optimizer
from pyfm.progress import Origin
from pyfm.schedules import SCHEDULES, Schedule

_MAX_FEATURES, _MAX_FIELDS, _MAX_FACTORS = 2**32, 2**16, 1024
_NUMBERS = tuple(kind + bits for kind in ("int", "uint") for bits in ("8", "16", "32", "64"))
_CLASS_DTYPES = (*_NUMBERS, "float32", "float64", "bool", "str", "object")


def to_json(
    model: Estimator, state: TrainingState | None = None, encoder: dict[str, Any] | None = None
) -> str:
    """Raises ValueError for what JSON does not hold."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "library_version": pyfm.__version__,
        "class": type(model).__name__,
        "params": _params_to_json(model.get_params(deep=False)),
        "spec": asdict(model._spec),
        "inputs": {"kind": model._inputs.kind, "n_columns": model._inputs.n_columns},
        "encoder": encoder,
        "classes": _classes_to_json(model),
        "best_epoch": model.best_epoch_,
        "history": model.history_,
        "stream": None if model._stream is None else asdict(model._stream),
        "admission": [model.n_features_seen_, model.n_features_admitted_],
    }
    if state is not None:
        metadata["training"] = _state_to_json(state)
    try:
        return json.dumps(metadata, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"the model cannot be saved: {error}") from error


def from_json(text: str) -> tuple[Estimator, dict[str, Any]]:
    """An estimator that is not fitted yet, and the metadata, checked.

    Raises ValueError for anything that `to_json` does not write.
    """
    try:
        metadata = json.loads(text)
    except RecursionError as error:
        raise ValueError("metadata: nested too deeply") from error
    _check_type("metadata", metadata, dict)
    version = _get(metadata, "format_version", int)
    library = _get(metadata, "library_version", str)
    if not library.isprintable():  # it is shown on terminals
        refuse("metadata: library_version", "a version", library)
    if version != FORMAT_VERSION:
        raise ValueError(
            f"metadata: expected format version {FORMAT_VERSION}, found {version}, written by "
            f"pyfm {library}: use a pyfm that reads it"
        )
    name = _get(metadata, "class", str)
    if name not in estimators.__all__:
        refuse("metadata: class", "an estimator of pyfm", name)
    model: Estimator = getattr(estimators, name)(
        **_params_from_json(_get(metadata, "params", dict))
    )
    model._settings()  # checks the parameters
    metadata["spec"] = _spec(_get(metadata, "spec", dict), model)
    metadata["classes"] = _classes(metadata.get("classes"), model, metadata["spec"])
    metadata["stream"] = _stream(metadata.get("stream"))
    metadata["admission"] = _admission(metadata.get("admission"))
    history = _get(metadata, "history", dict)
    _check_history(history, _get(metadata, "best_epoch", int))
    metadata["training"] = state = _state(metadata.get("training"), metadata["spec"])
    of_fit = metadata["stream"] is None or (state is not None and state.origin is not None)
    if of_fit and "epoch" not in history:
        refuse("metadata: history", "the epochs of a fit", sorted(history))
    inputs = _get(metadata, "inputs", dict)
    if inputs.get("kind") not in KINDS:
        refuse("metadata: inputs.kind", f"one of {', '.join(KINDS)}", inputs.get("kind"))
    if inputs["kind"] == "table" and metadata.get("encoder") is None:
        refuse("metadata: encoder", "that of the tables", None)
    if inputs.get("n_columns") is not None:
        check_int("metadata: inputs.n_columns", inputs["n_columns"], 1, _MAX_FEATURES)
    return model, metadata


def _params_to_json(params: dict[str, Any]) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in params.items()}
    plain["optimizer"] = _optimizer_to_json(plain["optimizer"])
    schedule = plain["learning_rate_schedule"]
    if isinstance(schedule, Schedule):
        values = {name: _plain(value) for name, value in asdict(schedule).items()}
        plain["learning_rate_schedule"] = {"name": schedule.name} | values
    if isinstance(augmentation := plain["augmentation"], Augmentation):
        plain["augmentation"] = asdict(augmentation)
    if isinstance(plain.get("class_weight"), Mapping):  # pairs: JSON has no labels but strings
        pairs = plain["class_weight"].items()
        plain["class_weight"] = [[_plain(label), _plain(weight)] for label, weight in pairs]
    if isinstance(deep_fields := plain.get("deep_fields"), list | tuple):
        plain["deep_fields"] = [_plain(field) for field in deep_fields]
    if not isinstance(plain["random_state"], int):
        plain["random_state"] = None  # a generator's state is no parameter
    return plain


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _optimizer_to_json(optimizer: Any) -> Any:
    if isinstance(optimizer, Mapping):
        return {"parts": {part: _optimizer_to_json(of) for part, of in optimizer.items()}}
    if isinstance(optimizer, Optimizer):
        return {"name": optimizer.name} | optimizer.parameters()
    return optimizer


def _params_from_json(params: dict[str, Any]) -> dict[str, Any]:
    objects: dict[str, Any] = {}
    if "optimizer" in params:
        objects["optimizer"] = _optimizer_from_json(params["optimizer"])
    if isinstance(schedule := params.get("learning_rate_schedule"), dict):
        objects["learning_rate_schedule"] = _schedule_from_json(schedule)
    if isinstance(augmentation := params.get("augmentation"), dict):
        if set(augmentation) != (names := {field.name for field in fields(Augmentation)}):
            expected = f"the entries {sorted(names)}"
            refuse("metadata: params.augmentation", expected, sorted(augmentation))
        objects["augmentation"] = Augmentation(**augmentation)
    for name in ("hidden", "freeze", "deep_fields"):
        if isinstance(values := params.get(name), list):
            objects[name] = tuple(values)
    pairs = params.get("class_weight")
    if isinstance(pairs, list):
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            refuse("metadata: params.class_weight", "pairs of label and weight", pairs)
        objects["class_weight"] = dict(pairs)
    return params | objects


def _schedule_from_json(given: dict[str, Any]) -> Any:
    values = dict(given)
    kind = SCHEDULES.get(values.pop("name", None))
    if kind is None or set(values) != {field.name for field in fields(kind)}:
        known = f"one of {', '.join(SCHEDULES)} with its parameters"
        refuse("metadata: params.learning_rate_schedule", known, given)
    return kind(**values)


def _optimizer_from_json(optimizer: Any) -> Any:
    """Parameters that a file lacks have their defaults: earlier versions did not write them all."""
    if not isinstance(optimizer, dict):
        return optimizer
    if isinstance(parts := optimizer.get("parts"), dict):
        return {part: _optimizer_from_json(of) for part, of in parts.items()}
    values = dict(optimizer)
    name = values.pop("name", None)
    kind = OPTIMIZERS.get(name) if isinstance(name, str) else None
    if kind is None or not set(values) <= {field.name for field in fields(kind)}:
        known = f"one of {', '.join(OPTIMIZERS)} with its parameters"
        refuse("metadata: params.optimizer", known, optimizer)
    return kind(**values)


def _state_to_json(state: TrainingState) -> dict[str, Any]:
    return {
        "optimizers": {part: _optimizer_to_json(of) for part, of in state.optimizers.items()},
        "seed": state.seed,
        "origin": None if state.origin is None else asdict(state.origin),
        "has_best": state.has_best,
        "n_batches": state.n_batches,
    }


def _state(given: Any, spec: ModelSpec) -> TrainingState | None:
    """None of files that training does not go on from."""
    if given is None:
        return None
    _check_type("metadata: training", given, dict)
    optimizers = _get(given, "optimizers", dict)
    parts = set(spec.parts)
    complete = set(optimizers) == parts or (spec.tower and set() < set(optimizers) < parts)
    if not complete:  # parts of deep models may have been frozen
        refuse("metadata: training.optimizers", f"those of {spec.parts}", sorted(optimizers))
    made: dict[str, Any] = {
        part: _optimizer_from_json(optimizers[part]) for part in spec.parts if part in optimizers
    }
    for optimizer in made.values():
        _check_type("metadata: training.optimizers", optimizer, Optimizer)
    origin = _get(given, "origin", dict, type(None))
    if origin is not None:
        names = [field.name for field in fields(Origin)]
        if set(origin) != set(names):
            refuse("metadata: training.origin", f"the entries {names}", sorted(origin))
        for name in names:
            check_int(f"metadata: training.origin.{name}", origin[name], 0, 2**63 - 1)
    seed = check_int("metadata: training.seed", _get(given, "seed", int), 0, 2**64 - 1)
    has_best = _get(given, "has_best", bool)
    if has_best and origin is None:
        refuse("metadata: training.has_best", "false where there is no origin", True)
    n_batches = check_int("metadata: training.n_batches", given.get("n_batches", 0), 0, 2**62)
    origin = None if origin is None else Origin(**origin)
    return TrainingState(made, seed, origin, has_best, n_batches)


def _spec(given: dict[str, Any], model: Estimator) -> ModelSpec:
    not_in_earlier_files: dict[str, Any] = {
        "dtype": "float32",
        "prior_correction": 0.0,
        "tower": None,
        "deep_fields": None,
        "n_outputs": 1,
    }
    given = not_in_earlier_files | given
    names = {field.name for field in fields(ModelSpec)}
    if set(given) != names:
        refuse("metadata: spec", f"the entries {sorted(names)}", sorted(given))
    most = 1 if model._loss != "logistic" or model._kind in DEEP_KINDS else MAX_CLASSES
    check_int("metadata: spec.n_outputs", given["n_outputs"], 1, most)
    if given["n_outputs"] == 2:
        refuse("metadata: spec.n_outputs", "one score for two classes", 2)
    loss = "softmax" if given["n_outputs"] > 1 else model._loss
    for name, expected in (("kind", model._kind), ("loss", loss)):
        if given[name] != expected:
            refuse(f"metadata: spec.{name}", f"{expected!r}", given[name])
    check_int("metadata: spec.n_features", given["n_features"], 1, _MAX_FEATURES)
    check_int("metadata: spec.n_fields", given["n_fields"], 1, _MAX_FIELDS)
    low = 0 if model._kind == "linear" else 1
    check_int("metadata: spec.n_factors", given["n_factors"], low, low * _MAX_FACTORS)
    for name in ("linear", "normalize"):
        _check_type(f"metadata: spec.{name}", given[name], bool)
    _check_type("metadata: spec.init_scale", given["init_scale"], float)
    check_choice("metadata: spec.dtype", given["dtype"], DTYPES)
    _check_type("metadata: spec.prior_correction", given["prior_correction"], float)
    lowest = math.log(math.ulp(0.0)) if loss == "logistic" else 0.0
    if not lowest <= given["prior_correction"] <= 0:
        expected = f"a number in [{lowest:.1f}, 0]"
        refuse("metadata: spec.prior_correction", expected, given["prior_correction"])
    given["tower"] = _tower(given["tower"], model)
    given["deep_fields"] = _deep_fields(given)
    return ModelSpec(**given)


def _tower(given: Any, model: Estimator) -> Tower | None:
    """What the parameters of the estimator say."""
    wanted = model._settings().spec.tower
    found = None
    if given is not None:
        _check_type("metadata: spec.tower", given, dict)
        names = {field.name for field in fields(Tower)}
        if set(given) != names:
            refuse("metadata: spec.tower", f"the entries {sorted(names)}", sorted(given))
        found = Tower.of(given)
    if (found is None) != (wanted is None):
        refuse("metadata: spec.tower", "one for deep models only", given)
    return found


def _deep_fields(spec: Mapping[str, Any]) -> tuple[int, ...] | None:
    name, found = "metadata: spec.deep_fields", spec["deep_fields"]
    if found is None:
        return None
    _check_type(name, found, list)
    if spec["tower"] is None or not spec["linear"]:
        refuse(name, "some for deep models with linear terms only", found)
    numbers = [check_int(name, field, 0, spec["n_fields"] - 1) for field in found]
    if not numbers or numbers != sorted(set(numbers)) or len(numbers) == spec["n_fields"]:
        refuse(name, "some of the fields, ascending", found)
    return tuple(numbers)


def _classes_to_json(model: Estimator) -> dict[str, Any] | None:
    if not isinstance(model._targets, Labels):
        return None
    classes = model._targets.classes
    dtype = "str" if classes.dtype.kind == "U" else classes.dtype.name
    if dtype not in _CLASS_DTYPES:
        refuse("classes_", "labels of a type that a model file holds", dtype)
    return {"dtype": dtype, "values": [_plain(label) for label in classes]}


def _classes(given: Any, model: Estimator, spec: ModelSpec) -> NDArray[Any] | None:
    if model._loss != "logistic":
        return None
    _check_type("metadata: classes", given, dict)
    dtype, values = _get(given, "dtype", str), _get(given, "values", list)
    if dtype not in _CLASS_DTYPES:
        refuse("metadata: classes.dtype", f"one of {', '.join(_CLASS_DTYPES)}", dtype)
    plain = all(isinstance(value, str | int | float) for value in values)
    n = max(2, spec.n_outputs)
    if not plain or len(values) != n or len(set(values)) != n:
        count = "two" if n == 2 else n
        refuse("metadata: classes.values", f"{count} different labels", values)
    try:
        classes = np.array(values, dtype=dtype)
        is_sorted = n == 2 or bool((classes[1:] > classes[:-1]).all())
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"metadata: classes: {error}") from error
    if not is_sorted:  # labels are looked up in them
        refuse("metadata: classes.values", "ascending labels", values)
    return classes


def _stream(given: Any) -> Stream | None:
    """What earlier files do not have is None here and below."""
    if given is None:
        return None
    _check_type("metadata: stream", given, dict)
    names = {field.name for field in fields(Stream)}
    if set(given) != names:
        refuse("metadata: stream", f"the entries {sorted(names)}", sorted(given))
    for name in ("seed", "sample_seed", "n_rows", "n_calls"):
        check_int(f"metadata: stream.{name}", given[name], 0, 2**63 - 1)
    for name in ("total", "weight"):
        given[name] = check_real(f"metadata: stream.{name}", given[name])
    return Stream(**given)


def _admission(given: Any) -> tuple[int, int] | None:
    if given is None:
        return None
    _check_type("metadata: admission", given, list)
    if len(given) != 2:
        refuse("metadata: admission", "two numbers", given)
    seen = check_int("metadata: admission", given[0], 0, _MAX_FEATURES)
    return seen, check_int("metadata: admission", given[1], 0, seen)


def _check_history(history: dict[str, Any], best_epoch: int) -> None:
    number = "epoch" if "epoch" in history else "call"  # of partial_fit
    if not history:  # partial_fit with rows that weigh nothing
        history = {number: []}
    epochs = _get(history, number, list)
    for name, column in history.items():
        if not name.isprintable():  # it is shown on terminals
            refuse("metadata: history", "names of columns", name)
        _check_type(f"metadata: history.{name}", column, list)
        if len(column) != len(epochs):
            refuse(f"metadata: history.{name}", f"{len(epochs)} entries", len(column))
        for value in column:
            _check_type(f"metadata: history.{name}", value, int, float)
            if not abs(value) <= sys.float_info.max:
                refuse(f"metadata: history.{name}", "finite numbers", "others")
    first = check_int(f"metadata: history.{number}", epochs[0], 1) if epochs else 1
    if epochs != list(range(first, first + len(epochs))):
        refuse(f"metadata: history.{number}", f"{number}s in a row", "others")
    if number == "call":
        check_int("metadata: best_epoch", best_epoch, 1)
    else:
        check_int("metadata: best_epoch", best_epoch, first, first + len(epochs) - 1)


def _get(entries: dict[str, Any], name: str, *types: type) -> Any:
    if name not in entries:
        refuse("metadata", f"an entry {name!r}", sorted(entries))
    _check_type(f"metadata: {name}", entries[name], *types)
    return entries[name]


def _check_type(name: str, value: Any, *types: type) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        refuse(name, " or ".join(kind.__name__ for kind in types), type(value).__name__)
