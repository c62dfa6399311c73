"""More than two classes: what cannot be done with them, and how their weights lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.targets import Labels, Targets, listed
from pyfm.metrics.registry import METRICS

if TYPE_CHECKING:
    from pyfm.estimators.settings import Settings

MAX_CLASSES = 65_536  # kMaxOutputs of the core


def check_multiclass(targets: Targets, settings: Settings) -> None:
    """Raises ValueError for more than two classes, and a parameter that knows no more than two."""
    if not isinstance(targets, Labels) or targets.n_outputs == 1:
        return
    n = len(targets.classes)
    if settings.spec.tower is not None:
        why = "deep models have no softmax loss"
        check_two_classes(
            targets, f"{why}, sklearn.multiclass.OneVsRestClassifier trains one for each class"
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


def check_two_classes(labels: Labels, why: str) -> None:
    """Raises ValueError for more, in the wording of scikit-learn."""
    if (n := len(labels.classes)) > 2:
        raise ValueError(
            f"y: expected two classes, found {n} classes: {labels.classes[:5].tolist()}. Only "
            f"binary classification is supported. The type of the target is multiclass: {why}"
        )


def output_of(classes: NDArray[Any] | None, label: Any) -> int:
    """The number of the score of a label; of models with one score, which take None, 0."""
    if classes is None or len(classes) == 2:
        if label is not None:
            refuse("output", "None, since the model has one score", label)
        return 0
    scalar = np.ndim(label) == 0 and label is not None
    numbers = [i for i, known in enumerate(classes.tolist()) if scalar and known == label]
    if not numbers:
        expected = f"one of the {len(classes)} classes {listed(classes)}, which have a score each"
        refuse("output", expected, label)
    return numbers[0]


def by_class(spec: ModelSpec, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights of features, of several classes with the classes first, as scikit-learn has them."""
    return weights if spec.n_outputs == 1 else np.ascontiguousarray(weights.swapaxes(0, 1))
