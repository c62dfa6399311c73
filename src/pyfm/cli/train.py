"""`pyfm train`: from a text or data file to a model file, with libffm's options."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

import pyfm
from pyfm.atomic_file import check_destination
from pyfm.cli.options import (
    ActivationName,
    DataFormat,
    InferenceName,
    MetricName,
    ModelKind,
    OptimizerName,
    ScheduleName,
    Stopwatch,
    in_bytes,
    peak_memory,
    read,
)
from pyfm.cli.parameters import (
    class_weights,
    field_list,
    make_augmentation,
    make_estimator,
    rows_in_batch,
    widths,
)
from pyfm.data_file import is_data_file
from pyfm.dataset import Dataset

if TYPE_CHECKING:  # it loads scikit-learn, for which `--help` need not wait
    from pyfm.estimators.base import Estimator


def train(
    train_path: Annotated[Path, typer.Argument(metavar="TRAIN", help="Rows to learn from.")],
    model_path: Annotated[
        Path | None,
        typer.Argument(metavar="[MODEL]", help="File to write; TRAIN's name + .model, here."),
    ] = None,
    model: Annotated[ModelKind, typer.Option(help="Kind of model.")] = ModelKind.ffm,
    data_format: Annotated[
        DataFormat, typer.Option("--format", help="Format of the text files.")
    ] = DataFormat.libffm,
    valid: Annotated[
        Path | None, typer.Option("--valid", "-p", help="Rows to validate on after each epoch.")
    ] = None,
    n_factors: Annotated[
        int | None,
        typer.Option("--n-factors", "-k", help="Length of the factors; FFM 4, FM 8, deep 16."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", "-t", help="Passes over the rows; FFM 15, others 10.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate", "-r", help="Step; FFM with AdaGrad 0.2, else the optimizer's own."
        ),
    ] = None,
    learning_rate_schedule: Annotated[
        ScheduleName, typer.Option(help="How the step changes from epoch to epoch.")
    ] = ScheduleName.constant,
    l2: Annotated[
        float | None,
        typer.Option("--l2", "-l", help="L2 penalty; AdaGrad 2e-5, others 0."),
    ] = None,
    l1: Annotated[float | None, typer.Option("--l1", help="L1 penalty; 0.")] = None,
    optimizer: Annotated[
        OptimizerName | None,
        typer.Option(help="Optimizer; AdaGrad, of deepfm Adam, of wide-deep FTRL and AdaGrad."),
    ] = None,
    batch_size: Annotated[
        str | None,
        typer.Option(
            help="Rows that are learned together, or full; deep 1024, others 1. "
            "Above 1 threads change nothing."
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(metavar="N,N,…", help="Widths of hidden layers; deep 400,400,400."),
    ] = None,
    activation: Annotated[
        ActivationName | None, typer.Option(help="Of hidden layers; relu.")
    ] = None,
    batch_norm: Annotated[
        bool | None, typer.Option("--batch-norm", help="Normalize hidden layers over batches.")
    ] = None,
    batch_norm_inference: Annotated[
        InferenceName | None, typer.Option(help="What predictions normalize by; population.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Share of each hidden layer's outputs to leave out; 0.")
    ] = None,
    residual: Annotated[
        bool | None, typer.Option("--residual", help="Hidden layers add to their input.")
    ] = None,
    deep_fields: Annotated[
        str | None,
        typer.Option(
            metavar="F,F,…", help="Fields with vectors; the others have linear terms alone."
        ),
    ] = None,
    min_count: Annotated[
        int, typer.Option(help="Rows that a feature has to occur in before it gets weights.")
    ] = 1,
    n_jobs: Annotated[
        int,
        typer.Option(
            "--n-jobs", "-s", help="Threads; -1: all. More than 1 want batches to be reproducible."
        ),
    ] = 1,
    normalize: Annotated[
        bool | None,
        typer.Option("--normalize/--no-norm", help="Scale rows to unit length; FM and FFM do."),
    ] = None,
    linear: Annotated[
        bool | None,
        typer.Option("--linear/--no-linear", help="Linear terms and bias; only FFM has none."),
    ] = None,
    init_scale: Annotated[
        float | None, typer.Option(help="Size of the initial factors; FFM 1, FM 0.3, deep 0.05.")
    ] = None,
    auto_stop: Annotated[
        bool,
        typer.Option(
            "--auto-stop",
            "--early-stopping",
            help="Stop when validation no longer improves; keep the best epoch.",
        ),
    ] = False,
    patience: Annotated[
        int, typer.Option("--n-iter-no-change", help="Epochs without improvement to wait for.")
    ] = 3,
    metric: Annotated[
        MetricName, typer.Option(help="What validation goes by.")
    ] = MetricName.logloss,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Weigh rows so that both classes weigh the same.")
    ] = False,
    class_weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=WEIGHT", help="Weight of the rows with a label, such as 1=5; repeatable."
        ),
    ] = None,
    negative_sampling: Annotated[
        float,
        typer.Option(help="Share of the negative rows to learn; probabilities stay calibrated."),
    ] = 1.0,
    label_smoothing: Annotated[
        float, typer.Option(help="Learn 1 - s/2 and s/2 instead of 1 and 0.")
    ] = 0.0,
    feature_dropout: Annotated[
        float, typer.Option(help="Share of the features that each row is learned without.")
    ] = 0.0,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Learn a bootstrap sample of the rows.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="File that holds the training after each epoch, for --resume."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the file of --checkpoint.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of initial values, row order and sampling.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Train a model on a text file, or on a data file that `Dataset.save` wrote.

    With libffm's options and defaults; labels are 0 and 1, or -1 and 1, or more than two integers,
    one for each class (not for deep models). Text files may end in .gz,
    .xz or .zst; data files are known by their beginning.
    """
    given = {
        "n_factors": n_factors,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "l1": l1,
        "l2": l2,
        "normalize": normalize,
        "linear": linear,
        "init_scale": init_scale,
        "optimizer": optimizer and optimizer.value,
        "batch_size": rows_in_batch(batch_size),
        "hidden": widths(hidden),
        "activation": activation and activation.value,
        "batch_norm": batch_norm,
        "batch_norm_inference": batch_norm_inference and batch_norm_inference.value,
        "dropout": dropout,
        "residual": residual,
        "deep_fields": field_list(deep_fields),
    }
    estimator = make_estimator(
        model,
        given,
        learning_rate_schedule=learning_rate_schedule.value,
        early_stopping=auto_stop,
        n_iter_no_change=patience,
        metric=metric.value,
        class_weight=class_weights(balanced, class_weight or []),
        negative_sampling=negative_sampling,
        label_smoothing=label_smoothing,
        augmentation=make_augmentation(feature_dropout, bootstrap),
        min_count=min_count,
        n_jobs=n_jobs,
        random_state=seed,
        verbose=0 if quiet else 2,
    )
    target = model_path or Path(f"{train_path.name}.model")
    check_destination(target)  # now, and not after hours of training
    _check_kept(train_path, valid, target, checkpoint)
    if resume:
        _check_checkpoint(checkpoint)
    elif checkpoint and checkpoint.resolve() == target.resolve():
        raise typer.BadParameter(f"--checkpoint: expected a file beside MODEL, found {target} too")
    watch = Stopwatch()
    for path in filter(None, (train_path, valid)):
        _check_fields(model, path, data_format)
    rows = read(train_path, data_format)
    valid_rows = None if valid is None else read(valid, data_format)
    reading = watch.lap()
    interrupt: BaseException | None = None
    try:
        estimator.fit(
            rows,
            eval_set=valid_rows,
            callbacks=[pyfm.callbacks.checkpoint(checkpoint)] if checkpoint else None,
            resume_from=checkpoint if resume else None,
        )
    except (KeyboardInterrupt, ValueError) as error:
        if not hasattr(estimator, "history_"):
            raise
        interrupt = error  # what was learned is kept
    fitting = watch.lap()
    estimator.save(target)
    if not quiet:
        _summarize(estimator, rows, target, reading, fitting, watch.lap())
    if interrupt:
        raise interrupt


