"""What the parts of deep models do: batch normalization, dropout, residual layers, pre-training.

    python bench/ablation.py frappe TRAIN VALID
    python bench/ablation.py criteo TRAIN VALID

Files as for frappe.py and criteo.py. DeepFM of `BASES`, whose networks are smaller than the best
ones so that many can be compared; each panel changes one or two things. No early stopping: curves
show what overfits, too.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

import curves
from common import RESULTS, write_json

import pyfm
from pyfm.optim import AdaGrad, Adam, Optimizer

BASES: dict[str, dict[str, Any]] = {
    "frappe": {"n_factors": 10, "hidden": (128,) * 3, "batch_size": 2048, "epochs": 12},
    "criteo": {"n_factors": 16, "hidden": (128,) * 3, "batch_size": 256, "epochs": 6},
}
VECTORS: dict[str, dict[str, Optimizer]] = {
    "frappe": {"linear": Adam(), "factors": Adam(l2=0.1)},
    "criteo": {
        "linear": AdaGrad(0.04, initial_accumulator=1.5e-5, l2=8e-4),
        "factors": Adam(5e-4, l2=2e-3),
    },
}
FACTORIZATION: dict[str, dict[str, Any]] = {  # the FM that pre-trains the vectors
    "frappe": {"n_factors": 10, "learning_rate": 0.2, "l2": 3e-4, "epochs": 6},
    "criteo": {"n_factors": 16, "optimizer": VECTORS["criteo"], "batch_size": 256, "epochs": 2},
}


@dataclass(frozen=True)
class Variant:
    """A point of a line in a panel, and what it changes."""

    panel: str
    line: str
    x: float
    rate: float = 1e-3  # of the network
    pretrained: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training: losses after each epoch; none where it diverged."""

    train_logloss: list[float]
    valid_logloss: list[float]
    valid_auc: list[float]

    @property
    def best(self) -> float:
        return min(self.valid_logloss, default=float("inf"))


def variants() -> Iterator[Variant]:
    for rate in (1e-3, 1e-2, 3e-2):
        for normalized in (True, False):
            line = "with" if normalized else "without"
            yield Variant("batch_norm", line, rate, rate, changes={"batch_norm": normalized})
    for share in (0.0, 0.2, 0.5, 0.8):
        changes = {"batch_norm": True, "dropout": share}
        yield Variant("dropout", "dropout", share, changes=changes)
    for normalized in (False, True):
        for residual in (False, True):
            line = ("residual" if residual else "plain") + (", batch_norm" if normalized else "")
            for depth in (2, 4, 8, 16):
                changes = {"hidden": (64,) * depth, "residual": residual, "batch_norm": normalized}
                yield Variant("depth", line, depth, changes=changes)
    for pretrained in (False, True):
        line = "from an FM" if pretrained else "from scratch"
        yield Variant("pretraining", line, 0, pretrained=pretrained, changes={"batch_norm": True})


class Trainer:
    """Trains variants on one data set."""

    def __init__(self, name: str, train: pyfm.Dataset, valid: pyfm.Dataset, n_jobs: int) -> None:
        self._name, self._train, self._valid, self._n_jobs = name, train, valid, n_jobs

    def run(self, variant: Variant, seed: int) -> Run:
        model = pyfm.DeepFMClassifier(
            optimizer=VECTORS[self._name] | {"deep": Adam(variant.rate)},
            metric=["logloss", "auc"],
            n_jobs=self._n_jobs,
            random_state=seed,
            **(BASES[self._name] | variant.changes),
        )
        start = self._factorization(seed) if variant.pretrained else None
        try:
            model.fit(self._train, eval_set=self._valid, init_from=start)
        except ValueError as error:
            if "diverged" not in str(error):
                raise
            return Run([], [], [])
        history = model.history_
        return Run(*(history[c] for c in ("train_logloss", "valid_logloss", "valid_auc")))

    def _factorization(self, seed: int) -> pyfm.FMClassifier:
        model = pyfm.FMClassifier(normalize=False, random_state=seed, **FACTORIZATION[self._name])
        return model.fit(self._train)


def print_panel(panel: str, found: list[tuple[Variant, list[Run]]]) -> None:
    print(
        f"\n| {panel} | | training log-loss after epoch 1, 3 | best validation log-loss: "
        "median (min – max) | AUC | at epoch |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for variant, runs in found:
        print(f"| {variant.line} | {variant.x:g} | {_cells(runs)} |", flush=True)


def _cells(runs: list[Run]) -> str:
    done = [run for run in runs if run.valid_logloss]
    if len(done) < len(runs):
        return f"{len(runs) - len(done)} of {len(runs)} diverged | | |"
    first, third = (statistics.median(r.train_logloss[i] for r in done) for i in (0, 2))
    best = [run.best for run in done]
    at = [run.valid_logloss.index(run.best) for run in done]
    auc = statistics.median(run.valid_auc[i] for run, i in zip(done, at, strict=True))
    return (
        f"{first:.4f}, {third:.4f} | {statistics.median(best):.4f} ({min(best):.4f} – "
        f"{max(best):.4f}) | {auc:.4f} | {statistics.median(at) + 1:g}"
    )


def main() -> None:
    args = curves.file_parser(str(__doc__), seeds=3, either=True).parse_args()
    rows = curves.READERS[args.data](args.train, args.valid)
    trainer = Trainer(args.data, *rows, args.threads)
    found: list[tuple[Variant, list[Run]]] = []
    for panel, members in groupby(variants(), lambda variant: variant.panel):
        if args.only not in panel:
            continue
        part = [(v, [trainer.run(v, seed) for seed in range(args.seeds)]) for v in members]
        print_panel(panel, part)
        found += part
    content = [asdict(v) | {"runs": [asdict(run) for run in runs]} for v, runs in found]
    write_json(
        args.out or RESULTS / f"ablation-{args.data}.json",
        {
            "data": args.data,
            "parameters": {key: str(value) for key, value in vars(args).items()},
            "found": content,
        },
    )


if __name__ == "__main__":
    main()
