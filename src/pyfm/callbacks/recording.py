"""The history of a training."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from pyfm.callbacks.base import Callback, CallbackEnv
from pyfm.checks import refuse


class Recording(Callback):
    """Appends each epoch's record to columns."""

    def __init__(self, history: MutableMapping[str, Any]) -> None:
        self._history = history

    def before_training(self, env: CallbackEnv) -> None:
        self._history.clear()

    def replay(self, env: CallbackEnv) -> bool | None:
        return self.after_epoch(env)

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        for name, value in env.record.items():
            self._history.setdefault(name, []).append(value)
        return None


def record_evaluation(history: MutableMapping[str, Any]) -> Callback:
    """Fills a dict of your own with what will be ``history_``, while the training goes on.

    Parameters
    ----------
    history : dict
        Emptied when the training begins; then one list for each column of ``history_``, with an
        entry for each epoch.

    Returns
    -------
    Callback

    Raises
    ------
    ValueError
        If `history` is no dict.

    Examples
    --------
    >>> import pyfm
    >>> history = {}
    >>> model = pyfm.LinearRegressor(epochs=3)
    >>> record = pyfm.callbacks.record_evaluation(history)
    >>> _ = model.fit([[0], [1]], [0.5, -0.5], callbacks=[record])
    >>> history["epoch"], history == model.history_
    ([1, 2, 3], True)
    """
    if not isinstance(history, MutableMapping):
        refuse("history", "a dict", history)
    return Recording(history)
