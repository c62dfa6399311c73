"""What augmentation of the training rows does to validation log-loss, on raw Criteo files.

    python bench/augmentation.py TRAIN VALID

Tab-separated lines as for `criteo.py`. FFM with AdaGrad and early stopping; the parameters suit
about 100,000 rows.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from common import RESULTS, write_json
from data import id_matrix

import pyfm
from pyfm.dataset.compression import open_blocks

N_NUMERIC = 13
PARAMS = {"n_factors": 4, "learning_rate": 0.2, "l2": 2e-5, "epochs": 20}


@dataclass(frozen=True)
class Rows:
    """Training and validation rows of one encoding."""

    train: pyfm.Dataset
    valid: pyfm.Dataset


@dataclass(frozen=True)
class Result:
    """The runs of one augmentation, a list entry for each seed."""

    logloss: list[float]
    best_epoch: list[int]
    together: float  # log-loss of the mean of all seeds' predictions


def real_valued(path: Path, ids: pyfm.Dataset, mean: np.ndarray | None) -> tuple:
    """The rows with numeric columns ln(1 + x) / mean instead of buckets, and that mean.

    A missing number is a feature of its own, of value 1; those below 0 count as 0.
    """
    lines = b"".join(open_blocks(str(path))).splitlines()
    raw = [[float(x or "nan") for x in line.split(b"\t")[1 : N_NUMERIC + 1]] for line in lines]
    x = np.log1p(np.maximum(np.array(raw), 0))
    mean = np.nanmean(x, axis=0) if mean is None else mean
    present = ~np.isnan(x)
    matrix = id_matrix(ids).copy()
    matrix[:, :N_NUMERIC] = ids.encoder.offsets[:N_NUMERIC] + present
    values = np.ones(matrix.shape, np.float32)
    values[:, :N_NUMERIC] = np.where(present, x / mean, 1)
    made = pyfm.Dataset.from_arrays(
        np.arange(ids.n_rows + 1) * ids.n_fields,
        matrix.ravel(),
        fields=np.tile(np.arange(ids.n_fields), ids.n_rows),
        values=values.ravel(),
        y=ids.y,
        n_features=ids.n_features,
    )
    return made, mean


def measure(rows: Rows, augmentation: pyfm.Augmentation | None, n_seeds: int) -> Result:
    """Train with each seed until validation no longer improves."""
    logloss, best_epoch, predictions = [], [], []
    for seed in range(n_seeds):
        model = pyfm.FFMClassifier(
            **PARAMS,
            augmentation=augmentation,
            early_stopping=True,
            n_iter_no_change=2,
            random_state=seed,
        ).fit(rows.train, eval_set=rows.valid)
        logloss.append(min(model.history_["valid_logloss"]))
        best_epoch.append(model.best_epoch_)
        predictions.append(model.predict_proba(rows.valid)[:, 1])
    together = pyfm.metrics.logloss(rows.valid.y > 0, np.mean(predictions, axis=0))
    return Result(logloss, best_epoch, together)


def line(name: str, result: Result, plain: Result) -> str:
    """A line of the table."""
    mean, without = statistics.mean(result.logloss), statistics.mean(plain.logloss)
    return (
        f"| {name} | {mean:.5f} ({min(result.logloss):.5f} – {max(result.logloss):.5f}) "
        f"| {mean - without:+.5f} | {result.together:.5f} "
        f"| {min(result.best_epoch)} – {max(result.best_epoch)} |"
    )


def print_table(
    title: str, rows: Rows, augmentations: dict[str, pyfm.Augmentation], n_seeds: int
) -> dict[str, Result]:
    """Measure and print, one line after the other."""
    print(f"\n| {title} | validation log-loss: mean (min – max) | change | together | at epoch |")
    print("| --- | --- | --- | --- | --- |")
    plain = measure(rows, None, n_seeds)
    found = {"none": plain}
    print(line("none", plain, plain), flush=True)
    for name, augmentation in augmentations.items():
        found[name] = measure(rows, augmentation, n_seeds)
        print(line(name, found[name], plain), flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--out", type=Path, default=RESULTS / "augmentation.json")
    args = parser.parse_args(arguments)
    train = pyfm.datasets.read_criteo(args.train)
    valid = pyfm.datasets.read_criteo(args.valid, encoder=train.encoder)
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")

    rare = train.encoder.offsets[:-1]
    dropouts = (0.01, 0.05, 0.1, 0.2)
    categorical = {f"dropout {p}": pyfm.Augmentation(feature_dropout=p) for p in dropouts}
    categorical |= {
        f"dropout {p}, rare id": pyfm.Augmentation(feature_dropout=p, unknown=rare)
        for p in dropouts
    }
    categorical["bootstrap"] = pyfm.Augmentation(bootstrap=True)
    numeric = {
        f"noise {sigma}": pyfm.Augmentation(value_noise=sigma, numeric_fields=np.arange(N_NUMERIC))
        for sigma in (0.05, 0.1, 0.2, 0.5)
    }

    found = {"ids": print_table("ids", Rows(train, valid), categorical, args.seeds)}
    real_train, mean = real_valued(args.train, train, None)
    real_valid, _ = real_valued(args.valid, valid, mean)
    found["real values"] = print_table(
        "real values", Rows(real_train, real_valid), numeric, args.seeds
    )
    content = {
        "parameters": {key: str(value) for key, value in vars(args).items()} | PARAMS,
        "results": {
            title: {name: asdict(result) for name, result in results.items()}
            for title, results in found.items()
        },
    }
    write_json(args.out, content)


if __name__ == "__main__":
    main()
