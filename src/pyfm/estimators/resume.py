"""Going on with a fit from a checkpoint: it has to be the same fit."""

from __future__ import annotations

import os
from numbers import Integral
from typing import TYPE_CHECKING, Any

from pyfm.checks import refuse
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.settings import Settings
from pyfm.progress import Origin, Resumption

if TYPE_CHECKING:
    from pyfm.estimators.base import Estimator


def read_checkpoint(
    path: Any, resuming: Estimator, settings: Settings, X: Any, given_fields: Any
) -> tuple[Estimator, Resumption]:
    """The estimator of the last finished epoch, with the state of its optimizers, and the rest.

    Raises
    ------
    FormatError
        If the file is no model, or damaged.
    ValueError
        If it is no checkpoint, or one of a fit that was told something else.
    """
    from pyfm.model_file import load_checkpoint

    if not isinstance(path, str | os.PathLike):
        refuse("resume_from", "the path of a checkpoint, or None", path)
    name = os.fsdecode(path)
    saved, progress = load_checkpoint(name)
    if progress is None:
        expected = "a file of pyfm.callbacks.checkpoint, written during a fit"
        refuse("resume_from", expected, f"{name}, a model without its progress")
    if type(saved) is not type(resuming):
        expected = f"a checkpoint of the class {type(resuming).__name__}"
        refuse("resume_from", expected, f"{name}, of {type(saved).__name__}")
    before, now = _facts(saved._settings()), _facts(settings)
    for parameter, value in before.items():
        if now[parameter] != value:
            refuse(parameter, f"{value!r}, as in {name!r}", now[parameter])
    n_epochs, done = settings.training.epochs, len(saved.history_["epoch"])
    if n_epochs < done:
        refuse("epochs", f"at least {done}, those in {name!r}", n_epochs)
    found = Inputs.of(X, given_fields)
    if (found.kind, found.n_columns) != (saved._inputs.kind, saved._inputs.n_columns):
        refuse("X", f"{saved._inputs.described}, as in {name!r}", found.described)
    return saved, Resumption(name, saved.history_, saved.best_epoch_, progress)


def origin_of(resumption: Resumption, saved: Estimator, found: Origin, random_state: Any) -> Origin:
    """That of the checkpoint.

    Raises ValueError if the data are others, or an integer `random_state` is another.
    """
    expected, path = resumption.progress.origin, resumption.path
    for unit, was, size in (
        ("rows", expected.n_rows, found.n_rows),
        ("features", expected.n_features, found.n_features),
        ("fields", expected.n_fields, found.n_fields),
        ("features in its rows", expected.nnz, found.nnz),
    ):
        if was != size:
            refuse("X", f"{was} {unit}, as in {path!r}", size)
    if expected.checksum != found.checksum:
        refuse("X", f"the rows, targets and weights of {path!r}", "others of the same sizes")
    same = (expected.split_seed, expected.sample_seed) == (found.split_seed, found.sample_seed)
    if isinstance(random_state, Integral) and not same:
        refuse("random_state", f"{saved.random_state!r}, as in {path!r}", random_state)
    return expected


def _facts(settings: Settings) -> dict[str, object]:
    """What numbers depend on, besides the model and the data; by parameter."""
    training, optimizers = settings.training, settings.training.optimizers
    same = len(set(optimizers.values())) == 1
    return {
        "optimizer": next(iter(optimizers.values())) if same else dict(optimizers),
        "batch_size": training.batch_size or "full",
        "augmentation": training.augmentation,
        "min_count": settings.min_count,
        "learning_rate_schedule": settings.schedule,
        "metric": training.metrics,
        "early_stopping": settings.early_stopping,
        "n_iter_no_change": settings.n_iter_no_change,
        "tol": settings.tol,
        "validation_fraction": settings.validation_fraction,
    } | vars(settings.reweighting)