def _check_kept(train: Path, valid: Path | None, target: Path, checkpoint: Path | None) -> None:
    """No file is written over another one of the command."""
    read = [path.resolve() for path in (train, valid) if path]
    if target.resolve() in read:
        raise typer.BadParameter(f"MODEL: {target} holds the rows, which it would replace")
    if checkpoint and checkpoint.resolve() in read:
        raise typer.BadParameter(
            f"--checkpoint: {checkpoint} holds the rows, which it would replace"
        )


def _check_fields(model: ModelKind, path: Path, data_format: DataFormat) -> None:
    """A network is given a vector for each field, of which libsvm's text knows nothing."""
    if model.is_deep and data_format is DataFormat.libsvm and not is_data_file(path):
        raise typer.BadParameter(
            f"--format: expected text with fields, libffm's, or a data file for a {model.value} "
            f"model, found libsvm for {path}"
        )


def _check_checkpoint(checkpoint: Path | None) -> None:
    """Before the data are read."""
    if checkpoint is None:
        raise typer.BadParameter("--resume: expected --checkpoint FILE beside it, found none")
    if not checkpoint.exists():
        raise FileNotFoundError(errno.ENOENT, "no checkpoint to resume from", str(checkpoint))


def _summarize(
    model: Estimator, rows: Dataset, path: Path, reading: float, fitting: float, saving: float
) -> None:
    history = model.history_
    training, validation = sum(history["seconds"]), sum(history.get("valid_seconds", [0.0]))
    learned = np.dot(history["seconds"], history["rows_per_second"])
    peak = peak_memory()
    print(
        f"\n{rows.n_rows:,} rows, {rows.n_features:,} features, {rows.n_fields:,} fields\n"
        f"model of epoch {_kept_epoch(model)} in {path} ({in_bytes(path.stat().st_size)})\n"
        f"{learned / training:,.0f} rows/s in training\n"
        f"reading {reading:.2f} s, "
        f"initialization {max(0.0, fitting - training - validation):.2f} s, "
        f"training {training:.2f} s, validation {validation:.2f} s, saving {saving:.2f} s"
        + (f"\npeak memory {in_bytes(peak)}" if peak is not None else "")
    )


def _kept_epoch(model: Any) -> int:
    epoch: int = model.best_epoch_ if model.early_stopping else model.n_iter_
    return epoch
