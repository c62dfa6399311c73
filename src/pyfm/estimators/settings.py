"""From the parameters of an estimator, as the user set them, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np

from pyfm.checks import check_bool, check_choice, check_fraction, check_int, check_real, refuse
from pyfm.estimators.model_spec import DTYPES, ModelSpec
from pyfm.optim import Optimizer, resolve_parts
from pyfm.training import TrainingOptions

_MAX_FACTORS = 1024
_MAX_THREADS = 1024  # a system that cannot start a thread ends the process


@dataclass(frozen=True)
class Settings:
    """Everything that a fit is told, apart from the data."""

    spec: ModelSpec  # sizes that depend on the data are still 0
    optimizers: Mapping[str, Optimizer]  # of the parts
    training: TrainingOptions
    validation_fraction: float
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
        )
        check_seed(params["random_state"])
        rates = {name: params[name] for name in ("learning_rate", "l1", "l2")}
        metric = params["metric"]
        training = TrainingOptions(
            loss=metrics[0],
            metric=metrics[0] if metric is None else check_choice("metric", metric, metrics),
            epochs=check_int("epochs", params["epochs"], 1),
            n_threads=n_threads(params["n_jobs"]),
            early_stopping=check_bool("early_stopping", params["early_stopping"]),
            n_iter_no_change=check_int("n_iter_no_change", params["n_iter_no_change"], 1),
            tol=check_real("tol", params["tol"]),
        )
        return cls(
            spec=spec,
            optimizers=resolve_parts(params["optimizer"], spec.parts, **rates),
            training=training,
            validation_fraction=check_fraction(
                "validation_fraction", params["validation_fraction"]
            ),
            verbose=_verbosity(params["verbose"]),
        )


def _verbosity(verbose: object) -> int:
    # True is what scikit-learn's own users write for 1.
    return int(verbose) if isinstance(verbose, bool) else check_int("verbose", verbose, 0)


def check_seed(random_state: object) -> None:
    """A seed as NumPy's RandomState takes it, or one, or None."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return
    if not isinstance(random_state, int | np.integer) or not 0 <= random_state < 2**32:
        refuse("random_state", "an integer in [0, 2**32 - 1], a RandomState or None", random_state)


def n_threads(n_jobs: int | None) -> int:
    """Threads as scikit-learn counts them: None is 1, -1 all cores, -2 all but one."""
    if n_jobs is None:
        return 1
    if check_int("n_jobs", n_jobs, -_MAX_THREADS, _MAX_THREADS) == 0:
        refuse("n_jobs", "a number of threads, -1 for all cores, or None for 1", n_jobs)
    return n_jobs if n_jobs > 0 else max(1, joblib.cpu_count() + 1 + n_jobs)
