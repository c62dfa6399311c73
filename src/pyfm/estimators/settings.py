"""From the parameters of an estimator, as the user set them, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfm import optim, schedules
from pyfm.augmentation import check_augmentation
from pyfm.checks import (
    check_bool,
    check_choice,
    check_fraction,
    check_int,
    check_real,
    refuse,
)
from pyfm.estimators.deep_fields import DeepFields
from pyfm.estimators.model_spec import DEEP_KINDS, DTYPES, ModelSpec
from pyfm.estimators.reweighting import Reweighting
from pyfm.estimators.threads import n_threads
from pyfm.estimators.tower import Tower
from pyfm.schedules import Constant, Schedule
from pyfm.training import TrainingOptions

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

_MAX_FACTORS = 1024
_MOST_COUNTS = 2**31 - 1  # RowMap::kMostCounts, where counts stay


@dataclass(frozen=True)
class Settings:
    """Everything that a fit is told, apart from the data."""

    spec: ModelSpec  # sizes that depend on the data are still 0; see spec_for
    deep_fields: DeepFields
    reweighting: Reweighting
    training: TrainingOptions
    min_count: int
    schedule: Schedule
    early_stopping: bool
    n_iter_no_change: int
    tol: float
    validation_fraction: float
    warm_start: bool
    verbose: int

    @classmethod
    def of(
        cls, params: Mapping[str, Any], *, kind: str, loss: str, metrics: Sequence[str]
    ) -> Settings:
        """Checks the parameters; the first of `metrics` is the one that belongs to `loss`.

        Raises
        ------
        ValueError
            Naming the parameter, what it takes, and what was found.
        """
        factors = kind != "linear"
        reweighting = Reweighting.of(params) if loss == "logistic" else Reweighting()
        spec = ModelSpec(
            kind=kind,
            loss=loss,
            n_factors=check_int("n_factors", params["n_factors"], 1, _MAX_FACTORS)
            if factors
            else 0,
            linear=check_bool("linear", params["linear"]) if factors else True,
            normalize=check_bool("normalize", params["normalize"]),
            init_scale=check_real("init_scale", params["init_scale"]) if factors else 0.0,
            dtype=check_choice("dtype", params["dtype"], DTYPES) if factors else "float32",
            prior_correction=reweighting.prior_correction,
            tower=Tower.of(params) if kind in DEEP_KINDS else None,
        )
        check_seed(params["random_state"])
        rates = {name: params[name] for name in ("learning_rate", "l1", "l2")}
        training = TrainingOptions(
            loss=metrics[0],
            metrics=_metrics(params["metric"], metrics),
            optimizers=optim.resolve_parts(params["optimizer"], _trained(params, spec), **rates),
            normalize=spec.normalize,
            epochs=check_int("epochs", params["epochs"], 1),
            n_threads=n_threads(params["n_jobs"]),
            batch_size=_batch_size(params["batch_size"], spec.tower),
            prior_correction=reweighting.prior_correction,
            augmentation=check_augmentation(params["augmentation"]),
        )
        return cls(
            spec=spec,
            deep_fields=DeepFields.of(params, kind) if spec.tower else DeepFields(),
            reweighting=reweighting,
            training=training,
            min_count=check_int("min_count", params["min_count"], 1, _MOST_COUNTS),
            schedule=_schedule(params["learning_rate_schedule"], training.optimizers),
            early_stopping=check_bool("early_stopping", params["early_stopping"]),
            n_iter_no_change=check_int("n_iter_no_change", params["n_iter_no_change"], 1),
            tol=check_real("tol", params["tol"]),
            validation_fraction=check_fraction(
                "validation_fraction", params["validation_fraction"]
            ),
            warm_start=check_bool("warm_start", params["warm_start"]),
            verbose=_verbosity(params["verbose"]),
        )

    def spec_for(
        self, n_features: int, n_fields: int, encoder: FieldEncoder | None, n_outputs: int
    ) -> ModelSpec:
        """Of the model for data of such sizes, and of such an encoder, if any.

        Raises ValueError if they lack fields that were named.
        """
        return replace(
            self.spec,
            loss="softmax" if n_outputs > 1 else self.spec.loss,
            n_features=n_features,
            n_fields=n_fields,
            deep_fields=self.deep_fields.resolve(n_fields, encoder),
            n_outputs=n_outputs,
        )


def _metrics(metric: object, known: Sequence[str]) -> tuple[str, ...]:
    """One name or several, without any twice; None: the metric of the loss."""
    if metric is None:
        return (known[0],)
    if not isinstance(metric, list | tuple):
        return (check_choice("metric", metric, known),)
    names = tuple(check_choice("metric", name, known) for name in metric)
    if not names or len(set(names)) < len(names):
        refuse("metric", "one or more names, each once", metric)
    return names


def _schedule(given: object, optimizers: Mapping[str, optim.Optimizer]) -> Schedule:
    schedule = schedules.resolve(given)
    fixed = [of for of in optimizers.values() if "learning_rate" in of.fixed]
    if fixed and not isinstance(schedule, Constant):
        refuse(
            "learning_rate_schedule",
            f"'constant' for the optimizer {fixed[0].name!r}, whose learning rate is fixed while "
            "a model is trained (each of its weights has a schedule of its own)",
            given,
        )
    return schedule


def _trained(params: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    """The parts that are not frozen."""
    frozen = params.get("freeze", ())
    if not isinstance(frozen, list | tuple) or not set(frozen) < set(spec.parts):
        parts = ", ".join(map(repr, spec.parts))
        refuse("freeze", f"a tuple of some of {parts}, not of all", frozen)
    if isinstance(optimizer := params["optimizer"], Mapping):
        for part in frozen:
            if part in optimizer:
                refuse("optimizer", f"none for {part!r}, since freeze={frozen!r}", optimizer)
    return [part for part in spec.parts if part not in frozen]


def _batch_size(batch_size: object, tower: Tower | None) -> int:
    """Rows; 0 for "full"."""
    if isinstance(batch_size, str) and batch_size == "full":
        return 0
    if isinstance(batch_size, bool) or not isinstance(batch_size, Integral) or batch_size < 1:
        refuse("batch_size", "an integer >= 1, or 'full' for all rows", batch_size)
    if tower and tower.batch_norm and batch_size == 1:
        expected = "at least 2 rows with batch_norm=True, which needs the variance of a batch"
        refuse("batch_size", expected, batch_size)
    return min(int(batch_size), 2**62)


def _verbosity(verbose: object) -> int:
    # True is what scikit-learn's own users write for 1.
    return int(verbose) if isinstance(verbose, bool) else check_int("verbose", verbose, 0)


def check_seed(random_state: object) -> None:
    """A seed as NumPy's RandomState takes it, or one, or None."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return
    if not isinstance(random_state, int | np.integer) or not 0 <= random_state < 2**32:
        refuse("random_state", "an integer in [0, 2**32 - 1], a RandomState or None", random_state)
