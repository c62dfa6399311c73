"""The metrics that training computes after each epoch, by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyfm import _core
from pyfm.metrics import formulas
from pyfm.metrics.checks import Doubles
from pyfm.metrics.formulas import Rows, Weights

Value = Callable[[Rows, Doubles, Weights], float]


@dataclass(frozen=True)
class Metric:
    """A metric as training uses it: on arrays that the core has checked already."""

    name: str
    value: Value
    greater_is_better: bool = False
    ideal: float | None = None  # of a metric that is better the nearer it is to this
    needs: str = ""  # what it is not defined without: its value is NaN then
    # Of numbers of classes and the probabilities of all, (n_rows, n_classes); None: there is none.
    of_classes: Value | None = None

    def __call__(
        self, y: _core.Floats, prediction: _core.Doubles, weight: _core.Floats | None
    ) -> float:
        """Of one prediction for each row, or of the probabilities of more than two classes."""
        value = self.value if prediction.ndim == 1 else self.of_classes
        assert value is not None  # settings are checked
        return value(y, prediction, weight)

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
        Metric("logloss", _core.logloss, of_classes=formulas.logloss_of_classes),
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
        Metric(
            "accuracy",
            _core.accuracy,
            greater_is_better=True,
            of_classes=formulas.accuracy_of_classes,
        ),
        Metric("precision", formulas.precision, greater_is_better=True),
        Metric("recall", formulas.recall, greater_is_better=True),
        Metric("f1", formulas.f1, greater_is_better=True),
        Metric("rmse", _core.rmse),
        Metric("mae", formulas.mae),
        Metric("r2", formulas.r2, greater_is_better=True, needs="targets that differ"),
    )
}
