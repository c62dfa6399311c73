"""From the options of `pyfm train` to the parameters of an estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

import pyfm
from pyfm.cli.options import ModelKind, OptimizerName

if TYPE_CHECKING:  # it loads scikit-learn, for which `--help` need not wait
    from pyfm.estimators.base import Estimator

_ESTIMATORS = {
    ModelKind.linear: "LinearClassifier",
    ModelKind.fm: "FMClassifier",
    ModelKind.ffm: "FFMClassifier",
    ModelKind.deepfm: "DeepFMClassifier",
    ModelKind.wide_deep: "WideDeepClassifier",
}
# Where they are not the estimator's own defaults: libffm's.
_LIBFFM_DEFAULTS = {"epochs": 15, "learning_rate": 0.2}


def make_estimator(kind: ModelKind, given: dict[str, Any], **others: Any) -> Estimator:
    """An estimator with the parameters that were given: those that are not None.

    Raises typer.BadParameter for what such a model has not, and for what is out of range.
    """
    params = {name: value for name, value in given.items() if value is not None}
    cls: type[Estimator] = getattr(pyfm, _ESTIMATORS[kind])
    known = cls._get_param_names()
    for name in params:
        if name not in known:
            option = name.replace("_", "-")
            raise typer.BadParameter(f"--{option}: a {kind.value} model has no such parameter")
    if kind is ModelKind.ffm:
        is_adagrad = params.get("optimizer") in (None, OptimizerName.adagrad.value)
        own = set(_LIBFFM_DEFAULTS) if is_adagrad else {"epochs"}
        params = {name: _LIBFFM_DEFAULTS[name] for name in own} | params
    estimator = cls(**params, **others)
    try:
        estimator._settings()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return estimator


def widths(hidden: str | None) -> tuple[int, ...] | None:
    """Of hidden layers, as in 400,400."""
    if hidden is None:
        return None
    try:
        return tuple(int(width) for width in hidden.split(","))
    except ValueError:
        expected = "--hidden: expected widths of hidden layers with commas between, as in 400,400"
        raise typer.BadParameter(f"{expected}, found {hidden!r}") from None


def field_list(fields: str | None) -> tuple[int | str, ...] | None:
    """Numbers, and names that data files with an encoder have, as in 0,1,site."""
    if fields is None:
        return None
    found = [field.strip() for field in fields.split(",")]
    if not all(found):
        expected = "--deep-fields: expected numbers or names of fields with commas between"
        raise typer.BadParameter(f"{expected}, as in 0,1,4, found {fields!r}")
    return tuple(int(field) if field.isdecimal() else field for field in found)


def rows_in_batch(batch_size: str | None) -> int | str | None:
    """A number where it is one; the estimator checks it."""
    return int(batch_size) if batch_size and batch_size.isdecimal() else batch_size


def class_weights(balanced: bool, given: list[str]) -> dict[int, float] | str | None:
    """The weights themselves are checked with the other parameters."""
    if not given:
        return "balanced" if balanced else None
    if balanced:
        raise typer.BadParameter("--class-weight: expected none beside --balanced, found both")
    weights: dict[int, float] = {}
    for pair in given:
        label, _, weight = pair.partition("=")
        try:
            number, factor = int(label), float(weight)
        except ValueError:
            expected = "--class-weight: expected LABEL=WEIGHT with a label 0, 1 or -1, as in 1=5"
            raise typer.BadParameter(f"{expected}, found {pair!r}") from None
        if number in weights:
            raise typer.BadParameter(f"--class-weight: expected each label once, found {pair!r}")
        weights[number] = factor
    return weights


def make_augmentation(feature_dropout: float, bootstrap: bool) -> pyfm.Augmentation | None:
    """None where it would change nothing."""
    if not feature_dropout and not bootstrap:
        return None
    try:
        return pyfm.Augmentation(feature_dropout=feature_dropout, bootstrap=bootstrap)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
