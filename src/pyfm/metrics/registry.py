"""The metrics that training computes after each epoch, by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyfm import _core
from pyfm.metrics import formulas


@dataclass(frozen=True)
class Metric:
    """A metric as training uses it: on arrays that the core has checked already."""

    name: str
    value: Callable[[_core.Floats, _core.Doubles, _core.Floats | None], float]
    greater_is_better: bool = False
    ideal: float | None = None  # of a metric that is better the nearer it is to this
    needs: str = ""  # what it is not defined without: its value is NaN then

    def is_defined(self, y: _core.Floats, weight: _core.Floats | None) -> bool:
        """Whether it has a value for these targets, whatever the predictions."""
        return not (self.needs and math.isnan(self.value(y, np.full(len(y), 0.5), weight)))

    def goodness(self, value: float) -> float:
        """What early stopping maximizes."""
        if self.ideal is not None:
            return -abs(value - self.ideal)
        return value if self.greater_is_better else -value


_BOTH = "rows of both classes"

METRICS = {
    metric.name: metric
    for metric in (
        Metric("logloss", _core.logloss),
        Metric("normalized_entropy", formulas.normalized_entropy, needs=_BOTH),
        Metric("brier", formulas.brier),
        Metric(
            "calibration_ratio",
            formulas.calibration_ratio,
            ideal=1.0,
            needs="rows of the second class",
        ),
        Metric("expected_calibration_error", formulas.expected_calibration_error),
        Metric("auc", _core.auc, greater_is_better=True, needs=_BOTH),
        Metric("accuracy", _core.accuracy, greater_is_better=True),
        Metric("precision", formulas.precision, greater_is_better=True),
        Metric("recall", formulas.recall, greater_is_better=True),
        Metric("f1", formulas.f1, greater_is_better=True),
        Metric("rmse", _core.rmse),
        Metric("mae", formulas.mae),
        Metric("r2", formulas.r2, greater_is_better=True, needs="targets that differ"),
    )
}
