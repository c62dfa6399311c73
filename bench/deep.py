"""Speed of DeepFM against PyTorch: the same rows, architecture, optimizer and batches.

    python bench/deep.py [--rows 200000] [--repeats 3] [--batches 1024 4096] [--threads 1 2]
                         [--criteo TRAIN]

39 fields and a million features as `make_ctr` draws them, or the rows of a raw Criteo file of
yours; k=16, hidden layers of 400 and 400 with batch normalization, AdaGrad. The two take turns; the
medians are printed, and the speed of the processor's BLAS in such products beside that of training,
as if each row had all of its products to itself. PyTorch is not in requirements.txt: pip install
torch.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, write_json
from deep_torch import DeepFM, Trainer
from threadpoolctl import threadpool_limits

import pyfm
from pyfm.optim import AdaGrad

K, HIDDEN, ETA = 16, (400, 400), 0.02


def gemm_rate(rows: int) -> float:
    """FLOP/s of the BLAS on one thread: the products of one training step, forward and backward."""
    rng = np.random.default_rng(0)
    x = rng.random((rows, 39 * K), np.float32)
    w = rng.random((39 * K, 400), np.float32)
    y = rng.random((rows, 400), np.float32)
    with threadpool_limits(1, "blas"):
        best = min(_seconds(lambda: (x @ w, x.T @ y, y @ w.T)) for _ in range(5))
    return 3 * 2 * rows * 39 * K * 400 / best


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def flop_per_row() -> float:
    """Of the products: forward, and twice as many backward."""
    widths = (39 * K, *HIDDEN, 1)
    return 3 * 2 * sum(a * b for a, b in pairwise(widths))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--criteo", metavar="TRAIN", help="raw file in place of made rows")
    parser.add_argument("--json", type=Path, default=RESULTS / "deep.json")
    args = parser.parse_args()
    if args.criteo:
        data = pyfm.datasets.read_criteo(args.criteo)[: args.rows]
    else:
        data, _ = pyfm.datasets.make_ctr(args.rows, random_state=0)
    ids = data.core.features.reshape(data.n_rows, -1).astype(np.int64)
    y = np.array(data.y)
    cells = []
    for n_threads in args.threads:
        for batch in args.batches:
            cells.append(measure(args, data, ids, y, batch, n_threads))
            print(cells[-1])
    rows = args.criteo or "make_ctr"
    write_json(args.json, {"rows": rows, "cells": cells})


def measure(
    args: argparse.Namespace,
    data: pyfm.Dataset,
    ids: np.ndarray,
    y: np.ndarray,
    batch: int,
    n_threads: int,
) -> dict[str, Any]:
    torch.manual_seed(0)
    torch.set_num_threads(n_threads)
    twin = Trainer(DeepFM(data.n_features, data.n_fields, K, HIDDEN, True), ETA)
    ours = pyfm.DeepFMClassifier(
        n_factors=K, hidden=HIDDEN, batch_norm=True, batch_size=batch, epochs=1, warm_start=True,
        optimizer=AdaGrad(ETA, initial_accumulator=1e-6, l2=0.0), n_jobs=n_threads, random_state=0,
    )  # fmt: skip
    rates: dict[str, list[float]] = {"train": [], "torch": [], "predict": [], "torch predict": []}
    for seed in range(args.repeats):
        ours.fit(data)
        rates["train"].append(len(y) / ours.history_["seconds"][-1])
        rates["torch"].append(len(y) / _seconds(partial(twin.epoch, ids, y, batch, seed)))
        rates["predict"].append(len(y) / _seconds(lambda: ours.predict_proba(data)))
        rates["torch predict"].append(len(y) / _seconds(lambda: twin.predict(ids, 4096)))
    median = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "batch": batch,
        "threads": n_threads,
        **{name: round(rate) for name, rate in median.items()},
        "train ratio": round(median["train"] / median["torch"], 2),
        "predict ratio": round(median["predict"] / median["torch predict"], 2),
        "gflops": round(median["train"] * flop_per_row() / 1e9, 1),
        "blas gflops, one thread": round(gemm_rate(batch) / 1e9, 1),
        "loss": round(ours.history_["train_logloss"][-1], 4),
    }


if __name__ == "__main__":
    main()
