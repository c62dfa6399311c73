"""Validation curves on Frappe (app usage; Baltrunas et al. 2015), beside libffm's.

    python bench/frappe.py TRAIN VALID

libFM text, ``label id:1 …`` with labels -1 and 1; the position in the row is the field. May end in
.gz, .xz or .zst. For research use only, so the files are yours to bring.
"""

from __future__ import annotations

import curves
import libffm
from common import RESULTS

import pyfm

FFM = libffm.Settings(n_factors=10, learning_rate=0.2, l2=2e-5, epochs=15)


def main() -> None:
    args = curves.parser(str(__doc__), RESULTS / "frappe.json").parse_args()
    train = pyfm.Dataset.from_libsvm(args.train, fields="position")
    valid = pyfm.Dataset.from_libsvm(args.valid, fields="position")
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")
    common = {"n_jobs": args.threads, "random_state": args.seed, "epochs": FFM.epochs}
    models = {
        "FFM k=10": pyfm.FFMClassifier(n_factors=10, learning_rate=0.2, l2=2e-5, **common),
        "FM k=10": pyfm.FMClassifier(n_factors=10, learning_rate=0.1, l2=2e-5, **common),
        "linear": pyfm.LinearClassifier(learning_rate=0.1, l2=0, **common),
    }
    found, finals = curves.our_curves(models, train, valid)
    found = {"libffm k=10": curves.libffm_curve(train, valid, FFM, args)} | found
    curves.report(found, finals, FFM, args)


if __name__ == "__main__":
    main()
