"""Validation log-loss and AUC on Frappe (app usage; Baltrunas et al. 2015), beside libffm's.

    python bench/frappe.py TRAIN VALID

libFM text, ``label id:1 …`` with labels -1 and 1; the position in the row is the field. May end in
.gz, .xz or .zst. For research use only, so the files are yours to bring.
"""

from __future__ import annotations

from functools import partial

import curves
import deep_search
import libffm

import pyfm

LIBFFM = {
    "libffm k=10, η=0.2, λ=2e-5": libffm.Settings(10, 0.2, 2e-5, epochs=15),
    "libffm k=10, η=0.3, λ=2e-4": libffm.Settings(10, 0.3, 2e-4, epochs=60),
}


def main() -> None:
    args = libffm.with_arguments(curves.file_parser(str(__doc__), seeds=5)).parse_args()
    train, valid = curves.read_frappe(args.train, args.valid)
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")
    ffm = partial(curves.ours, pyfm.FFMClassifier, train, valid, args, patience=3)
    fm = partial(curves.ours, pyfm.FMClassifier, train, valid, args, patience=3)
    linear = partial(curves.ours, pyfm.LinearClassifier, train, valid, args, patience=3)
    deep = deep_search.FRAPPE[-1].params()
    contenders = {name: curves.peer(s, train, valid, args) for name, s in LIBFFM.items()} | {
        "FFM k=10, η=0.2, λ=2e-5": ffm(n_factors=10, learning_rate=0.2, l2=2e-5, epochs=15),
        "FFM k=10, η=0.3, λ=2e-4": ffm(n_factors=10, learning_rate=0.3, l2=2e-4, epochs=60),
        "FFM k=10, η=0.3, λ=2e-4, linear=True": ffm(
            n_factors=10, learning_rate=0.3, l2=2e-4, linear=True, epochs=60
        ),
        "FFM k=10, η=0.3, λ=2e-4, float16": ffm(
            n_factors=10, learning_rate=0.3, l2=2e-4, epochs=60, dtype="float16"
        ),
        "FM k=10, η=0.2, λ=3e-4, normalize=False": fm(
            n_factors=10, learning_rate=0.2, l2=3e-4, normalize=False, epochs=60
        ),
        "linear, η=0.2, λ=0": linear(learning_rate=0.2, l2=0.0, epochs=60),
        "DeepFM k=20": curves.ours(pyfm.DeepFMClassifier, train, valid, args, **deep),
        "Wide & Deep k=20": curves.ours(pyfm.WideDeepClassifier, train, valid, args, **deep),
    }
    found = curves.measure(contenders, args)
    curves.print_best(found)
    curves.write(found, args, "frappe.json", LIBFFM)


if __name__ == "__main__":
    main()
