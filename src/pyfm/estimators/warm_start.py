"""Going on from a fitted model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.model_spec import ModelSpec, stored_weights
from pyfm.estimators.opened import OpenStream
from pyfm.estimators.settings import Settings
from pyfm.optim import Optimizer
from pyfm.training_rows import TrainingRows


def check_same_model(
    fitted: ModelSpec, inputs: Inputs, settings: Settings, why: str = "since warm_start=True"
) -> None:
    """Raises ValueError that names a parameter that makes it another model."""
    wanted = settings.spec_for(fitted.n_features, fitted.n_fields, inputs.encoder, fitted.n_outputs)
    for field in fields(ModelSpec):
        name, before, now = field.name, getattr(fitted, field.name), getattr(wanted, field.name)
        if before != now:
            if name == "prior_correction":  # the weights are those of a model of such a sample
                name, before, now = "negative_sampling", _share(before), _share(now)
            if name == "deep_fields":  # None: all of them
                before, now = tuple(fitted.input_fields), tuple(wanted.input_fields)
            expected = f"{before!r}, that of the fitted model, {why}"
            refuse(name, expected, now)


def _share(prior_correction: float) -> float:
    """The `negative_sampling` that calls for it, without the last digits, which are rounded."""
    return float(f"{math.exp(prior_correction):.12g}")


def check_same_inputs(
    inputs: Inputs, X: Any, given_fields: Any, why: str = "since warm_start=True"
) -> None:
    """Raises ValueError unless the columns are in the fields that they were in."""
    if isinstance(X, Dataset | OpenStream) or given_fields is None:
        return  # what is wrong with them is found elsewhere
    if inputs.fields is None or not np.array_equal(inputs.fields, given_fields):
        refuse("fields", f"those of the fitted model, or None, {why}", given_fields)


def check_known_rows(spec: ModelSpec, data: TrainingRows) -> None:
    """Raises ValueError where the id space has grown."""
    if data.n_features > spec.n_features:
        expected = f"at most {spec.n_features} features, those of the fitted model"
        refuse("X", f"{expected}, since warm_start=True", data.n_features)
    if spec.has_fields and data.n_fields > spec.n_fields:
        expected = f"at most {spec.n_fields} fields, those of the fitted model"
        refuse("X", f"{expected}, since warm_start=True", data.n_fields)


def _belongs(kept: Mapping[str, Optimizer], wanted: Mapping[str, Optimizer]) -> bool:
    """Whether the state that some optimizers left is of use to others."""
    same_parts = set(kept) == set(wanted)
    return same_parts and all(of.may_become(wanted[part]) for part, of in kept.items())


def model_to_go_on(
    spec: ModelSpec,
    model: _core.Model,
    kept: Mapping[str, Optimizer] | None,
    wanted: Mapping[str, Optimizer],
    seed: int,
) -> _core.Model:
    """The fitted model itself where its optimizer state is of use, else a new one of its weights.

    `kept` are the optimizers whose state belongs to the weights of `model`, by part.
    """
    if kept is None or not _belongs(kept, wanted):
        return spec.build_from(stored_weights(spec, model), wanted, seed)
    for part, optimizer in wanted.items():
        model.set_optimizer(part, optimizer.core())
    return model
