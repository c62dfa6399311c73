"""The best epoch, and early stopping, which goes back to it."""

from __future__ import annotations

from pyfm import _core
from pyfm.callbacks.base import Callback, CallbackEnv
from pyfm.callbacks.monitor import Monitor, find_evaluation
from pyfm.checks import check_int, check_real, refuse


class BestEpoch(Callback):
    """Which epoch was the best; without evaluation sets the last one."""

    def __init__(
        self, *, tol: float = 0.0, metric: str | None = None, data: str | None = None
    ) -> None:
        self.best_epoch = 0  # counted from 1
        self.tol = tol
        self.metric = metric
        self.data = data
        self._monitor: Monitor | None = None

    def before_training(self, env: CallbackEnv) -> None:
        self.best_epoch = 0
        evaluation = find_evaluation(env.evaluations, self.metric, self.data)
        self._monitor = None if evaluation.data == "train" else Monitor(evaluation, self.tol)

    def replay(self, env: CallbackEnv) -> bool | None:
        if self._monitor is None or self._monitor.improved(env):
            self.best_epoch = env.epoch
        return None

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        self.replay(env)
        if self.best_epoch == env.epoch:
            self.keep(env)
        return None

    def keep(self, env: CallbackEnv) -> None:
        """Called after each new best epoch."""


class EarlyStopping(BestEpoch):
    """Stops some epochs after the best one, and brings its weights back."""

    def __init__(
        self, n_iter_no_change: int, *, tol: float, metric: str | None, data: str | None
    ) -> None:
        super().__init__(tol=tol, metric=metric, data=data)
        self.n_iter_no_change = n_iter_no_change
        self.snapshot: _core.Snapshot | None = None  # of the best epoch

    def keep(self, env: CallbackEnv) -> None:
        self.snapshot = self.snapshot or _core.Snapshot()
        env.core_model.save(self.snapshot)

    def remember(self, best: _core.Snapshot | None, env: CallbackEnv) -> None:
        """Takes the weights of the best epoch from a checkpoint; None: it is the last one."""
        self.snapshot = best
        if best is None:
            self.keep(env)

    def replay(self, env: CallbackEnv) -> bool | None:
        super().replay(env)
        return env.epoch - self.best_epoch >= self.n_iter_no_change

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        super().after_epoch(env)
        return env.epoch - self.best_epoch >= self.n_iter_no_change

    def after_training(self, env: CallbackEnv) -> None:
        snapshot, self.snapshot = self.snapshot, None
        if snapshot is not None:
            env.core_model.restore(snapshot)


def early_stopping(
    n_iter_no_change: int = 3,
    *,
    tol: float = 0.0,
    metric: str | None = None,
    data: str | None = None,
) -> Callback:
    """Ends the training when validation no longer improves, and restores the best epoch.

    The estimators' ``early_stopping=True`` stands for it, and takes `n_iter_no_change`, `tol` and
    `metric` from the parameters of these names. Costs a copy of the weights (not of the optimizer's
    state). Without an ``eval_set``, `fit` sets rows apart (``validation_fraction``).

    Parameters
    ----------
    n_iter_no_change : int >= 1, default=3
        Epochs without improvement after which the training ends: the patience.
    tol : float >= 0, default=0
        Only what improves the metric by more than this is an improvement.
    metric : str, optional
        One of the estimator's metrics (the model's loss is always among them). Whether greater or
        smaller is better is known. None: the estimator's first.
    data : str, optional
        Name of the evaluation set. None: the first.

    Returns
    -------
    Callback

    Raises
    ------
    ValueError
        If a parameter is out of its range; from `fit`, before the first epoch, if no such metric
        or evaluation set exists.

    Examples
    --------
    >>> import pyfm
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=100, random_state=0)
    >>> model = pyfm.LinearClassifier(epochs=50, metric=["logloss", "auc"], random_state=0)
    >>> stop = pyfm.callbacks.early_stopping(2, metric="auc")
    >>> _ = model.fit(rows[:1500], eval_set=rows[1500:], callbacks=[stop])
    >>> model.n_iter_ == model.best_epoch_ + 2
    True
    """
    for name, value in (("metric", metric), ("data", data)):
        if value is not None and not isinstance(value, str):
            refuse(name, "a name or None", value)
    return EarlyStopping(
        check_int("n_iter_no_change", n_iter_no_change, 1),
        tol=check_real("tol", tol),
        metric=metric,
        data=data,
    )
