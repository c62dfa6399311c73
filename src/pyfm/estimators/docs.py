"""The sections that the docstrings of the estimators share, written once."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import TypeVar

from pyfm.docstrings import fill_in
from pyfm.estimators.base import Estimator
from pyfm.estimators.tower import ACTIVATIONS, INFERENCES
from pyfm.optim import Optimizer

_Estimator = TypeVar("_Estimator", bound=type[Estimator])
_Method = TypeVar("_Method", bound=Callable[..., Estimator])

_OPTIMIZER = """
optimizer : name, object from `pyfm.optim`, or mapping from parts to them, default="adagrad"
    How weights follow their gradients; formulas and lazy regularization are described there. Names
    are "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam" and "ftrl". Parts are "linear"
    and "factors": ``{"linear": FTRL(l1=1.0), "factors": "adagrad"}``.
"""

_DEEP_OPTIMIZER = """
optimizer : name, object from `pyfm.optim`, or mapping from parts to them, optional
    How weights follow their gradients; formulas and lazy regularization are described there. Names
    are "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam" and "ftrl". Parts are "linear",
    "factors" and "deep": ``{"linear": "ftrl", "factors": "adagrad", "deep": Adam(0.001)}``.
    Penalties do not touch biases, nor what batch normalization scales and shifts by. None:
    {default_optimizer}.
freeze : tuple of parts, default=()
    Parts that training leaves as they are, such as factors that `fit` was given by `init_from`.
    They have no optimizer.
"""

_RATES = """
learning_rate : float > 0, optional
    None: the optimizer's default. Like l1 and l2 not together with an optimizer object, which has
    its own.
learning_rate_schedule : str or an object from `pyfm.schedules`, default="constant"
    How the learning rate changes from epoch to epoch: "constant", "invscaling", "exponential",
    "step", or "plateau" (reduced when validation no longer improves). "ftrl" takes none.
l1 : float >= 0, optional
    L1 penalty, which makes weights exactly 0. None: the optimizer's default.
l2 : float >= 0, optional
    L2 penalty. None: the optimizer's default.
epochs : int >= 1, default=10
    Passes over the rows, at most. Each has an order of its own, which depends on the seed.
"""

_BATCH_SIZE = """
batch_size : int >= 1 or "full", default=1
    1: every row updates the weights at once. More: rows that are scored together, after which each
    feature that they hold takes one step along the mean of their gradients, weighted by
    `sample_weight`: the same model for any number of threads. "full": all rows are one batch.
    Fewer steps, so that larger batches want a larger learning_rate, or more epochs.
"""

_DEEP_BATCH_SIZE = """
batch_size : int >= 1 or "full", default=1024
    Rows that are scored together, after which all weights take one step along the mean of their
    gradients, weighted by `sample_weight`; of the features those that the rows hold. The same model
    for any number of threads. "full": all rows are one batch. With batch_norm at least 2; a last
    row that is left over joins the batch before it.
"""

_TRAINING = """
augmentation : Augmentation, optional
    Feature dropout, noise on values, a bootstrap sample: changes of the rows to train on, see
    `pyfm.Augmentation`. None: none.
min_count : int in [1, 2**31 - 1], default=1
    Features get weights once they have occurred in so many rows: of the data of `fit`, or of all
    calls of `partial_fit` and the fit before them, the rows of the call at hand included. Until
    then they are ignored, as unknown ones are. Rare features teach little and take most of the
    memory. Where `fit` finds none that is common enough, it gives a `pyfm.NoFeaturesWarning`.
early_stopping : bool, default=False
    Stop when validation no longer improves, and return to the weights of the best epoch. Costs a
    copy of the weights.
validation_fraction : float between 0 and 1, default=0.1
    Share of the rows (of each class alike) that `early_stopping` sets apart when `fit` gets no
    eval_set. Costs a copy of the rows. Of a stream the last rows are set apart, and not copied.
n_iter_no_change : int >= 1, default=3
    Epochs without improvement after which `early_stopping` stops.
tol : float >= 0, default=0
    Only what improves the metric by more than this is an improvement.
metric : {metrics} or a list of them, optional
    What is computed on the evaluation sets, besides "{metric}"; `pyfm.metrics` describes them.
    Early stopping goes by the first. None: "{metric}".
warm_start : bool, default=False
    Whether `fit` goes on with the fitted model, for `epochs` more, instead of beginning anew. The
    optimizer's state goes on as well, where it belongs to the weights (see `fit`).
n_jobs : int, default=1
    Threads; -1: all cores, in a worker of joblib's its share of them. One thread gives
    bit-identical models for a seed and a SIMD level. More give the same ones with a batch_size
    above 1; with 1 they update the shared weights without locks (Hogwild), the fastest way, but not
    reproducible.
