"""Several models as one: bagging, stacking, and trees whose outputs become fields."""

from pyfm.ensemble.averaging import average_probabilities
from pyfm.ensemble.bagging_classifier import BaggingClassifier
from pyfm.ensemble.bagging_regressor import BaggingRegressor
from pyfm.ensemble.columns import FieldColumns
from pyfm.ensemble.gbdt import GBDTFeatures
from pyfm.ensemble.lineup import Contribution, contributions, default_members
from pyfm.ensemble.stacking import StackingClassifier

__all__ = [
    "BaggingClassifier",
    "BaggingRegressor",
    "Contribution",
    "FieldColumns",
    "GBDTFeatures",
    "StackingClassifier",
    "average_probabilities",
    "contributions",
    "default_members",
]
