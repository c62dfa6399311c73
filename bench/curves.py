"""What the runs on real data share: our curves beside libffm's, epoch by epoch."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import libffm
from common import write_json, write_libffm

import pyfm


def parser(description: str, default_out: Path) -> argparse.ArgumentParser:
    """The arguments that all runs have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("train", type=Path)
    made.add_argument("valid", type=Path)
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--peer-python", type=Path, default=Path(sys.executable))
    made.add_argument("--libffm", type=Path, help="your own ffm-train instead of pylibffm")
    made.add_argument("--out", type=Path, default=default_out)
    return made


def libffm_curve(
    train: pyfm.Dataset, valid: pyfm.Dataset, settings: libffm.Settings, args: argparse.Namespace
) -> list[float]:
    """libffm's validation log-loss after each epoch."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / "train.txt", Path(name) / "valid.txt"]
        write_libffm(paths[0], train)
        write_libffm(paths[1], valid)
        run = libffm.train(*paths, settings, peer_python=args.peer_python, binary=args.libffm)
    return run.valid_logloss


def our_curves(
    models: dict[str, Any], train: pyfm.Dataset, valid: pyfm.Dataset
) -> tuple[dict[str, list[float]], dict[str, dict[str, float]]]:
    """Validation log-loss after each epoch, and what the model of the last epoch reaches."""
    curves, finals = {}, {}
    for name, model in models.items():
        curves[name] = model.fit(train, eval_set=valid).history_["valid_logloss"]
        p = model.predict_proba(valid)[:, 1]
        finals[name] = {
            "best_logloss": min(curves[name]),
            "last_logloss": pyfm.metrics.logloss(valid.y > 0, p),
            "last_auc": pyfm.metrics.auc(valid.y > 0, p),
            "rows_per_second": train.n_rows * len(curves[name]) / sum(model.history_["seconds"]),
        }
    return curves, finals


def report(
    curves: dict[str, list[float]],
    finals: dict[str, dict[str, float]],
    settings: libffm.Settings,
    args: argparse.Namespace,
) -> None:
    """Print the curves as columns, and write everything as JSON."""
    print("\nvalidation log-loss\nepoch" + "".join(f"{name:>14}" for name in curves))
    for epoch in range(max(map(len, curves.values()))):
        cells = (f"{c[epoch]:>14.5f}" if epoch < len(c) else " " * 14 for c in curves.values())
        print(f"{epoch + 1:>5}" + "".join(cells))
    for name, final in finals.items():
        print(f"{name}: " + ", ".join(f"{key} {value:,.5g}" for key, value in final.items()))
    parameters = {key: str(value) for key, value in vars(args).items()}
    content = {"parameters": parameters, "libffm": asdict(settings)}
    write_json(args.out, content | {"curves": curves, "pyfm": finals})
