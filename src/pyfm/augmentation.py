"""How the rows to train on may be changed from epoch to epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import check_bool, check_fraction, check_real, refuse

_MAX_FEATURES, _MAX_FIELDS = 2**32, 2**16
_MAX_NOISE = 1e30


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    r"""Changes of the rows to train on, drawn anew in every epoch, as an estimator's parameter.

    The data set is not copied: rows are changed one by one on their way to the model. Rows to
    validate on and to predict are left alone. What is drawn depends on the model's seed, the epoch,
    the row's place in it and the entry, hence not on the number of threads, the batch size or the
    SIMD level; a training that goes on draws on. All is off by default.

    Parameters
    ----------
    feature_dropout : float in [0, 1), default=0
        Probability, of each entry of each row, that it is replaced by its field's unknown. The
        model learns to do without single features, as it has to where new ones turn up.
    unknown : array-like of int of shape (n_fields,), optional
        For each field the id that stands for its unknown or rare features in the data; it is put in
        place with the value 1. -1: nothing is put in place. None: nothing in any field, which is
        what a feature is that the model does not know when it predicts.
    value_noise : float >= 0, default=0
        Standard deviation σ of the noise on values x, relative to their size: they become
        :math:`x (1 + σ z)` with z from a standard normal distribution. Zeros, which sparse rows do
        not store, stay zeros, and columns need no common scale.
    numeric_fields : array-like of int, optional
        The fields whose values get noise, where others hold the value 1 of a category. None: all.
    bootstrap : bool, default=False
        Train on a bootstrap sample: n of the n rows, drawn with replacement, once for each fit, so
        that about 63 % of the rows take part, some of them several times (Breiman 1996). Models of
        different seeds then make an ensemble (bagging).

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it. Whether `unknown`,
        `numeric_fields` and `value_noise` suit the rows is found out by `fit`.

    Notes
    -----
    Unlike in [1]_, what is left of a row is not made larger, since the model is to meet it as it
    will be where features are missing. With ``normalize=True`` the length of a row is that after
    the changes.

    References
    ----------
    .. [1] Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout. JMLR 15 (2014).
    .. [2] Breiman: Bagging predictors. Machine Learning 24 (1996).

    Examples
    --------
    >>> import pyfm
    >>> rows, bayes_logloss = pyfm.datasets.make_ctr(1000, random_state=0)
    >>> dropout = pyfm.Augmentation(feature_dropout=0.05)
    >>> model = pyfm.FFMClassifier(augmentation=dropout, random_state=0).fit(rows)
    >>> model.augmentation.feature_dropout
    0.05
    """

    feature_dropout: float = 0.0
    unknown: Sequence[int] | NDArray[Any] | None = None
    value_noise: float = 0.0
    numeric_fields: Sequence[int] | NDArray[Any] | None = None
    bootstrap: bool = False

    def __post_init__(self) -> None:
        dropout = check_fraction("Augmentation.feature_dropout", self.feature_dropout, zero=True)
        noise = check_real("Augmentation.value_noise", self.value_noise)
        if noise > _MAX_NOISE:
            refuse("Augmentation.value_noise", f"a number <= {_MAX_NOISE:g}", self.value_noise)
        plain = {  # numbers and tuples: equal where they say the same, hashable, fit for JSON
            "feature_dropout": dropout,
            "unknown": _integers("unknown", self.unknown, -1, _MAX_FEATURES),
            "value_noise": noise,
            "numeric_fields": _integers("numeric_fields", self.numeric_fields, 0, _MAX_FIELDS),
            "bootstrap": check_bool("Augmentation.bootstrap", self.bootstrap),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    def core(self) -> _core.Augmentation:
        """The same as the core takes it."""
        return _core.Augmentation(
            feature_dropout=self.feature_dropout,
            unknown=[] if self.unknown is None else list(self.unknown),
            value_noise=self.value_noise,
            numeric_fields=[] if self.numeric_fields is None else list(self.numeric_fields),
            bootstrap=self.bootstrap,
        )


def check_augmentation(given: object) -> Augmentation | None:
    """An estimator's parameter of this name."""
    if given is not None and not isinstance(given, Augmentation):
        refuse("augmentation", "a pyfm.Augmentation or None", given)
    return given


def _integers(name: str, given: Any, low: int, end: int) -> tuple[int, ...] | None:
    """One or more integers in [low, end)."""
    if given is None:
        return None
    name = f"Augmentation.{name}"
    expected = f"None, or one or more integers in [{low}, {end})"
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        refuse(name, expected, given)
    try:
        array = np.asarray(given)
    except ValueError:  # lists of unequal lengths
        refuse(name, expected, given)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        refuse(name, expected, f"{array.dtype} of shape {array.shape}")
    numbers = tuple(array.tolist())
    wrong = next((number for number in numbers if not low <= number < end), None)
    if wrong is not None:
        refuse(name, expected, wrong)
    return numbers
