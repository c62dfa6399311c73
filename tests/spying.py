"""A callback that writes down its calls, and small fits to watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import pyfm
from pyfm.callbacks import Callback, CallbackEnv
from pyfm.optim import Optimizer

X = np.arange(12).reshape(6, 2)

Y = np.array([0.5, -1.0, 0.0, 2.0, 1.0, -0.5])

Event = tuple[Any, ...]


class Spy(Callback):
    """Writes down every call; at one of them it does something else, too."""

    def __init__(
        self, name: Any, order: Any, events: list[Event], at: Event = (), do: Any = None
    ) -> None:
        self.name, self.order, self._events, self._at, self._do = name, order, events, at, do

    def _seen(self, *event: Any) -> Any:
        self._events.append((*event, self.name))
        return self._do() if event == self._at else None

    def before_training(self, env: CallbackEnv) -> None:
        self._seen("before_training")

    def before_epoch(self, env: CallbackEnv) -> Optimizer | None:
        answer: Optimizer | None = self._seen("before_epoch", env.epoch)
        return answer

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        answer: bool | None = self._seen("after_epoch", env.epoch)
        return answer

    def after_training(self, env: CallbackEnv) -> None:
        self._seen("after_training")


def fitted(callback: Sequence[Any] = (), **params: Any) -> Any:
    defaults: dict[str, Any] = {"epochs": 3, "random_state": 0, "optimizer": "sgd"}
    return pyfm.LinearRegressor(**(defaults | params)).fit(X, Y, callbacks=list(callback))


def raised() -> None:
    raise RuntimeError("enough")


def overfitting(**params: Any) -> Any:
    defaults = {"normalize": False, "init_scale": 1, "epochs": 12, "random_state": 0}
    return pyfm.FMClassifier(**(defaults | params))
