"""More than two classes: what cannot be done with them, and how their weights lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.targets import Labels, Targets
from pyfm.metrics.registry import METRICS

if TYPE_CHECKING:
    from pyfm.estimators.settings import Settings

MAX_CLASSES = 65_536  # kMaxOutputs of the core


def check_multiclass(targets: Targets, settings: Settings) -> None:
    """Raises ValueError for more than two classes, and a parameter that knows no more than two."""
    if not isinstance(targets, Labels) or targets.n_outputs == 1:
        return
    n, first = len(targets.classes), targets.classes[:5].tolist()
    if settings.spec.tower is not None:
        # The wording is scikit-learn's.
        raise ValueError(
            f"y: expected two classes, found {n} classes: {first}. Only binary classification is "
            "supported. The type of the target is multiclass: deep models have no softmax loss, "
            "sklearn.multiclass.OneVsRestClassifier trains one for each class"
        )
    if n > MAX_CLASSES:
        refuse("y", f"at most {MAX_CLASSES} classes", n)
    known = [name for name, metric in METRICS.items() if metric.of_classes is not None]
    why = f"since y has {n} classes"
    for metric in settings.training.metrics:
        if metric not in known:
            refuse("metric", f"{' or '.join(map(repr, known))}, {why}", metric)
    if (share := settings.reweighting.negative_sampling) < 1:
        refuse("negative_sampling", f"1, {why}, none of which is the negative one", share)
    if (smooth := settings.reweighting.label_smoothing) > 0:
        refuse("label_smoothing", f"0, {why}", smooth)


def by_class(spec: ModelSpec, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights of features, of several classes with the classes first, as scikit-learn has them."""
    return weights if spec.n_outputs == 1 else np.ascontiguousarray(weights.swapaxes(0, 1))
