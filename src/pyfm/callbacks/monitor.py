"""Follows one evaluation from epoch to epoch."""

from __future__ import annotations

from pyfm.callbacks.base import CallbackEnv, Evaluation
from pyfm.checks import refuse
from pyfm.metrics.registry import METRICS


class Monitor:
    """Tells when an evaluation is better, by more than `tol`, than it ever was."""

    def __init__(self, evaluation: Evaluation, tol: float) -> None:
        self._column = evaluation.column
        self._goodness = METRICS[evaluation.metric].goodness
        self._tol = tol
        self._best: float | None = None

    def improved(self, env: CallbackEnv) -> bool:
        """Called after each epoch."""
        goodness = self._goodness(env.record[self._column])
        if self._best is not None and not goodness > self._best + self._tol:
            return False
        self._best = goodness
        return True


def find_evaluation(
    evaluations: tuple[Evaluation, ...], metric: str | None = None, data: str | None = None
) -> Evaluation:
    """The first that fits, of evaluation sets if there are any.

    Raises ValueError that names the parameter of early stopping.
    """
    found = [e for e in evaluations if e.data != "train"] or list(evaluations)
    for parameter, wanted in (("data", data), ("metric", metric)):
        if wanted is not None:
            names = dict.fromkeys(getattr(e, parameter) for e in found)
            found = [e for e in found if getattr(e, parameter) == wanted]
            if not found:
                known = ", ".join(map(repr, names))
                refuse(f"early_stopping.{parameter}", f"one of those of this fit, {known}", wanted)
    return found[0]
