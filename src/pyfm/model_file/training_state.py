"""What a training goes on with: the optimizers' state, and of a checkpoint the best weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.estimators.model_spec import ModelSpec
from pyfm.model_file.layout import chunks
from pyfm.optim import Optimizer
from pyfm.progress import Origin, Progress

NOISE_SIZE = 16  # of the random numbers that round a part: NoiseState of the core


@dataclass(frozen=True)
class TrainingState:
    """The metadata of it."""

    optimizers: Mapping[str, Optimizer]  # of the parts that are not frozen
    seed: int  # of the core's model
    origin: Origin | None  # of a checkpoint
    has_best: bool = False  # whether the file also holds the weights of an earlier epoch
    n_batches: int = 0  # of a stream

    @classmethod
    def of(cls, model: _core.Model, optimizers: Mapping[str, Optimizer]) -> TrainingState:
        """Of a fitted model."""
        return cls(optimizers, model.seed, None, n_batches=model.n_batches)

    @classmethod
    def of_fit(cls, model: _core.Model, progress: Progress) -> TrainingState:
        """Of a fit between two epochs."""
        has_best = progress.best is not None
        return cls(progress.optimizers, model.seed, progress.origin, has_best, model.n_batches)

    def shapes(self, spec: ModelSpec) -> dict[str, tuple[int, ...]]:
        """Shapes of the tensors that it adds, but for `frequencies`."""
        weights = spec.shapes()
        shapes: dict[str, tuple[int, ...]] = {}
        for part in spec.tables:
            slots = self.slots(part)
            if slots and part == "linear":
                shapes["state.bias"] = (slots, *spec.of_output)
            if slots:
                n_features, *rest = weights[part]
                shapes[f"state.{part}"] = (n_features, slots, *rest)
        network, statistics = spec.network_shapes()
        for name, slots in self.network_slots(spec).items():
            shapes[f"state.deep.{name}"] = (slots, *network[name])
        if self.has_best:
            shapes |= {f"best.{name}": shape for name, shape in weights.items()}
            shapes |= {f"best.deep.{name}": of for name, of in (network | statistics).items()}
        return shapes

    def slots(self, part: str) -> int:
        """Numbers beside each weight; none of frozen parts."""
        if part not in self.optimizers:
            return 0
        slots: int = _core.catalog()["slots"][self.optimizers[part].core()[0]]
        return slots

    def network_slots(self, spec: ModelSpec) -> dict[str, int]:
        """Of the weights of a network that have some."""
        slots = self.slots("deep")
        return dict.fromkeys(spec.network_shapes()[0], slots) if slots else {}


def fill_state(
    core: _core.Model,
    spec: ModelSpec,
    features: NDArray[np.uint32],
    n_batches: int,
    tensors: Mapping[str, Any],
) -> None:
    """Sets the state of a model that has its weights."""
    for part in spec.tables:
        if (name := f"state.{part}") in tensors:
            shape = tensors[name].get_shape()
            for piece in chunks(shape[0], 4 * math.prod(shape[1:])):
                values = checked(name, tensors[name][piece].astype(np.float32, copy=False))
                core.set_state(part, values, features[piece])
    if core.bias is not None:
        none = np.zeros((0, *spec.of_output), np.float32)
        bias = checked("state.bias", tensors["state.bias"][:]) if "state.bias" in tensors else none
        core.set_bias_state(bias)
    if tensors["frequencies"].get_shape() != [0]:  # safetensors refuses to slice nothing
        core.set_frequencies(checked("frequencies", tensors["frequencies"][:]))
    noise = tensors["noise"][:] if "noise" in tensors else np.zeros((0, NOISE_SIZE), np.uint32)
    core.set_stream_position(n_batches, noise)


def checked(name: str, state: NDArray[np.float32]) -> NDArray[np.float32]:
    """Infinity is where sums of squares end; NaN is of no training that goes on."""
    if np.isnan(state).any():
        refuse(f"tensor {name}", "numbers", "NaN")
    return state
