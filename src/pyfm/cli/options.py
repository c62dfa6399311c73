"""What several commands share: choices, reading data, numbers for people."""

from __future__ import annotations

import sys
import time
from enum import Enum
from pathlib import Path

from pyfm.data_file import is_data_file
from pyfm.dataset import Dataset


class DataFormat(str, Enum):
    libffm = "libffm"
    libsvm = "libsvm"


class ModelKind(str, Enum):
    linear = "linear"
    fm = "fm"
    ffm = "ffm"
    deepfm = "deepfm"
    wide_deep = "wide-deep"

    @property
    def is_deep(self) -> bool:
        return self in (ModelKind.deepfm, ModelKind.wide_deep)


class OptimizerName(str, Enum):
    sgd = "sgd"
    momentum = "momentum"
    nesterov = "nesterov"
    adagrad = "adagrad"
    rmsprop = "rmsprop"
    adam = "adam"
    ftrl = "ftrl"


class ScheduleName(str, Enum):
    constant = "constant"
    invscaling = "invscaling"
    exponential = "exponential"
    step = "step"
    plateau = "plateau"


class ActivationName(str, Enum):
    relu = "relu"
    leaky_relu = "leaky_relu"
    elu = "elu"
    prelu = "prelu"
    gelu = "gelu"
    sigmoid = "sigmoid"
    tanh = "tanh"


class InferenceName(str, Enum):
    population = "population"
    moving_average = "moving_average"


class MetricName(str, Enum):
    logloss = "logloss"
    auc = "auc"
    accuracy = "accuracy"
    normalized_entropy = "normalized_entropy"
    calibration_ratio = "calibration_ratio"
    expected_calibration_error = "expected_calibration_error"
    brier = "brier"
    precision = "precision"
    recall = "recall"
    f1 = "f1"


def read(path: Path, data_format: DataFormat) -> Dataset:
    """The rows of a text file, plain or compressed, or of a data file, known by its beginning."""
    if is_data_file(path):
        return Dataset.open(path)
    readers = {DataFormat.libffm: Dataset.from_libffm, DataFormat.libsvm: Dataset.from_libsvm}
    return readers[data_format](path)


class Stopwatch:
    """Seconds since the last lap."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def lap(self) -> float:
        """Ends a lap."""
        start, self._start = self._start, time.perf_counter()
        return self._start - start


def peak_memory() -> float | None:
    """The most memory that this process held, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) if sys.platform == "darwin" else peak * 1024.0


def in_bytes(size: float) -> str:
    """A size with three digits, as in 1.23 GB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
