"""Click-through-rate models on CPUs: linear, FM, FFM, and deep ones above them.

Importing this package loads NumPy and the core only; everything else loads when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    from pyfm._core import FormatError, build_info, set_simd, simd, simd_levels
except ImportError as error:
    raise ImportError(
        f"pyfm's compiled core cannot be loaded: {error}. Install the package with "
        "`pip install .` from its source folder (needs a C++20 compiler), and do not import it "
        "from a source tree in which the core was not built."
    ) from error

if TYPE_CHECKING:
    from pyfm import (
        callbacks,
        datasets,
        encode,
        ensemble,
        explain,
        metrics,
        nn,
        optim,
        plot,
        schedules,
    )
    from pyfm.augmentation import Augmentation
    from pyfm.data_stream import DataStream
    from pyfm.dataset import Dataset
    from pyfm.diagnosis import doctor
    from pyfm.encode import FieldEncoder
    from pyfm.estimators import (
        DeepFMClassifier,
        DeepFMRegressor,
        FFMClassifier,
        FFMRegressor,
        FMClassifier,
        FMRegressor,
        LinearClassifier,
        LinearRegressor,
        WideDeepClassifier,
        WideDeepRegressor,
    )
    from pyfm.model_file import load
    from pyfm.warning import NoFeaturesWarning

__all__ = [
    "Augmentation",
    "DataStream",
    "Dataset",
    "DeepFMClassifier",
    "DeepFMRegressor",
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRegressor",
    "FieldEncoder",
    "FormatError",
    "LinearClassifier",
    "LinearRegressor",
    "NoFeaturesWarning",
    "WideDeepClassifier",
    "WideDeepRegressor",
    "__version__",
    "build_info",
    "callbacks",
    "datasets",
    "doctor",
    "encode",
    "ensemble",
    "explain",
    "load",
    "metrics",
    "nn",
    "optim",
    "plot",
    "schedules",
    "set_simd",
    "simd",
    "simd_levels",
]

try:
    __version__ = version("pyfm-ctr")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"

# Where the names come from that load when they are first used; None: they are modules themselves.
_LAZY = {
    "Augmentation": "pyfm.augmentation",
    "DataStream": "pyfm.data_stream",
    "Dataset": "pyfm.dataset",
    "FieldEncoder": "pyfm.encode",
    "NoFeaturesWarning": "pyfm.warning",
    "doctor": "pyfm.diagnosis",
    "load": "pyfm.model_file",
    "callbacks": None,
    "datasets": None,
    "encode": None,
    "ensemble": None,
    "explain": None,
    "metrics": None,
    "nn": None,
    "optim": None,
    "plot": None,
    "schedules": None,
} | {name: "pyfm.estimators" for name in __all__ if name.endswith(("Classifier", "Regressor"))}


if not TYPE_CHECKING:  # to type checkers it would say that every name is there

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            message = f"module 'pyfm' has no attribute {name!r}"
            # With the two, Python asks "Did you mean: …?".
            raise AttributeError(message, name=name, obj=sys.modules[__name__])
        module = _LAZY[name]
        value = (
            importlib.import_module(f"pyfm.{name}")
            if module is None
            else getattr(importlib.import_module(module), name)
        )
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
