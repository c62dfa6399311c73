"""Evaluation sets: one, or several by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyfm._core import FormatError
from pyfm.checks import refuse
from pyfm.data_stream import DataStream
from pyfm.dataset import Dataset
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.opened import OpenStream
from pyfm.estimators.rows import StreamedSet
from pyfm.estimators.targets import Targets
from pyfm.metrics.registry import METRICS
from pyfm.training import EvaluationRows


def load_eval_sets(
    eval_set: Any, inputs: Inputs, targets: Targets, metrics: Sequence[str]
) -> dict[str, EvaluationRows]:
    """The rows by name; a single set is called "valid". All `metrics` have a value on each."""
    if eval_set is None:
        return {}
    if not isinstance(eval_set, Mapping):
        return {"valid": _load("eval_set", eval_set, inputs, targets, metrics)}
    if not eval_set:
        refuse("eval_set", "at least one evaluation set", eval_set)
    for name in eval_set:
        if not isinstance(name, str) or not name.isprintable() or name in ("", "train"):
            refuse("eval_set", "names of evaluation sets, 'train' not among them", name)
    return {
        name: _load(f"eval_set[{name!r}]", one, inputs, targets, metrics)
        for name, one in eval_set.items()
    }


def _load(
    name: str, given: Any, inputs: Inputs, targets: Targets, metrics: Sequence[str]
) -> EvaluationRows:
    if isinstance(given, DataStream):
        return _load_stream(name, given, inputs, targets, metrics)
    parts = (given,) if isinstance(given, Dataset) else given
    if not isinstance(parts, tuple) or len(parts) not in (1, 2, 3):
        expected = "a Dataset, a DataStream, (X, y) or (X, y, sample_weight)"
        if name == "eval_set":
            expected += ", or a dict of them by name"
        refuse(name, expected, type(given).__name__)
    X, y, sample_weight = (*parts, None, None)[:3]
    try:
        data = inputs.load(X, y, sample_weight, targets)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    check_defined(name, data, metrics)
    return data


def _load_stream(
    name: str, given: DataStream, inputs: Inputs, targets: Targets, metrics: Sequence[str]
) -> StreamedSet:
    """Read in pieces from its cache after each epoch; the file is open until the end."""
    stream = given.encoded_by(inputs.encoder)
    try:
        reader = stream.open()
        inputs.check_rows(OpenStream(stream, reader))
        data = StreamedSet.of(reader, targets)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    check_defined(name, data, metrics)
    return data


def check_defined(name: str, data: EvaluationRows, metrics: Sequence[str]) -> None:
    """Raises ValueError where one of the metrics has no value, whatever the predictions."""
    assert data.y is not None
    if data.weight is not None and not data.weight.any():
        refuse(name, "at least one row of weight > 0", f"{data.n_rows} rows without")
    for metric in map(METRICS.__getitem__, metrics):
        if not metric.is_defined(data.y, data.weight):
            needed = f"{metric.needs}, which metric={metric.name!r} needs, of weight > 0"
            refuse(name, needed, f"{data.n_rows} rows without them")