random_state : int, RandomState or None, default=None
    Seed of initial values, row orders, sampling, augmentation and validation split. None: a new
    one for each fit.
verbose : int >= 0 or bool, default=0
    0: silent. 1 or True: a progress bar on stderr. 2: a table on stdout, one line per epoch.
"""

_REWEIGHTING = """
class_weight : dict from labels to floats >= 0, "balanced" or None, default=None
    Factors of the losses of each class's training rows; 1 of a class that is not named.
    "balanced": W / (C W_c), with the weight W of all rows, W_c of those of class c, and C classes.
    Predictions become those of a world in which the classes weigh so much.
negative_sampling : float in (0, 1], default=1
    Share of the training rows of the first class that is kept; which ones, the seed decides. Costs
    a copy of those kept. Scores and probabilities are corrected, so that they stay calibrated for
    all rows (He et al. 2014). Of two classes only.
label_smoothing : float in [0, 1), default=0
    Training targets y become y (1 - s) + s/2, with s this number. Predictions are drawn towards ½.
    Of two classes only.
"""

_FITTED = """
history_ : History, a dict of lists that prints as a table
    One entry per epoch of the last fit: epoch (from 1), learning_rate, train_{metric} (over the
    rows as they are learned, each taken before the update it takes part in), seconds (of training
    alone), rows_per_second; with validation also <set>_<metric> for each evaluation set ("valid"
    where it has no name) and each metric, and valid_seconds. Of `partial_fit` one entry per call,
    described there.
best_epoch_ : int
    Epoch (from 1) of the best validation; without validation the last one.
n_iter_ : int
    Epochs trained; with `warm_start` those of all fits. 1 after `partial_fit` alone.
n_features_in_ : int
    Size of the feature space.
n_features_seen_ : int
    Features that have occurred: in the data of the last fit and all calls of `partial_fit` since.
n_features_admitted_ : int
    Those of them that have weights, since they have occurred in `min_count` rows; with those that
    have had weights before.
n_fields_ : int
    Number of fields.
feature_names_in_ : ndarray of str
    The columns, where `fit` was given a table.
coef_ : ndarray of float32 of shape (n_features_in_,)
    Linear weights, of models that have them; a copy.
intercept_ : ndarray of float32 of shape (1,)
    Bias, of models with linear weights; a copy.
"""

_CLASSES = """
classes_ : ndarray of shape (n_classes,)
    The labels, sorted. Of two, scores are those of the second. Of more, which deep models do not
    take, each has its own, joined by the softmax loss; `coef_`, `intercept_` and `factors_` have
    the classes as their first axis, and `metric` is "logloss" or "accuracy".
"""


_DTYPE = """
dtype : {"float32", "float16"}, default="float32"
    Storage of the vectors and of the optimizer's state beside them; arithmetic is always float32.
    16 bits take half the memory. Updates round up or down at random, with the exact value as the
    mean; the numbers come from the seed. float16 holds values up to 65504.
"""


_DEEP = """
Parameters
----------
n_factors : int in [1, 1024], default=16
    Length k of the vectors.
hidden : sequence of int, default=(400, 400, 400)
    Widths of the network's hidden layers.
activation : {activations}, default="relu"
    Of the hidden layers; described in `pyfm.nn`.
batch_norm : bool, default=False
    Whether each hidden layer normalizes what enters its activation over the batch (Ioffe, Szegedy
    2015).
