"""Pictures of trainings, predictions and weights, by matplotlib (the extra `plot`).

Every function takes the axes to draw on, and returns them. Without, it draws on those of a new
figure of pyplot, which notebooks show. Nothing else of matplotlib's state is touched: no settings
are changed, nothing is shown or saved. The colours are those of Okabe and Ito, which readers with
any colour vision can tell apart.
"""

from pyfm.plot.calibration import reliability_diagram
from pyfm.plot.fields import factor_norms, field_interactions
from pyfm.plot.histories import learning_curves, optimizer_comparison
from pyfm.plot.ranking import gain_curve, lift_curve, precision_recall_curve, roc_curve
from pyfm.plot.weights import weight_histogram

__all__ = [
    "factor_norms",
    "field_interactions",
    "gain_curve",
    "learning_curves",
    "lift_curve",
    "optimizer_comparison",
    "precision_recall_curve",
    "reliability_diagram",
    "roc_curve",
    "weight_histogram",
]
