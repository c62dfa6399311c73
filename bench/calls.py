"""Rows/s of `partial_fit` by the rows in a call, beside an epoch of `fit`: see bench/README.md.

    python bench/calls.py

What a call does besides learning (counting features, copies by which it can be undone, the search
for numbers that are not finite) is for its own rows, and weighs most where they are few.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from common import RESULTS, spread, write_json
from data import N_FEATURES, N_FIELDS

import pyfm

MODELS = {
    "FFM k=4": lambda: pyfm.FFMClassifier(n_factors=4, epochs=1, random_state=0),
    "FM k=16": lambda: pyfm.FMClassifier(n_factors=16, epochs=1, random_state=0),
}


def rates(
    model: pyfm.FFMClassifier | pyfm.FMClassifier, data: pyfm.Dataset, size: int, n: int
) -> list[float]:
    """Of `n` calls with `size` rows each, one after the other through the data."""
    starts = range(0, data.n_rows - size + 1, size)
    found = []
    for call in range(n):
        start = starts[call % len(starts)]
        rows = data[start : start + size]
        begin = time.perf_counter()
        model.partial_fit(rows)
        found.append(size / (time.perf_counter() - begin))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1, 10, 100, 1000, 5000, 20_000], help="of calls"
    )
    parser.add_argument("--calls", type=int, default=40, help="of each size")
    parser.add_argument("--out", type=Path, default=RESULTS / "calls.json")
    args = parser.parse_args()

    data, _ = pyfm.datasets.make_ctr(
        args.rows, n_fields=N_FIELDS, n_features=N_FEATURES, random_state=0
    )
    results = {}
    print("| model | rows in a call | rows/s: median (min – max) |\n| --- | --- | --- |")
    for name, make in MODELS.items():
        model = make().fit(data)
        epoch = args.rows / model.history_["seconds"][0]
        results[name] = {"epoch of fit": epoch}
        print(f"| {name} | an epoch of `fit` | {epoch:,.0f} |")
        for size in args.sizes:
            r = results[name][str(size)] = spread(rates(model, data, size, args.calls))
            print(f"| {name} | {size:,} | {r['median']:,.0f} ({r['min']:,.0f} – {r['max']:,.0f}) |")
    write_json(args.out, {"rows": args.rows, "rates": results})


if __name__ == "__main__":
    main()
