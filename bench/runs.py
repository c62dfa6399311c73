"""What is measured: runs of ours and of libffm, each of which several cells may speak of.

A run is a value. Measured once, it gives a sample: numbers by their unit, such as "rows/s", and
what is not compared, such as the seconds of single epochs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import libffm
from data import Source
from process import run_measured

import pyfm

Sample = dict[str, Any]

FFM = {"learning_rate": 0.2, "l2": 2e-5}  # of libffm as well
MODELS: dict[str, Callable[..., Any]] = {
    "linear": pyfm.LinearClassifier,
    "FM": pyfm.FMClassifier,
    "FFM": pyfm.FFMClassifier,
}


def estimator(model: str, k: int, optimizer: str = "adagrad", **params: Any) -> Any:
    """AdaGrad with the settings of libffm; the other optimizers with their defaults."""
    params |= FFM if optimizer == "adagrad" else {}
    params |= {"normalize": True} if model == "linear" else {"n_factors": k}
    return MODELS[model](optimizer=optimizer, **params)


@dataclass(frozen=True)
class Context:
    """What all runs share."""

    source: Source
    args: argparse.Namespace


@dataclass(frozen=True)
class Run:
    """Subclasses are frozen dataclasses, so that runs are equal where their settings are."""

    def __str__(self) -> str:
        own = [f for f in fields(self) if getattr(self, f.name) != f.default]
        words = (f"{f.name}={getattr(self, f.name)}" for f in own)
        return f"{type(self).__name__}({', '.join(words)})"

    def measure(self, context: Context, repetition: int) -> Sample:
        raise NotImplementedError


@dataclass(frozen=True)
class Train(Run):
    """Training of ours: rows/s of the passes over the rows, and the last validation log-loss."""

    model: str
    k: int = 0
    optimizer: str = "adagrad"
    data: str = "plain"
    threads: int = 1
    level: str | None = None  # of SIMD; None: the best
    dtype: str | None = None  # of stored weights and slots; None: the estimator's default
    batch_size: int = 1

    def measure(self, context: Context, repetition: int) -> Sample:
        rows, epochs = context.source[self.data], context.args.epochs
        params = {} if self.dtype is None else {"dtype": self.dtype}
        best = pyfm.simd()
        pyfm.set_simd(self.level or best)
        try:
            model = estimator(
                self.model, self.k, self.optimizer, epochs=epochs, n_jobs=self.threads,
                batch_size=self.batch_size, random_state=repetition, **params,
            ).fit(rows.train, eval_set=rows.valid)  # fmt: skip
        finally:
            pyfm.set_simd(best)
        seconds, losses = (model.history_[name] for name in ("seconds", "valid_logloss"))
        return {
            "rows/s": epochs * len(rows.train) / sum(seconds),
            "logloss": losses[-1],
            "table MB": model._model.nbytes / 1e6,
            "seconds": seconds,
            "valid_logloss": losses,
        }


@dataclass(frozen=True)
class Fit(Run):
    """A whole `fit` on rows in memory: its passes, and what comes before and between them."""

    model: str
    k: int = 0
    threads: int = 1

    def measure(self, context: Context, repetition: int) -> Sample:
        rows, epochs = context.source["plain"].train, context.args.epochs
        model = estimator(
            self.model, self.k, epochs=epochs, n_jobs=self.threads, random_state=repetition
        )
        start = time.perf_counter()
        model.fit(rows)
        return {"rows/s": epochs * len(rows) / (time.perf_counter() - start)}


@dataclass(frozen=True)
class LibFFM(Run):
    """The same of libffm, by its own clock, which ticks in tenths of a second."""

    k: int = 4
    data: str = "plain"
    threads: int = 1

    def measure(self, context: Context, repetition: int) -> Sample:
        run = _libffm(self, context, context.args.epochs, whole=False)
        n_rows = len(context.source[self.data].train)
        return {
            "rows/s": context.args.epochs * n_rows / run.cumulative_seconds[-1],
            "logloss": run.valid_logloss[-1],
            "cumulative_seconds": run.cumulative_seconds,
            "valid_logloss": run.valid_logloss,
        }


@dataclass(frozen=True)
class LibFFMWhole(Run):
    """A process of libffm from text to a model on disk; MB/s is its conversion of the text."""

    k: int = 4
    data: str = "short"
    threads: int = 1
    epochs: int = 4

    def measure(self, context: Context, repetition: int) -> Sample:
        run = _libffm(self, context, self.epochs, whole=True)
        size = context.source[self.data].files.train.stat().st_size
        return {
            "s": run.wall_seconds,
            "peak MB": run.peak_bytes / 1e6,
            "MB/s": size / 1e6 / run.conversion_seconds[0],
            "logloss": run.valid_logloss[-1],
        }


def _libffm(run: LibFFM | LibFFMWhole, context: Context, epochs: int, *, whole: bool) -> libffm.Run:
    settings = libffm.Settings(n_factors=run.k, epochs=epochs, n_threads=run.threads, **FFM)
    python, binary = context.args.peer_python, context.args.libffm
    files = context.source[run.data].files
    return libffm.train(*files, settings, peer_python=python, binary=binary, whole=whole)


@dataclass(frozen=True)
class Whole(Run):
    """`pyfm train`: a process from text to a model on disk."""

    k: int = 4
    data: str = "short"
    threads: int = 1
    epochs: int = 4

    def measure(self, context: Context, repetition: int) -> Sample:
        files = context.source[self.data].files
        target = files.train.with_suffix(".model")
        command = [sys.executable, "-c", "from pyfm.cli import main; main()", "train"]
        command += ["-k", self.k, "-r", FFM["learning_rate"], "-l", FFM["l2"], "-t", self.epochs]
        command += ["-s", self.threads, "--seed", repetition, "-p", files.valid, "--quiet"]
        done = run_measured([*command, files.train, target])
        loss = pyfm.load(target).history_["valid_logloss"][-1]
        return {"s": done.seconds, "peak MB": done.peak_bytes / 1e6, "logloss": loss}


@dataclass(frozen=True)
class Predict(Run):
    """Scores of the training rows by a model of one epoch, one thread."""

    model: str
    k: int = 0

    def measure(self, context: Context, repetition: int) -> Sample:
        rows = context.source["plain"]
        model = estimator(self.model, self.k, epochs=1, random_state=repetition).fit(rows.train)
        model.decision_function(rows.valid)  # memory of the scores and the like
        start = time.perf_counter()
        model.decision_function(rows.train)
        return {"rows/s": len(rows.train) / (time.perf_counter() - start)}


@dataclass(frozen=True)
class Read(Run):
    """Text from the page cache to rows in memory."""

    threads: int = 1

    def measure(self, context: Context, repetition: int) -> Sample:
        path = context.source["plain"].files.train
        path.read_bytes()
        return _timed(lambda: pyfm.Dataset.from_libffm(path, n_threads=self.threads), path)


@dataclass(frozen=True)
class OpenBinary(Run):
    """The same rows from our binary file; MB/s are of the text that it replaces."""

    def measure(self, context: Context, repetition: int) -> Sample:
        rows = context.source["plain"]
        path = rows.files.train.with_suffix(".pyfm")
        if not path.exists():
            rows.train.save(path)
        return _timed(lambda: pyfm.Dataset.open(path), rows.files.train)


def _timed(read: Callable[[], pyfm.Dataset], text: Path) -> Sample:
    start = time.perf_counter()
    rows = read()
    seconds = time.perf_counter() - start
    return {"MB/s": text.stat().st_size / 1e6 / seconds, "seconds": seconds, "rows": len(rows)}
