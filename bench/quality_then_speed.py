"""pyfm against libffm at equal settings: first the validation log-loss, then the speed.

Synthetic rows of Criteo's shape: 39 fields, over a million features. The peers take turns, so that
a machine that slows down slows down all of them. A ratio of speeds is printed only where our
log-loss is not worse. See bench/README.md.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import libffm
import modern_fm_peer
import numpy as np
import reading
from common import RESULTS, spread, write_json, write_libffm

import pyfm

TOLERANCE = 0.0005  # of log-loss: worse than the peer by more than this, and there is no ratio

FFM = libffm.Settings(n_factors=4, learning_rate=0.2, l2=2e-5)
FM = {"n_factors": 16, "learning_rate": 0.2, "l2": 2e-5}
LIBFFM = "libffm FFM k=4"
LINEAR = {"learning_rate": 0.2, "l2": 2e-5, "normalize": True}


@dataclass
class Series:
    """The repeated runs of one model on one number of threads."""

    rows_per_second: list[float] = field(default_factory=list)
    valid_logloss: list[list[float]] = field(default_factory=list)  # (repetition, epoch)
    # Of the epochs after the first, in which our table is filled and the peer's is not.
    later_rows_per_second: list[float] = field(default_factory=list)

    @property
    def final_logloss(self) -> float:
        return statistics.median(curve[-1] for curve in self.valid_logloss)


def add(
    series: Series, n_rows: int, cumulative_seconds: list[float], valid_logloss: list[float]
) -> None:
    """Note one run, whose training seconds are given as they stood after each epoch."""
    first, last, epochs = cumulative_seconds[0], cumulative_seconds[-1], len(cumulative_seconds)
    series.rows_per_second.append(n_rows * epochs / last)
    series.later_rows_per_second.append(n_rows * (epochs - 1) / (last - first))
    series.valid_logloss.append(valid_logloss)


def ours(n_threads: int, epochs: int, seed: int) -> dict[str, Any]:
    common = {"epochs": epochs, "n_jobs": n_threads, "random_state": seed}
    ffm = {"n_factors": FFM.n_factors, "learning_rate": FFM.learning_rate, "l2": FFM.l2}
    return {
        "pyfm FFM k=4": pyfm.FFMClassifier(**ffm, **common),
        "pyfm FM k=16": pyfm.FMClassifier(**FM, **common),
        "pyfm linear": pyfm.LinearClassifier(**LINEAR, **common),
    }


def measure(args: argparse.Namespace, n_threads: int, paths: list[Path]) -> dict[str, Series]:
    """All models in turn, `args.repetitions` times."""
    train, valid = (pyfm.Dataset.from_libffm(path) for path in paths[:2])
    found: dict[str, Series] = defaultdict(Series)
    for repetition in range(args.repetitions):
        settings = libffm.Settings(**asdict(FFM) | {"epochs": args.epochs, "n_threads": n_threads})
        run = libffm.train(*paths[:2], settings, peer_python=args.peer_python, binary=args.libffm)
        add(found[LIBFFM], train.n_rows, run.cumulative_seconds, run.valid_logloss)
        for name, model in ours(n_threads, args.epochs, repetition).items():
            history = model.fit(train, eval_set=valid).history_
            seconds = list(itertools.accumulate(history["seconds"]))
            add(found[name], train.n_rows, seconds, history["valid_logloss"])
    if args.modern_fm:
        for name, kind, s in (("FM k=16", "fm", FM), ("FFM k=4", "ffm", asdict(FFM))):
            values = (s["n_factors"], s["learning_rate"], s["l2"], args.epochs, n_threads)
            done = modern_fm_peer.train(paths[2], kind, *values, peer_python=args.peer_python)
            series = found[f"modern-fm {name}"]
            series.rows_per_second.append(args.epochs * train.n_rows / done.seconds)
            series.valid_logloss.append([done.valid_logloss])
    return found


def compare(found: dict[str, Series], our_name: str, peer_name: str) -> dict[str, Any]:
    """The ratio of speeds of the same model, or None if ours has not learned as well."""
    worse = found[our_name].final_logloss - found[peer_name].final_logloss
    ratio = relative_rows(found, our_name, peer_name)
    if worse > TOLERANCE:
        print(f"{our_name} / {peer_name}: no ratio, our log-loss is worse by {worse:.5f}")
        ratio = None
    else:
        print(f"{our_name} / {peer_name}: {ratio:.2f} x  (log-loss {worse:+.5f})")
    return {"ours": our_name, "peer": peer_name, "ratio": ratio, "logloss_worse_by": worse}


def relative_rows(found: dict[str, Series], name: str, peer_name: str) -> float:
    medians = (statistics.median(found[n].rows_per_second) for n in (name, peer_name))
    return next(medians) / next(medians)


def report(found: dict[str, Series], n_threads: int) -> dict[str, Any]:
    print(f"\n{n_threads} thread(s): rows/s, median (min - max); after epoch 1; valid log-loss")
    for name, series in found.items():
        s = spread(series.rows_per_second)
        later = statistics.median(series.later_rows_per_second or [float("nan")])
        print(
            f"  {name:<18}{s['median']:>12,.0f}  ({s['min']:,.0f} - {s['max']:,.0f})"
            f" {later:>12,.0f}   {series.final_logloss:.5f}"
        )
    peers = {name: name.replace("libffm", "pyfm").replace("modern-fm", "pyfm") for name in found}
    comparisons = [compare(found, our, peer) for peer, our in peers.items() if our != peer]
    # Models of another kind learn something else: their rows/s say nothing at equal quality.
    others = {name: relative_rows(found, name, LIBFFM) for name in ("pyfm FM k=16", "pyfm linear")}
    for name, ratio in others.items():
        print(f"{name}, another model: {ratio:.2f} x the rows/s of {LIBFFM}")
    return {
        "n_threads": n_threads,
        "models": {name: asdict(series) for name, series in found.items()},
        "comparisons": comparisons,
        "rows_of_other_models_per_row_of_libffm": others,
    }


def make_files(folder: Path, args: argparse.Namespace) -> tuple[list[Path], float]:
    """Training and validation rows as text, and as arrays for modern-fm; the Bayes log-loss."""
    n_valid = args.rows // 4
    data, bayes = pyfm.datasets.make_ctr(args.rows + n_valid, random_state=args.seed)
    train, valid = data[: args.rows], data[args.rows :]
    paths = [folder / "train.txt", folder / "valid.txt", folder / "data.npz"]
    write_libffm(paths[0], train)
    write_libffm(paths[1], valid)
    if args.modern_fm:
        ids = data.core.features.reshape(len(data), -1)
        feature_fields = np.zeros(data.n_features, dtype=np.int64)
        feature_fields[ids] = np.arange(ids.shape[1])
        np.savez(
            paths[2], train_ids=ids[: args.rows], valid_ids=ids[args.rows :],
            train_y=train.y, valid_y=valid.y,
            feature_fields=feature_fields, n_features=data.n_features,
        )  # fmt: skip
    return paths, bayes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="training rows")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--libffm", type=Path, help="your own ffm-train instead of pylibffm")
    parser.add_argument("--modern-fm", action="store_true", help="measure modern-fm, too (slow)")
    parser.add_argument("--out", type=Path, default=RESULTS / "quality_then_speed.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths, bayes = make_files(Path(name), args)
        print(f"{args.rows:,} rows, {args.epochs} epochs; Bayes log-loss {bayes:.5f}")
        training = [report(measure(args, n, paths), n) for n in args.threads]
        text = reading.compare(paths, args)
        whole = reading.whole_runs(paths, args, FFM)
    parameters = {key: str(value) for key, value in vars(args).items()}
    content = {"parameters": parameters, "ffm": asdict(FFM), "fm": FM, "linear": LINEAR}
    content |= {"bayes_logloss": bayes, "training": training, "reading": text, "whole_run": whole}
    write_json(args.out, content)


if __name__ == "__main__":
    main()
