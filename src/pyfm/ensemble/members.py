"""What members of an ensemble learn: one Dataset, read by all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.ensemble.final import MEAN
from pyfm.estimators.base import Estimator
from pyfm.estimators.inputs import Inputs, held
from pyfm.estimators.targets import Targets


@dataclass(frozen=True)
class Shared:
    """Rows with encoded targets in memory, once, and how later rows are read like them."""

    data: Dataset
    inputs: Inputs
    targets: Targets

    @classmethod
    def of(cls, kind: Estimator, X: Any, y: Any, sample_weight: Any, fields: Any) -> Shared:
        """From what `fit` was given; refusals are those of the estimator of that kind."""
        X = held(X)
        inputs = Inputs.of(X, fields).learn_from(X)
        targets = kind._learn_targets(X, y)
        core = inputs.load(X, y, sample_weight, targets, fields)
        return cls(Dataset(core, encoder=inputs.encoder), inputs, targets)

    def fit(self, member: Estimator, rows: NDArray[np.int64], callbacks: Any = None) -> Estimator:
        """A member that has learned some of the rows; it reads X and says labels as `fit` got them.

        The rows are selected, a row that is named twice is learned twice.
        """
        member.fit(self.data[rows], callbacks=callbacks)
        member._inputs, member._targets = self.inputs, self.targets
        return member


def check_member(name: str, estimator: Any, kind: type[Estimator]) -> Estimator:
    """An estimator of this package that is no class, and reads its rows from memory."""
    if isinstance(estimator, type) or not isinstance(estimator, kind):
        refuse(
            name,
            f"a {kind.__name__.lower()} of pyfm, such as pyfm.FFM{kind.__name__}() (others go into "
            f"sklearn.ensemble.Bagging{kind.__name__})",
            estimator,
        )
    return estimator


def check_members(given: Any) -> list[tuple[str, Any]]:
    """Those of a stack: names, and classifiers of any library."""
    expected = "a list of pairs of a name and a classifier, the names different"
    if not isinstance(given, list | tuple) or not given:
        refuse("estimators", expected, given)
    for pair in given:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            refuse("estimators", expected, pair)
        name, member = pair
        if isinstance(member, type) or not hasattr(member, "predict_proba"):
            refuse(f"estimators: {name}", "a classifier with predict_proba", member)
        if not is_classifier(member):
            refuse(f"estimators: {name}", "a classifier", member)
    names = [name for name, _ in given]
    if len(set(names)) < len(names) or MEAN in names:
        refuse("estimators", f"different names other than {MEAN!r}", names)
    return [(name, member) for name, member in given]
