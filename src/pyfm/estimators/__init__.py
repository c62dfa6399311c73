"""scikit-learn estimators: parameters, validation and fitted attributes; no algorithm."""

from pyfm.estimators.ffm import FFMClassifier, FFMRegressor
from pyfm.estimators.fm import FMClassifier, FMRegressor
from pyfm.estimators.linear import LinearClassifier, LinearRegressor

__all__ = [
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRegressor",
    "LinearClassifier",
    "LinearRegressor",
]
