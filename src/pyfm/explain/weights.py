"""The weights of some features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.estimators.multiclass import by_class
from pyfm.explain.model import Explained


class FeatureWeights(NamedTuple):
    """Weights of n features, copies; 0 of features that the model has none for.

    Of more than two classes, these are a first axis, as of ``coef_``.

    Attributes
    ----------
    linear : ndarray of float32 of shape (n,) or None
        None of models without linear terms.
    factors : ndarray of float32 of shape (n, n_factors), of FFM (n, n_fields_, n_factors), or None
        None of linear models.
    """

    linear: NDArray[np.float32] | None
    factors: NDArray[np.float32] | None


def feature_weights(explained: Explained, features: Any) -> FeatureWeights:
    """Of ids; raises ValueError for what is none."""
    try:
        ids = np.asarray(features)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"features: expected ids in one dimension, found {error}") from error
    if ids.ndim != 1 or (ids.dtype.kind not in "iu" and ids.size):
        found = f"{ids.dtype} of shape {ids.shape}"
        refuse("features", "ids of features: integers in one dimension", found)
    outside = (ids < 0) | (ids >= explained.spec.n_features)
    if outside.any():
        place = int(np.argmax(outside))
        expected = f"ids below {explained.spec.n_features}, the model's features"
        refuse(f"features[{place}]", expected, int(ids[place]))
    known = ids.astype(np.uint32)
    weights = {
        part: by_class(explained.spec, explained.model.weights(part, known))
        for part in explained.spec.tables
    }
    return FeatureWeights(weights.get("linear"), weights.get("factors"))
