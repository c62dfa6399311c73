"""Folds by any splitter of scikit-learn, checked, and models that did not see the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, check_cv

from pyfm.checks import refuse


class Fold(NamedTuple):
    """Row numbers to learn from, and others to predict."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def split(cv: Any, n_rows: int, y: NDArray[Any], groups: Any, *, classifier: bool) -> list[Fold]:
    """The folds of a splitter, an iterable of pairs, or a number of them (stratified).

    Raises
    ------
    ValueError
        For what is no splitter, rows that do not exist, that a fold learns and predicts, or that
        two folds predict.
    """
    if isinstance(cv, bool) or cv is None:
        refuse("cv", "a number of folds >= 2, a splitter of scikit-learn, or pairs of rows", cv)
    if isinstance(cv, Iterable) and not isinstance(cv, str):
        cv = [_pair(pair) for pair in cv]
    splitter = check_cv(cv, y, classifier=classifier)
    folds = [
        Fold(_rows(train, n_rows), _rows(test, n_rows))
        for train, test in splitter.split(np.empty((n_rows, 0)), y, groups)
    ]
    if not folds:
        refuse("cv", "at least one fold", "none")
    times = np.zeros(n_rows, np.int64)
    for i, fold in enumerate(folds):
        if not len(fold.train) or not len(fold.test):
            refuse("cv", "rows to learn and rows to predict in each fold", f"none in fold {i}")
        if len(np.intersect1d(fold.train, fold.test)):
            refuse("cv", "folds that do not predict what they learned", f"fold {i}, which does")
        times += np.bincount(fold.test, minlength=n_rows)
    if times.max() > 1:
        row = int(np.argmax(times > 1))
        refuse("cv", "folds each row of which is predicted once", f"row {row} in several")
    return folds


def _pair(given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        refuse("cv", "pairs of rows to learn and rows to predict", given)
    return given[0], given[1]


def _rows(given: Any, n_rows: int) -> NDArray[np.int64]:
    rows = np.asarray(given)
    if rows.size == 0:  # lists of nothing are of floats
        return np.empty(0, np.int64)
    if rows.dtype == bool and rows.shape == (n_rows,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        refuse("cv", "row numbers or masks", f"{rows.dtype} of shape {rows.shape}")
    if len(rows) and (rows.min() < 0 or rows.max() >= n_rows):
        refuse("cv", f"rows in [0, {n_rows})", f"{rows.min()} to {rows.max()}")
    return rows.astype(np.int64)


def predicted(folds: list[Fold], n_rows: int) -> NDArray[np.bool_]:
    """The rows that some fold predicts; of folds in the order of time, the first have none."""
    found = np.zeros(n_rows, bool)
    for fold in folds:
        found[fold.test] = True
    return found


def shuffled(cv: Any, random: Any) -> Any:
    """Stratified folds of shuffled rows for a number of them; anything else as it is."""
    if isinstance(cv, bool) or not isinstance(cv, int | np.integer):
        return cv
    if cv < 2:
        refuse("cv", "at least 2 folds", cv)
    return StratifiedKFold(int(cv), shuffle=True, random_state=int(random.randint(2**31 - 1)))
