"""Targets as the losses want them, in float32: numbers of classes from 0 on, or finite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset import Dataset


@dataclass(frozen=True)
class Numbers:
    """Targets of regressors."""

    n_outputs: ClassVar[int] = 1

    def encode(self, y: Any) -> _core.Floats:
        """The numbers in float32; no copy where they are. The data set finds NaN and infinity."""
        numbers = _column(y)
        if numbers.dtype.kind == "O":
            numbers = numbers.astype(np.float64)
        if numbers.dtype.kind not in "fiub":
            refuse("y", "numbers", numbers.dtype)
        with np.errstate(over="ignore"):  # to infinity
            return numbers.astype(np.float32, copy=False)


@dataclass(frozen=True)
class Labels:
    """Targets of classifiers."""

    classes: NDArray[Any]  # two or more, sorted

    @property
    def n_outputs(self) -> int:
        """Scores of a row: one tells two classes apart, of more each has its own."""
        return len(self.classes) if len(self.classes) > 2 else 1

    @classmethod
    def learn(cls, X: Any, y: Any) -> Labels:
        """From labels of any kind in `y`, or from those of a Dataset.

        These are 0 and 1, or -1 and 1, or more than two integers.
        """
        if isinstance(X, Dataset) and y is None:
            if len(X) == 0:  # which has no targets either, but that is not the trouble
                refuse("X", "at least one row", "none")
            return cls.of_dataset(X.y)
        labels = _column(y)
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            refuse("y", "labels", "NaN or infinity")
        check_classification_targets(labels)
        return cls(_several(np.unique(labels)))

    @classmethod
    def of_dataset(cls, y: _core.Floats | None) -> Labels:
        """From those of a Dataset."""
        return cls(_dataset_classes(_column(y)))

    @classmethod
    def of_stream(cls, X: Any, y: Any, classes: Any) -> Labels:
        """From the `classes` that were given, else from the first rows of a stream.

        If these hold but one label, it has to be 0 or 1, whose other is the other one, or -1.
        """
        of_dataset = isinstance(X, Dataset) and y is None
        labels = np.unique(_column(X.y if of_dataset else y))
        if classes is not None:
            given = different_labels(classes)
            if given is None or (of_dataset and not _is_usual(given)):
                usual = f", of a Dataset {_USUAL}" if of_dataset else ""
                refuse("classes", f"two or more different labels{usual}", classes)
            return cls(given)
        if len(labels) != 1:
            return cls.learn(X, y)
        one = labels[0]
        if labels.dtype.kind not in "biuf" or one not in (-1, 0, 1):
            refuse("classes", "the labels, since the first rows hold only one", one)
        both = np.array([-1, 1] if one == -1 else [0, 1])
        return cls(both if of_dataset else both.astype(labels.dtype))

    def encode(self, y: Any) -> _core.Floats:
        """Numbers of the classes, from 0 on; no copy where labels of two classes are just that."""
        labels = _column(y)
        if len(self.classes) > 2:
            return self._encode_several(labels)
        negative, positive = self.classes
        is_positive = labels == positive
        unknown = ~(is_positive | (labels == negative))
        if unknown.any():
            row = int(np.argmax(unknown))
            refuse(f"y[{row}]", f"one of the classes {negative} and {positive}", labels[row].item())
        if labels.dtype == np.float32 and negative == 0 and positive == 1:
            return labels
        return np.asarray(is_positive, dtype=np.float32)

    def _encode_several(self, labels: NDArray[Any]) -> _core.Floats:
        last = len(self.classes) - 1
        try:
            number = np.minimum(np.searchsorted(self.classes, labels), last)
            unknown = self.classes[number] != labels
        except TypeError as error:  # labels that have no order among the classes
            raise ValueError(f"y: expected labels like those of the classes: {error}") from error
        if np.any(unknown):
            row = int(np.argmax(unknown))
            expected = f"one of the {last + 1} classes {listed(self.classes)}"
            refuse(f"y[{row}]", expected, labels[row].item())
        return number.astype(np.float32)


Targets = Labels | Numbers


def listed(classes: NDArray[Any]) -> str:
    """The first ones, for errors."""
    return ", ".join(map(str, classes[:5])) + (", …" if len(classes) > 5 else "")


def _dataset_classes(y: _core.Floats) -> NDArray[np.int64]:
    """Two are found by extremes: sorting the labels of a large data set would take seconds."""
    extremes = np.array([y.min(), y.max()]) if len(y) else y
    if np.isin(y, extremes).all():
        classes = _several(np.unique(extremes))
    else:
        check_integers(y)
        classes = np.unique(y)
    if not _is_usual(classes):
        refuse("y of the Dataset", f"labels {_USUAL}", classes.tolist())
    return classes.astype(np.int64)


def check_integers(y: _core.Floats, first_row: int = 0) -> None:
    """Raises ValueError for labels of a Dataset, or of rows of one, that are none."""
    if (broken := y != np.floor(y)).any():
        row = int(np.argmax(broken))
        refuse(f"y[{first_row + row}]", f"labels {_USUAL}", float(y[row]))


def different_labels(classes: Any) -> NDArray[Any] | None:
    """The labels of `classes`, sorted; None if these are not two or more different ones."""
    given = np.asarray(classes)
    if given.ndim != 1:
        return None
    try:
        labels = np.unique(given)
    except TypeError:  # objects without an order
        return None
    finite = labels.dtype.kind not in "fc" or bool(np.isfinite(labels).all())
    return labels if len(labels) >= 2 and finite else None


_USUAL = "0 and 1, or -1 and 1, or more than two integers"


def _is_usual(classes: NDArray[Any]) -> bool:
    """Whether a Dataset may have these labels."""
    if len(classes) == 2:
        return classes.tolist() in ([0, 1], [-1, 1])
    return classes.dtype.kind in "iufb" and bool((classes == np.floor(classes)).all())


def _column(y: Any) -> NDArray[Any]:
    if y is None:
        raise ValueError(
            "y: expected targets, found None. This estimator requires y to be passed, but the "
            "target y is None: pass y, or a Dataset that has targets"
        )
    if isinstance(y, str):
        expected = "targets, one for each row (a column by its name: pyfm.FieldEncoder(target=…))"
        refuse("y", expected, y)
    if type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biuf":
        return np.ascontiguousarray(y)  # as below, where pandas is asked first, and loaded for it
    return np.asarray(column_or_1d(y, warn=True))


def _several(classes: NDArray[Any]) -> NDArray[Any]:
    if len(classes) >= 2:
        return classes
    found = f"{len(classes)} class{'' if len(classes) == 1 else 'es'}: {classes.tolist()}"
    raise ValueError(f"y: expected two classes or more, found {found}")
