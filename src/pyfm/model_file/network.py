"""The networks of deep models in model files: a few tensors, that are read and written whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.estimators.model_spec import ModelSpec
from pyfm.model_file.training_state import TrainingState, checked


def network_tensors(
    spec: ModelSpec,
    core: _core.Model,
    prefix: str = "deep.",
    snapshot: _core.Snapshot | None = None,
) -> dict[str, NDArray[Any]]:
    """Weights and statistics, now or as a snapshot holds them."""
    weights, statistics = spec.network_shapes()
    tensors: dict[str, NDArray[Any]] = {
        prefix + name: core.network_weights(name, snapshot=snapshot) for name in weights
    }
    for name in statistics:
        tensors[prefix + name] = core.network_statistics(name, snapshot=snapshot)
    return tensors


def network_state(
    spec: ModelSpec, core: _core.Model, state: TrainingState
) -> dict[str, NDArray[Any]]:
    """The optimizer's state of the weights."""
    return {
        f"state.deep.{name}": np.stack(
            [core.network_weights(name, slot=slot + 1) for slot in range(slots)]
        )
        for name, slots in state.network_slots(spec).items()
    }


def fill_network(
    core: _core.Model, spec: ModelSpec, tensors: Mapping[str, Any], prefix: str = "deep."
) -> None:
    """Sets weights and statistics."""
    weights, statistics = spec.network_shapes()
    for name in weights:
        core.set_network_weights(name, _finite(prefix + name, tensors[prefix + name][:]))
    for name in statistics:
        values = _finite(prefix + name, tensors[prefix + name][:])
        if name.endswith(("variance", "n_batches")) and (values < 0).any():
            refuse(f"tensor {prefix}{name}", "numbers >= 0", "others")
        core.set_network_statistics(name, values)


def fill_network_state(
    core: _core.Model, spec: ModelSpec, state: TrainingState, tensors: Mapping[str, Any]
) -> None:
    """Sets the optimizer's state of a network that has its weights."""
    for name, slots in state.network_slots(spec).items():
        values = checked(f"state.deep.{name}", tensors[f"state.deep.{name}"][:])
        for slot in range(slots):
            core.set_network_weights(name, values[slot], slot=slot + 1)


def _finite(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(values).all():
        refuse(f"tensor {name}", "finite numbers", "NaN or infinity")
    return values
