"""The machine's limits, and how near to them training gets.

    python bench/bandwidth.py

NumPy measures the limits; several threads of Python work, since it lets go of the interpreter.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS, write_json
from costs import FLOAT, cost
from data import N_FEATURES, N_FIELDS
from runs import estimator

import pyfm

FFM_ROW = N_FIELDS * 4 * 2 * FLOAT  # bytes of a feature: weights and slots, k=4, no padding
Task = Callable[[], object]


def streaming(size: int) -> dict[str, tuple[int, Callable[[], Task]]]:
    """By name: the bytes that a task reads and writes, and a maker of tasks with own memory."""

    def copy() -> Task:
        a, b = np.ones(size // 8), np.zeros(size // 8)
        return lambda: np.copyto(b, a)

    def add() -> Task:
        a, b, c = np.ones(size // 8), np.ones(size // 8), np.zeros(size // 8)
        return lambda: np.add(a, b, out=c)

    def gather(row_bytes: int) -> Callable[[], Task]:
        def make() -> Task:
            table = np.ones((size // row_bytes, row_bytes // 8))
            out = np.zeros_like(table[: len(table) // 4])
            rows = np.random.default_rng(0).integers(len(table), size=len(out))
            return lambda: np.take(table, rows, axis=0, out=out, mode="clip")

        return make

    return {
        "copy": (2 * size, copy),
        "add": (3 * size, add),
        f"random rows of {FFM_ROW} bytes, copied": (size // 2, gather(FFM_ROW)),
        "random rows of 64 bytes, copied": (size // 2, gather(64)),
    }


def gigabytes_per_second(
    n_bytes: int, make: Callable[[], Task], n_threads: int, repetitions: int
) -> list[float]:
    """Of `n_threads` tasks at once, each a few times over."""
    tasks, rounds = [make() for _ in range(n_threads)], 4
    found = []
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            for done in [pool.submit(lambda t=t: [t() for _ in range(rounds)]) for t in tasks]:
                done.result()
            found.append(n_threads * rounds * n_bytes / (time.perf_counter() - start) / 1e9)
    return found[1:]  # the first touches the memory


def training(
    model: str, k: int, train: pyfm.Dataset, n_threads: int, repetitions: int
) -> dict[str, Any]:
    """Rows/s of the passes, and what they move and compute by the formulas."""
    fitted = estimator(model, k, epochs=repetitions + 1, n_jobs=n_threads, random_state=0)
    speeds = fitted.fit(train).history_["rows_per_second"][1:]
    speed, of_row = statistics.median(speeds), cost(model, train.n_fields, k)
    return asdict(of_row) | {
        "model": model if model == "linear" else f"{model} k={k}",
        "features": train.n_features,
        "threads": n_threads,
        "rows/s": speed,
        "GB/s": 2 * of_row.bytes * speed / 1e9,  # read and written
        "line GB/s": 2 * of_row.line_bytes * speed / 1e9,
        "GFLOP/s": of_row.flops * speed / 1e9,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--megabytes", type=int, default=256, help="of each array")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "bandwidth.json")
    args = parser.parse_args()
    threads = sorted({1, len(os.sched_getaffinity(0))})
    size = args.megabytes * 2**20
    limits: dict[str, dict[int, float]] = {}
    for name, (n_bytes, make) in streaming(size).items():
        for n in threads:
            speeds = gigabytes_per_second(n_bytes, make, n, args.repetitions)
            limits.setdefault(name, {})[n] = statistics.median(speeds)
    print(f"| GB/s, read and written | {' | '.join(f'{n} thread(s)' for n in threads)} |")
    print(f"| --- |{' --- |' * len(threads)}")
    for name, by_threads in limits.items():
        print(f"| {name} | {' | '.join(f'{speed:.1f}' for speed in by_threads.values())} |")
    achieved = []
    # The small table stays in the caches: what is left is the work itself.
    for n_features in (N_FIELDS * 10, N_FEATURES):
        train, _ = pyfm.datasets.make_ctr(args.rows, n_features=n_features, random_state=0)
        for model, k in (("FFM", 4), ("FM", 16), ("linear", 0)):
            for n in threads:
                achieved.append(training(model, k, train, n, args.repetitions))
    print("\n| training | features | threads | bytes/row each way | flops/row | rows/s ", end="")
    print("| GB/s | in whole lines | GFLOP/s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for a in achieved:
        print(
            f"| {a['model']} | {a['features']:,} | {a['threads']} | {a['bytes']:,} "
            f"| {a['flops']:,} | {a['rows/s']:,.0f} | {a['GB/s']:.1f} | {a['line GB/s']:.1f} "
            f"| {a['GFLOP/s']:.1f} |"
        )
    parameters = {key: str(value) for key, value in vars(args).items()}
    write_json(args.out, {"parameters": parameters, "limits": limits, "training": achieved})


if __name__ == "__main__":
    main()
