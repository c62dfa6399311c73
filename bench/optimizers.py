"""The optimizers side by side, and batch, mini-batch and stochastic training, on raw Criteo files.

    python bench/optimizers.py TRAIN VALID

FFM, k=4, as bench/criteo.py reads the files. Each contender gets the learning rate of its grid that
does best with seed 0; then every seed runs with it.
"""

from __future__ import annotations

import argparse
import functools
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from common import RESULTS, write_json

import pyfm
from pyfm.optim import FTRL, SGD, AdaGrad, Adam, Momentum, Nesterov, Optimizer, RMSProp

L2 = 2e-5
SMALL_START = 1e-6  # of AdaGrad's accumulator, where gradients are means over a batch


@dataclass(frozen=True, eq=False)
class Rows:
    train: pyfm.Dataset
    valid: pyfm.Dataset
    n_threads: int


@dataclass(frozen=True)
class Contender:
    """A way to train, with the learning rates to choose from."""

    name: str
    panel: str
    optimizers: Sequence[Optimizer]
    batch_size: int | str = 1


@dataclass(frozen=True)
class Run:
    """What became of one training."""

    valid_logloss: list[float]  # after each epoch
    seconds: list[float]

    @property
    def best(self) -> float:
        return min(self.valid_logloss)

    def epochs_to(self, loss: float) -> int | None:
        return next((i for i, v in enumerate(self.valid_logloss, 1) if v <= loss), None)


def contenders() -> list[Contender]:
    slow = [1e-4, 3e-4, 1e-3, 3e-3, 0.01]
    middle = [0.003, 0.01, 0.03, 0.1, 0.3]
    fast = [0.3, 1.0, 3.0, 10.0, 30.0]
    row_by_row = [
        Contender("SGD", "optimizers", [SGD(r, l2=L2) for r in middle]),
        Contender("Momentum", "optimizers", [Momentum(r, l2=L2) for r in slow + [0.03]]),
        Contender("Nesterov", "optimizers", [Nesterov(r, l2=L2) for r in slow + [0.03]]),
        Contender("AdaGrad", "optimizers", [AdaGrad(r, l2=L2) for r in middle]),
        Contender("RMSProp", "optimizers", [RMSProp(r, l2=L2) for r in slow]),
        Contender("Adam", "optimizers", [Adam(r, l2=L2) for r in slow]),
        Contender("FTRL", "optimizers", [FTRL(r, l2=L2) for r in middle]),
    ]
    batches: list[Contender] = [
        Contender(f"SGD, {name}", "batches", [SGD(r, l2=L2) for r in rates], size)
        for name, size, rates in (
            ("row by row", 1, middle),
            ("batches of 32", 32, fast),
            ("batches of 1024", 1024, [3.0, 10.0, 30.0, 100.0, 300.0]),
            ("full batch", "full", [30.0, 100.0, 300.0, 1000.0, 3000.0]),
        )
    ]
    batches += [
        Contender(f"{name}, batches of 1024", "batches of 1024", optimizers, 1024)
        for name, optimizers in (
            ("Nesterov", [Nesterov(r, l2=L2) for r in (0.3, 1.0, 3.0, 10.0, 30.0)]),
            (
                "AdaGrad",
                [AdaGrad(r, l2=L2, initial_accumulator=SMALL_START) for r in middle + [1.0]],
            ),
            ("Adam", [Adam(r, l2=L2) for r in slow + [0.03]]),
            ("FTRL", [FTRL(r, l2=L2, beta=0.001) for r in middle + [1.0, 3.0]]),
        )
    ]
    return row_by_row + batches


@functools.cache  # SGD row by row is in two panels
def train(
    optimizer: Optimizer, batch_size: int | str, seed: int, epochs: int, rows: Rows
) -> Run | None:
    """None: it diverged."""
    model = pyfm.FFMClassifier(
        n_factors=4,
        optimizer=optimizer,
        batch_size=batch_size,
        epochs=epochs,
        random_state=seed,
        n_jobs=1 if batch_size == 1 else rows.n_threads,
    )
    try:
        model.fit(rows.train, eval_set=rows.valid)
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        return None
    return Run(model.history_["valid_logloss"], model.history_["seconds"])


def measure(contender: Contender, args: argparse.Namespace, rows: Rows) -> dict[str, object]:
    """The rate that does best with seed 0, and all seeds' runs with it."""
    tried = {
        optimizer: train(optimizer, contender.batch_size, 0, args.epochs, rows)
        for optimizer in contender.optimizers
    }
    done = {optimizer: run for optimizer, run in tried.items() if run is not None}
    chosen = min(done, key=lambda optimizer: done[optimizer].best)
    others = [
        run
        for seed in range(1, args.seeds)
        if (run := train(chosen, contender.batch_size, seed, args.epochs, rows)) is not None
    ]
    return {
        "name": contender.name,
        "panel": contender.panel,
        "batch_size": contender.batch_size,
        "optimizer": repr(chosen),
        "learning_rate": chosen.learning_rate,
        "at_edge": chosen in (contender.optimizers[0], contender.optimizers[-1]),
        "tried": {o.learning_rate: run and run.best for o, run in tried.items()},
        "runs": [asdict(run) for run in (done[chosen], *others)],
    }


def print_row(found: dict[str, object]) -> None:
    runs = [Run(**run) for run in found["runs"]]  # type: ignore[attr-defined]
    best = [run.best for run in runs]
    at = [run.valid_logloss.index(run.best) + 1 for run in runs]
    near = [run.epochs_to(min(best) + 0.001) for run in runs]
    reached = [n for n in near if n is not None]
    rate = f"{found['learning_rate']:g}{' (edge of its grid)' if found['at_edge'] else ''}"
    print(
        f"| {found['name']} | {rate} | {statistics.median(best):.4f} "
        f"({min(best):.4f} – {max(best):.4f}) | {statistics.median(at):g} "
        f"| {statistics.median(reached):g} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("--threads", type=int, default=1, help="of batches")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--only", default="", help="contenders whose name holds this")
    parser.add_argument("--out", type=Path, default=RESULTS / "optimizers.json")
    args = parser.parse_args()
    read = pyfm.datasets.read_criteo(args.train)
    valid = pyfm.datasets.read_criteo(args.valid, encoder=read.encoder)
    rows = Rows(read, valid, args.threads)
    print(f"{read.n_rows:,} + {valid.n_rows:,} rows, {read.n_features:,} features\n")
    print("| | η | validation log-loss: median (min – max) | best epoch | within 0.001 of it |")
    print("| --- | --- | --- | --- | --- |")
    found = []
    for contender in contenders():
        if args.only in contender.name:
            found.append(measure(contender, args, rows))
            print_row(found[-1])
    write_json(args.out, {"parameters": {k: str(v) for k, v in vars(args).items()}, "found": found})


if __name__ == "__main__":
    main()
