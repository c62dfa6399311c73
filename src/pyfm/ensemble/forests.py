"""Forests of LightGBM, XGBoost and scikit-learn: their scores and the leaves that rows end in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.ensemble.averaging import log_odds


def lightgbm() -> Any:
    """The module.

    Raises
    ------
    ImportError
        With what to install.
    """
    try:
        import lightgbm as module
    except ImportError as error:
        raise ImportError(
            "the trees are LightGBM's, which is not installed: pip install 'pyfm-ctr[gbdt]', or "
            "pass a forest of scikit-learn or XGBoost"
        ) from error
    return module


def default_forest(output: str, seed: int) -> Any:
    """Many trees that add up to a good score, or few, pruned ones whose leaves are well known."""
    shape = (
        {"n_estimators": 400, "num_leaves": 31, "learning_rate": 0.05}
        if output == "score"
        else {"n_estimators": 20, "num_leaves": 8, "learning_rate": 0.2}
    )
    return lightgbm().LGBMClassifier(
        **shape,
        min_child_samples=100,
        colsample_bytree=0.2,
        subsample=0.7,
        subsample_freq=1,
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )


def scores(forest: Any, X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of the second class, shape (n_rows,)."""
    if _is_booster(forest):
        found = forest.predict(X, raw_score=True)
    elif hasattr(forest, "decision_function"):
        found = forest.decision_function(X)
    else:
        p = np.asarray(forest.predict_proba(X), np.float64)
        if p.ndim != 2 or p.shape[1] != 2:
            refuse("forest", "one of two classes", f"probabilities of shape {p.shape}")
        found = log_odds(p[:, 1])
    score = np.asarray(found, np.float64)
    if score.shape != (len(X),):
        refuse("forest", "one of two classes", f"scores of shape {score.shape}")
    return score


def leaves(forest: Any, X: NDArray[np.float32]) -> NDArray[np.int64]:
    """The number of the leaf of each tree, shape (n_rows, n_trees)."""
    if _is_booster(forest) or type(forest).__module__.startswith("lightgbm"):
        found = forest.predict(X, pred_leaf=True)
    elif hasattr(forest, "apply"):
        found = forest.apply(X)
    else:
        refuse("forest", "a forest that tells leaves, by apply(X)", type(forest).__name__)
    return np.asarray(found).reshape(len(X), -1).astype(np.int64)


def check_forest(forest: Any) -> None:
    """Raises ValueError for what is no forest of classification."""
    tells_scores = hasattr(forest, "decision_function") or hasattr(forest, "predict_proba")
    if isinstance(forest, type) or not (_is_booster(forest) or tells_scores):
        refuse("forest", "a classifier of LightGBM, XGBoost or scikit-learn, or None", forest)


def _is_booster(forest: Any) -> bool:
    """LightGBM's own kind, which is no estimator."""
    kind = type(forest)
    return kind.__module__.startswith("lightgbm") and kind.__name__ == "Booster"
