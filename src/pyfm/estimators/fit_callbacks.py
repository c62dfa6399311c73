"""The callbacks of a fit: those that parameters stand for, and those that the user lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pyfm.callbacks.base import Callback, FunctionCallback
from pyfm.callbacks.parameters import Reset, scheduled
from pyfm.callbacks.showing import log_evaluation, progress
from pyfm.callbacks.stopping import EarlyStopping, early_stopping
from pyfm.checks import refuse
from pyfm.estimators.settings import Settings


def fit_callbacks(settings: Settings, given: Any) -> list[Callback]:
    """All callbacks of a fit.

    Raises ValueError for what is no callback, and where a callback does what a parameter does.
    """
    listed = _listed(given)
    by_rate = [c for c in listed if isinstance(c, Reset) and "learning_rate" in c.values]
    schedule = scheduled(settings.schedule)
    if by_rate and schedule:
        refuse(
            "callbacks",
            f"no reset_parameter(learning_rate=…) beside "
            f"learning_rate_schedule={settings.schedule.name!r}",
            "both",
        )
    if sum(isinstance(c, EarlyStopping) for c in listed) + settings.early_stopping > 1:
        refuse("callbacks", "early stopping once, by a parameter or a callback", "it twice")
    stopping = early_stopping(settings.n_iter_no_change, tol=settings.tol)
    shown = {0: [], 1: [progress()]}.get(settings.verbose, [log_evaluation()])
    return [*shown, *schedule, *([stopping] if settings.early_stopping else []), *listed]


def _listed(given: Any) -> list[Callback]:
    if given is None:
        return []
    if isinstance(given, Callback) or not isinstance(given, Iterable):
        refuse("callbacks", "a list of callbacks", given)
    listed = [_callback(f"callbacks[{i}]", callback) for i, callback in enumerate(given)]
    for i, callback in enumerate(listed):
        if not isinstance(callback.order, int):
            refuse(f"callbacks[{i}].order", "an integer", callback.order)
    return listed


def _callback(name: str, given: Any) -> Callback:
    if isinstance(given, Callback):
        return given
    if callable(given) and getattr(given, "__module__", "").startswith("pyfm.callbacks"):
        refuse(name, f"a call, {given.__name__}(…)", given)
    if isinstance(given, type) or not callable(given):
        refuse(name, "an object from pyfm.callbacks or a function of the CallbackEnv", given)
    return FunctionCallback(given)


def stops_early(callbacks: Sequence[Callback]) -> bool:
    """Whether validation rows are needed."""
    return any(isinstance(callback, EarlyStopping) for callback in callbacks)
