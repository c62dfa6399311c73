"""Predictions of rows by models that did not learn them (Wolpert 1992)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.ensemble import threads
from pyfm.ensemble.averaging import log_odds
from pyfm.ensemble.folds import Fold, predicted
from pyfm.estimators.classifier import Classifier


class Task(NamedTuple):
    """A member on the rows of a fold; None: on all rows."""

    name: str
    member: Any
    fold: Fold | None


@dataclass(frozen=True)
class OutOfFold:
    """What members said of the rows that they did not learn, and the fitted members.

    `score` is log-odds, float64 of shape (n_rows, n_members), NaN in the rows that no fold
    predicts, `of_folds` the fitted members by name, a list of one for each fold.
    """

    score: NDArray[np.float64]
    of_folds: dict[str, list[Any]]

    @property
    def known(self) -> NDArray[np.bool_]:
        """The rows that some fold predicts."""
        return ~np.isnan(self.score[:, 0])


def out_of_fold(
    members: list[tuple[str, Any]], data: Dataset, folds: list[Fold], random: Any, n_threads: int
) -> OutOfFold:
    """Fits every member to every fold's rows, and predicts the others by it."""
    tasks = [Task(name, seeded(member, random), fold) for name, member in members for fold in folds]
    fitted = threads.run(lambda task, calls: fit(task, data, calls), tasks, n_threads)
    score = np.full((data.n_rows, len(members)), np.nan)
    of_folds: dict[str, list[Any]] = {name: [] for name, _ in members}
    column = {name: i for i, name in enumerate(of_folds)}
    for task, member in zip(tasks, fitted, strict=True):
        assert task.fold is not None
        score[task.fold.test, column[task.name]] = scores_of(member, data[task.fold.test])
        of_folds[task.name].append(member)
    assert (predicted(folds, data.n_rows) == ~np.isnan(score[:, 0])).all()
    return OutOfFold(score, of_folds)


def fit(task: Task, data: Dataset, callbacks: list[Any]) -> Any:
    """The task's member, fitted. Others than those of this package get rows without targets."""
    rows = data if task.fold is None else data[task.fold.train]
    if isinstance(task.member, Classifier):
        return task.member.fit(rows, callbacks=callbacks)
    return task.member.fit(rows.with_targets(None), np.asarray(rows.y).astype(np.int64))


def seeded(member: Any, random: Any) -> Any:
    """A clone with seeds of its own, wherever it takes some, on one thread if it is one of ours."""
    made = clone(member)
    seeds = {
        name: int(random.randint(2**31 - 1))
        for name in sorted(made.get_params(deep=True))
        if name == "random_state" or name.endswith("__random_state")
    }
    if isinstance(made, Classifier):
        seeds["n_jobs"] = 1
    return made.set_params(**seeds)


def scores_of(member: Any, rows: Dataset) -> NDArray[np.float64]:
    """Of the second class, as the member says them or from its probabilities."""
    if isinstance(member, Classifier):
        return np.asarray(member.decision_function(rows), np.float64)
    return of_probabilities(member.predict_proba(rows.with_targets(None)), rows.n_rows)


def of_probabilities(given: Any, n_rows: int) -> NDArray[np.float64]:
    """Log-odds of the second of two classes."""
    p = np.asarray(given, np.float64)
    if p.shape != (n_rows, 2):
        refuse("predict_proba of a member", f"shape ({n_rows}, 2)", p.shape)
    if not ((p >= 0) & (p <= 1)).all():
        refuse("predict_proba of a member", "probabilities", "numbers outside [0, 1]")
    return log_odds(p[:, 1])
