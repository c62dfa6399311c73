"""What the runs on real data share: curves of several seeds, ours beside libffm's."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import libffm
import numpy as np
from common import RESULTS, write_json
from data import offsets_and_fields, write_libffm

import pyfm


@dataclass(frozen=True)
class Curve:
    """One training run."""

    valid_logloss: list[float]  # after each epoch
    valid_auc: list[float]  # likewise; nan where the peer has none
    seconds: list[float]  # of training, from the first epoch on

    @property
    def best(self) -> float:
        return min(self.valid_logloss)

    @property
    def best_epoch(self) -> int:
        return self.valid_logloss.index(self.best) + 1

    @property
    def auc(self) -> float:
        return self.valid_auc[self.best_epoch - 1]

    @property
    def seconds_to_best(self) -> float:
        return self.seconds[self.best_epoch - 1]


Contender = Callable[[int], Curve]  # from a seed


def parser(description: str, *, seeds: int) -> argparse.ArgumentParser:
    """The arguments that all runs have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--threads", type=int, default=1)
    made.add_argument(
        "--seeds", type=int, default=seeds, help="runs of each (default: %(default)s)"
    )
    made.add_argument("--only", default="", help="those whose name holds this")
    made.add_argument("--out", type=Path, help="default: a file in bench/results")
    return made


def file_parser(description: str, *, seeds: int, either: bool = False) -> argparse.ArgumentParser:
    """And the files; with `either`, first which of READERS."""
    made = parser(description, seeds=seeds)
    if either:
        made.add_argument("data", choices=list(READERS))
    made.add_argument("train", type=Path)
    made.add_argument("valid", type=Path)
    return made


def read_criteo(train: Path, valid: Path) -> tuple[pyfm.Dataset, pyfm.Dataset]:
    """Raw lines; numbers become buckets, and the validation rows take the training rows' ids."""
    read = pyfm.datasets.read_criteo(train)
    return read, pyfm.datasets.read_criteo(valid, encoder=read.encoder)


def read_frappe(train: Path, valid: Path) -> tuple[pyfm.Dataset, pyfm.Dataset]:
    """libFM text, where the position in the row is the field."""
    of = partial(pyfm.Dataset.from_libsvm, fields="position")
    return of(train), of(valid)


READERS = {"frappe": read_frappe, "criteo": read_criteo}


def ours(
    make: Callable[..., Any],
    train: pyfm.Dataset,
    valid: pyfm.Dataset,
    args: argparse.Namespace,
    *,
    epochs: int,
    patience: int | None = None,
    **params: Any,
) -> Contender:
    """One of our models; without `patience` it runs all epochs, and is judged at its best one."""
    params = {"metric": ["logloss", "auc"]} | params

    def run(seed: int) -> Curve:
        model = make(
            epochs=epochs,
            early_stopping=True,
            n_iter_no_change=patience or epochs,
            n_jobs=args.threads,
            random_state=seed,
            **params,
        ).fit(train, eval_set=valid)
        history = model.history_
        seconds = np.cumsum(history["seconds"]).tolist()
        return Curve(history["valid_logloss"], history["valid_auc"], seconds)

    return run


def peer(
    settings: libffm.Settings, train: pyfm.Dataset, valid: pyfm.Dataset, args: argparse.Namespace
) -> Contender:
    """libffm. It has no seed: other orders of rows and features, hence other starts, act as one."""

    def run(seed: int) -> Curve:
        with tempfile.TemporaryDirectory() as name:
            paths = [Path(name) / "train.txt", Path(name) / "valid.txt"]
            for path, data in zip(paths, (train, valid), strict=True):
                write_libffm(path, _reordered(data, seed, max(train.n_features, valid.n_features)))
            done = libffm.train(*paths, settings, peer_python=args.peer_python, binary=args.libffm)
        losses = done.valid_logloss
        return Curve(losses, [float("nan")] * len(losses), done.cumulative_seconds)

    return run


def _reordered(data: pyfm.Dataset, seed: int, n_features: int) -> pyfm.Dataset:
    rng = np.random.default_rng(seed)
    new_ids = rng.permutation(n_features)
    rows = data[rng.permutation(data.n_rows)].copy()
    offsets, fields = offsets_and_fields(rows)
    core = rows.core
    return pyfm.Dataset.from_arrays(
        offsets, new_ids[core.features], fields=fields, values=core.values, y=core.y
    )


def measure(
    contenders: Mapping[str, Contender], args: argparse.Namespace
) -> dict[str, list[Curve]]:
    """Run all that are asked for, seed by seed."""
    chosen = {name: run for name, run in contenders.items() if args.only in name}
    found: dict[str, list[Curve]] = {name: [] for name in chosen}
    for seed in range(args.seeds):
        for name, run in chosen.items():
            found[name].append(run(seed))
            print(f"seed {seed}, {name}: {found[name][-1].best:.5f}", flush=True)
    return found


def print_best(found: Mapping[str, Sequence[Curve]]) -> None:
    """The best epochs of each model, as a table."""
    print("\n| model | best validation log-loss: median (min – max) | AUC | at epoch | seconds |")
    print("| --- | --- | --- | --- | --- |")
    for name, curves in found.items():
        best, at = [c.best for c in curves], [c.best_epoch for c in curves]
        auc = statistics.median(c.auc for c in curves)
        seconds = statistics.median(c.seconds_to_best for c in curves)
        print(
            f"| {name} | {statistics.median(best):.5f} ({min(best):.5f} – {max(best):.5f}) "
            f"| {'' if np.isnan(auc) else f'{auc:.5f}'} | {min(at)} – {max(at)} | {seconds:.1f} |"
        )


def print_difference(ours: Sequence[Curve], theirs: Sequence[Curve]) -> None:
    """How far two models of equal settings are apart, epoch by epoch, and single runs of each."""
    us, them = (np.array([c.valid_logloss for c in curves]) for curves in (ours, theirs))
    print("\n| epoch | libffm: mean (min – max) | pyfm: mean (min – max) | difference of means |")
    print("| --- | --- | --- | --- |")
    for epoch, (a, b) in enumerate(zip(us.T, them.T, strict=True), start=1):
        cells = (f"{x.mean():.5f} ({x.min():.5f} – {x.max():.5f})" for x in (b, a))
        print(f"| {epoch} | {' | '.join(cells)} | {a.mean() - b.mean():+.5f} |")
    means = np.abs(us.mean(axis=0) - them.mean(axis=0)).max()
    singles = np.abs(us[:, None] - them[None]).max()
    print(f"largest difference: of the means {means:.5f}, of any two single runs {singles:.5f}")


def write(
    found: Mapping[str, Sequence[Curve]],
    args: argparse.Namespace,
    default: str,
    settings: Mapping[str, libffm.Settings] | None = None,
) -> None:
    """Everything as JSON; `default` is the name of the file."""
    content = {
        "parameters": {key: str(value) for key, value in vars(args).items()},
        "libffm": {name: asdict(s) for name, s in (settings or {}).items()},
        "curves": {name: [asdict(curve) for curve in curves] for name, curves in found.items()},
    }
    write_json(args.out or RESULTS / default, content)
