"""`pyfm predict`: from rows and a model file to predictions, one per line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

import pyfm
from pyfm import metrics
from pyfm.cli.options import DataFormat, read
from pyfm.dataset import Dataset


def predict(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Rows to predict.")],
    model_path: Annotated[Path, typer.Argument(metavar="MODEL", help="What `train` wrote.")],
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="File to write; stdout.")
    ] = None,
    data_format: Annotated[
        DataFormat, typer.Option("--format", help="Format of DATA.")
    ] = DataFormat.libffm,
    n_jobs: Annotated[int, typer.Option("--n-jobs", "-s", help="Threads; -1: all.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no metrics.")] = False,
) -> None:
    """Predict the probability of a click (or the target) for each row of a text or data file.

    Of more than two classes a line holds the probabilities of all, in the order of their labels.
    Text has labels. Where the rows have labels of both classes, log-loss and AUC are printed (of
    more classes log-loss and accuracy): to stdout, or to stderr when the predictions go to stdout.
    Features and fields that the model does not know are ignored.
    """
    from pyfm.estimators.threads import n_threads  # loads scikit-learn

    try:
        n_threads(n_jobs)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    model = pyfm.load(model_path).set_params(n_jobs=n_jobs)
    rows = read(data, data_format)
    classifies = hasattr(model, "classes_")
    predictions = model.predict_proba(rows) if classifies else model.predict(rows)
    if classifies and len(model.classes_) == 2:
        predictions = predictions[:, 1]
    numbers = predictions.reshape(len(predictions), -1).tolist()
    lines = "".join(" ".join(f"{p:.9g}" for p in row) + "\n" for row in numbers)
    if out is None:
        sys.stdout.write(lines)
    else:
        out.write_text(lines)
    if not quiet:
        report = _quality(model, rows, predictions)
        print(report, end="", file=sys.stderr if out is None else sys.stdout)


def _quality(model: Any, rows: Dataset, predictions: NDArray[np.float64]) -> str:
    if rows.y is None:  # as data files may be
        return ""
    if not hasattr(model, "classes_"):
        return f"rmse = {metrics.rmse(rows.y, predictions):.5f}\n"
    if predictions.ndim == 2:
        return _quality_of_classes(model, rows.y, predictions)
    negative, positive = model.classes_
    if set(np.unique(rows.y)) != {negative, positive}:
        return ""
    y = rows.y == positive
    logloss, auc = metrics.logloss(y, predictions), metrics.auc(y, predictions)
    return f"logloss = {logloss:.5f}\nauc = {auc:.5f}\n"


def _quality_of_classes(model: Any, labels: NDArray[Any], predictions: NDArray[np.float64]) -> str:
    from pyfm.metrics.registry import METRICS

    if not len(labels) or not np.isin(labels, model.classes_).all():
        return ""
    y = np.searchsorted(model.classes_, labels).astype(np.float32)
    logloss, accuracy = (METRICS[m](y, predictions, None) for m in ("logloss", "accuracy"))
    return f"logloss = {logloss:.5f}\naccuracy = {accuracy:.5f}\n"
