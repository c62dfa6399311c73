"""Callbacks: what `fit` calls before and after each epoch.

``fit(…, callbacks=[…])`` takes the callbacks of this module, objects of classes derived from
`Callback`, and plain functions, which are called after each epoch with a `CallbackEnv`. A function
that returns True ends the training.

They are called in the order of `Callback.order`, which is 0 unless they say otherwise; equal ones
as listed, after those that the estimator's own parameters stand for (``learning_rate_schedule``,
``verbose``). `reset_parameter` and schedules have order -10, so that the others see the parameters
of the epoch. Early stopping goes before them all: the copy of the best epoch is safe, and
``env.model.best_epoch_`` right, whatever the others do.

An exception of a callback ends the training and passes through `fit`, which leaves the estimator
as any interruption does: with the last finished epoch (with early stopping, the best one), or, if
there is none, as it was.
"""

from pyfm.callbacks.base import Callback, CallbackEnv, Evaluation
from pyfm.callbacks.parameters import reset_parameter
from pyfm.callbacks.recording import record_evaluation
from pyfm.callbacks.saving import checkpoint
from pyfm.callbacks.showing import log_evaluation, progress
from pyfm.callbacks.stopping import early_stopping

__all__ = [
    "Callback",
    "CallbackEnv",
    "Evaluation",
    "checkpoint",
    "early_stopping",
    "log_evaluation",
    "progress",
    "record_evaluation",
    "reset_parameter",
]