batch_norm_inference : {inferences}, default="population"
    What stands for a batch's mean and variance in prediction: their means over the batches of the
    last epoch ("population", the paper's), or moving averages with momentum 0.1, as in PyTorch.
    Both are kept and saved. In a stream of `partial_fit`, "population" means all batches so far.
dropout : float in [0, 1), default=0
    Share of each hidden layer's outputs that training sets to 0, which ones the seed decides; the
    others are scaled to make up for it.
residual : bool, default=False
    Whether each hidden layer adds to its input instead of replacing it (He et al. 2016); where
    widths differ, to a linear map of it.
deep_fields : list or tuple of int or str, optional
    The fields with vectors, by number, or by name where rows come from a table or its encoder (of a
    field, or of the column that it is read from); all others are for the linear terms alone. None:
    {default_deep_fields}.
init_scale : float >= 0, default={init_scale}
    Vectors start uniform on ±init_scale/√k, linear weights at 0, the network as He et al. 2015 (for
    "sigmoid" and "tanh" as Glorot, Bengio 2010). Features that training never meets stay 0.
normalize : bool, default=False
    Scale each row to unit Euclidean length.
linear : bool, default=True
    Whether the score has the bias b and the linear terms.
{dtype}
{training}

Attributes
----------
{fitted}
factors_ : ndarray of float32 of shape (n_features_in_, n_factors)
    The vectors; a copy.
network_ : dict from names to ndarrays
    Weights of the network, (n_in, n_out), and what batch normalization knows of the rows, by the
    number of the layer and the name: "0.weight". Copies.
"""


def documented_deep(cls: _Estimator) -> _Estimator:
    """The same for deep models."""
    fill_in(cls, deep=_DEEP)
    training = _DEEP_OPTIMIZER + _RATES.lstrip() + _DEEP_BATCH_SIZE.lstrip() + _TRAINING.lstrip()
    return _documented(
        cls,
        training,
        activations=_choices(ACTIVATIONS),
        inferences=_choices(INFERENCES),
        default_optimizer=_in_short(cls._default_optimizer),
        default_deep_fields="all, but for the crosses of a `pyfm.FieldEncoder`, as in the paper"
        if cls._kind == "wide_deep"
        else "all",
        init_scale=str(inspect.signature(cls).parameters["init_scale"].default),
    )


def documented(cls: _Estimator) -> _Estimator:
    """Puts the shared sections in their places in the docstring of an estimator."""
    training = _OPTIMIZER + _RATES.lstrip() + _BATCH_SIZE.lstrip() + _TRAINING.lstrip()
    return _documented(cls, training)


def _documented(cls: _Estimator, training: str, **more: str) -> _Estimator:
    is_classifier = cls._loss == "logistic"
    return fill_in(
        cls,
        dtype=_DTYPE,
        training=training + (_REWEIGHTING.lstrip() if is_classifier else ""),
        fitted=_FITTED + (_CLASSES.lstrip() if is_classifier else ""),
        metrics=_choices(cls._metrics),
        metric=cls._metrics[0],
        **more,
    )


def _in_short(optimizer: Optimizer | Mapping[str, Optimizer]) -> str:
    """With the parameters that are not at their defaults."""
    if isinstance(optimizer, Mapping):
        parts = (f'"{part}": {_in_short(of).strip(" `")}' for part, of in optimizer.items())
        text = "{" + ", ".join(parts) + "}"
    else:
        own = [f for f in fields(optimizer) if getattr(optimizer, f.name) != f.default]
        given = ", ".join(f"{f.name}={getattr(optimizer, f.name)}" for f in own)
        text = f"{type(optimizer).__name__}({given})"
    return textwrap.fill(f"``{text}``", 96, subsequent_indent=" " * 4)


def _choices(names: Iterable[str]) -> str:
    return "{" + ", ".join(f'"{name}"' for name in names) + "}"


_STREAM = """
The first call makes the model, later ones go on with it, and so does a call after `fit`. Ids above
those seen so far enlarge the feature space. On one thread it makes no difference, to the bit, where
a stream is cut into calls; with a batch_size above 1 on any number, if calls hold multiples of it.
"""

_STREAM_PARAMETERS = """
X : Dataset, DataStream, table, sparse matrix, or array-like of shape (n_rows, n_columns)
    Rows as in `fit`, in the form of the first call. Of no rows nothing happens. The encoder of
    tables learns new values first, which have features of their own from then on. Of a stream
    (`pyfm.Dataset.stream`) each piece of some 65,536 rows, whole batches, is a call of its own.
y : array-like of shape (n_rows,), optional
    Targets; None: those of a Dataset, which others replace.
fields : array-like of int of shape (n_columns,), optional
    The field of each column of a matrix, in the first call.
sample_weight : array-like of shape (n_rows,), optional
    Finite weights >= 0, factors of the rows' losses.
"""

_STREAM_RAISES = """
MemoryError
    If the model with the new features does not fit in memory, before it grows.
KeyboardInterrupt
    On Ctrl-C, within a second.
"""

_STREAM_NOTES = """
Rows are learned with the learning_rate as it is, which may be set anew between calls.

``progressive_logloss_``, of regressors ``progressive_rmse_``, is the progressive validation (Blum,
Kalai, Langford 1999): the loss of every row's prediction by the model that had learned those
before. `history_` has an entry for each of the last 10,000 calls: call, n_rows, learning_rate, the
progressive loss of this call, seconds, rows_per_second.

An exception or a divergence leaves the model as it was before the call, optimizer state and all.
Where copies of the weights that the rows touch would take more than 64 MiB, none are made, and what
was learned until then stays.
"""


def documented_stream(partial_fit: _Method) -> _Method:
    """Puts the shared sections in their places in the docstring of `partial_fit`."""
    return fill_in(
        partial_fit,
        stream=_STREAM,
        stream_parameters=_STREAM_PARAMETERS,
        stream_raises=_STREAM_RAISES,
        stream_notes=_STREAM_NOTES,
    )
