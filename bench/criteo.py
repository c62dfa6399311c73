"""Validation curves on raw Criteo files (display advertising challenge), beside libffm's.

    python bench/criteo.py TRAIN VALID

Tab-separated lines: label, 13 integers, 26 categories; may end in .gz, .xz or .zst. The files are
yours: their owner does not allow redistribution.
"""

from __future__ import annotations

import curves
import libffm
from common import RESULTS

import pyfm

FFM = libffm.Settings(n_factors=4, learning_rate=0.2, l2=2e-5, epochs=8)


def main() -> None:
    args = curves.parser(str(__doc__), RESULTS / "criteo.json").parse_args()
    train = pyfm.datasets.read_criteo(args.train)
    valid = pyfm.datasets.read_criteo(args.valid, encoder=train.encoder)
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")
    common = {"n_jobs": args.threads, "random_state": args.seed}
    models = {
        "FFM k=4": pyfm.FFMClassifier(
            n_factors=4, learning_rate=0.2, l2=2e-5, epochs=FFM.epochs, **common
        ),
        "FM k=8": pyfm.FMClassifier(
            n_factors=8, learning_rate=0.05, l2=2e-5, epochs=FFM.epochs, normalize=True, **common
        ),
        "linear": pyfm.LinearClassifier(learning_rate=0.05, l2=0, epochs=FFM.epochs, **common),
    }
    found, finals = curves.our_curves(models, train, valid)
    found = {"libffm k=4": curves.libffm_curve(train, valid, FFM, args)} | found
    curves.report(found, finals, FFM, args)


if __name__ == "__main__":
    main()
