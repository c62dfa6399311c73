"""scikit-learn estimators: parameters, validation and fitted attributes; no algorithm."""

from pyfm.estimators.deepfm import DeepFMClassifier, DeepFMRegressor
from pyfm.estimators.ffm import FFMClassifier, FFMRegressor
from pyfm.estimators.fm import FMClassifier, FMRegressor
from pyfm.estimators.linear import LinearClassifier, LinearRegressor
from pyfm.estimators.wide_deep import WideDeepClassifier, WideDeepRegressor

__all__ = [
    "DeepFMClassifier",
    "DeepFMRegressor",
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRegressor",
    "LinearClassifier",
    "LinearRegressor",
    "WideDeepClassifier",
    "WideDeepRegressor",
]
