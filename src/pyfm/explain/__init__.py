"""What a model's scores are made of: what its `explain` and its relatives return."""

from pyfm.explain.explanation import Explanation, Term
from pyfm.explain.importance import Importance
from pyfm.explain.interactions import Interaction
from pyfm.explain.weights import FeatureWeights

__all__ = ["Explanation", "FeatureWeights", "Importance", "Interaction", "Term"]
