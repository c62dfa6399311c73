"""Our rows/s by rows, features, fields, factors and threads, one of them changed at a time.

python bench/scaling.py
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from common import RESULTS, spread, write_json
from costs import cost
from data import N_FEATURES, N_FIELDS
from runs import estimator

import pyfm


@dataclass(frozen=True)
class Point:
    """One setting."""

    model: str
    rows: int
    features: int
    k: int
    fields: int = N_FIELDS
    threads: int = 1


def sweeps(args: argparse.Namespace) -> dict[str, list[Point]]:
    """The points of each panel, by the dimension that changes in it."""
    base = [
        Point("FFM", args.rows, args.features, 4),
        Point("FM", args.rows, args.features, 16),
        Point("linear", args.rows, args.features, 0),
    ]
    values = {
        "rows": [args.rows // 16, args.rows // 4, args.rows, args.rows * 4],
        "features": [args.features // n for n in (256, 32, 4, 1)] + [args.features * 4],
        "fields": [10, 20, N_FIELDS, 80],
        "k": [4, 8, 16, 32],
        "threads": list(range(1, len(os.sched_getaffinity(0)) + 1)),
    }
    return {
        name: [
            replace(point, **{name: value})
            for point in base
            if not (name == "k" and point.model == "linear")
            for value in numbers
        ]
        for name, numbers in values.items()
    }


@cache
def rows_of(n_rows: int, n_fields: int, n_features: int) -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(n_rows, n_fields=n_fields, n_features=n_features, random_state=0)[
        0
    ]


def measure(points: list[Point], args: argparse.Namespace) -> dict[Point, list[float]]:
    """Rows/s of every epoch; the points take turns. One that fails has none."""
    found: dict[Point, list[float]] = defaultdict(list)
    for repetition in range(args.repetitions):
        for p in points:
            train = rows_of(p.rows, p.fields, p.features)
            params = {"epochs": args.epochs, "n_jobs": p.threads, "random_state": repetition}
            try:
                model = estimator(p.model, p.k, **params).fit(train)
            except MemoryError as error:
                print(f"{p}: {error}", file=sys.stderr)
                continue
            found[p] += model.history_["rows_per_second"]
            print(f"repetition {repetition + 1}: {p} {found[p][-1]:,.0f} rows/s", file=sys.stderr)
    return found


def described(point: Point, speeds: list[float]) -> dict[str, Any]:
    speed, of_row = spread(speeds), cost(point.model, point.fields, point.k)
    moved = 2 * of_row.bytes * speed["median"] / 1e9  # read and written
    return asdict(point) | {"rows/s": speed, "GB/s": moved, "bytes/row": of_row.bytes}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000, help="up to four times as many")
    parser.add_argument("--features", type=int, default=N_FEATURES, help="the same")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "scaling.json")
    args = parser.parse_args()
    panels = sweeps(args)
    found = measure(list(dict.fromkeys(p for panel in panels.values() for p in panel)), args)
    content = {
        "parameters": {key: str(value) for key, value in vars(args).items()},
        "panels": {
            name: [described(p, found[p]) for p in points if p in found]
            for name, points in panels.items()
        },
    }
    for name, points in content["panels"].items():
        print(f"\n| model | {name} | rows/s: median (min – max) | GB/s |")
        print("| --- | --- | --- | --- |")
        for p in points:
            s = p["rows/s"]
            numbers = f"{s['median']:,.0f} ({s['min']:,.0f} – {s['max']:,.0f})"
            print(f"| {p['model']} | {p[name]:,} | {numbers} | {p['GB/s']:.1f} |")
    write_json(args.out, content)


if __name__ == "__main__":
    main()
