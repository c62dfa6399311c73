"""The table of speeds, beside libffm at equal log-loss: see bench/README.md.

    python bench/speed.py

All runs take turns within each repetition, so that a machine that slows down slows down all of
them. A run that fails is shown with its reason; it ends neither the others nor the table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import libffm
from cells import Cell, table
from common import RESULTS, write_json
from data import N_FEATURES, N_FIELDS, Source
from report import Measured, judge, markdown
from runs import FFM, Context, Run


def measure(cells: Sequence[Cell], context: Context) -> dict[Run, Measured]:
    """Each run once in every repetition, in the order of the cells that speak of it."""
    runs = dict.fromkeys(run for cell in cells for run in (*cell.ours, *cell.peer))
    found = {run: Measured() for run in runs}
    for repetition in range(context.args.repetitions):
        for number, run in enumerate(runs, start=1):
            if found[run].error:
                continue
            start = time.perf_counter()
            try:
                found[run].samples.append(run.measure(context, repetition))
            except Exception as error:  # whatever it is, the other runs are still worth having
                found[run].error = f"{type(error).__name__}: {error}"
            print(
                f"repetition {repetition + 1}, {number} of {len(runs)}: {run} "
                f"{found[run].error or ''} ({time.perf_counter() - start:.0f} s)",
                file=sys.stderr,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=500_000, help="training rows")
    parser.add_argument("--valid-rows", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=3, help="of each training")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="in the cells of several threads")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="cells with one of these in the name"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    libffm.with_arguments(parser)
    parser.add_argument("--out", type=Path, default=RESULTS / "speed.json")
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    args = parser.parse_args()
    cells = [cell for cell in table(args.threads) if any(text in cell.name for text in args.only)]
    if not cells:
        parser.error(f"--only: no cell's name holds any of {args.only}")
    with tempfile.TemporaryDirectory() as folder:
        source = Source(args.rows, args.valid_rows, args.seed, Path(folder))
        found = measure(cells, Context(source, args))
    verdicts = [judge(cell, found) for cell in cells]
    text = markdown(verdicts)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)
    content = {
        "parameters": {key: str(value) for key, value in vars(args).items()},
        "settings": FFM | {"n_fields": N_FIELDS, "n_features": N_FEATURES},
        "bayes_logloss": source.bayes_logloss,
        "cells": [asdict(verdict) for verdict in verdicts],
        "runs": {str(run): asdict(measured) for run, measured in found.items()},
    }
    write_json(args.out, content)


if __name__ == "__main__":
    main()
