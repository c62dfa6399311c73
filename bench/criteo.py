"""Validation log-loss on raw Criteo files (display advertising challenge), beside libffm's.

    python bench/criteo.py TRAIN VALID

Tab-separated lines: label, 13 integers, 26 categories; may end in .gz, .xz or .zst. The files are
yours: their owner does not allow redistribution. The parameters below suit about 100,000 rows.
"""

from __future__ import annotations

from functools import partial

import curves
import deep_search
import libffm

import pyfm

LIBFFM = {
    "libffm k=4, η=0.2, λ=2e-5": libffm.Settings(4, 0.2, 2e-5, epochs=8),
    "libffm k=4, η=0.1, λ=2e-5": libffm.Settings(4, 0.1, 2e-5, epochs=22),
    "libffm k=4, η=0.1, λ=8e-5": libffm.Settings(4, 0.1, 8e-5, epochs=22),
}


def main() -> None:
    args = libffm.with_arguments(curves.file_parser(str(__doc__), seeds=5)).parse_args()
    train, valid = curves.read_criteo(args.train, args.valid)
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")
    ffm = partial(curves.ours, pyfm.FFMClassifier, train, valid, args)
    fm = partial(curves.ours, pyfm.FMClassifier, train, valid, args)
    linear = partial(curves.ours, pyfm.LinearClassifier, train, valid, args)
    best = deep_search.CRITEO[-1]
    contenders = {name: curves.peer(s, train, valid, args) for name, s in LIBFFM.items()} | {
        "FFM k=4, η=0.2, λ=2e-5": ffm(n_factors=4, learning_rate=0.2, l2=2e-5, epochs=8),
        "FFM k=4, η=0.1, λ=8e-5, linear=True": ffm(
            n_factors=4, learning_rate=0.1, l2=8e-5, linear=True, epochs=22
        ),
        "FFM k=4, η=0.1, λ=8e-5, linear=True, float16": ffm(
            n_factors=4, learning_rate=0.1, l2=8e-5, linear=True, epochs=22, dtype="float16"
        ),
        "FM k=128, η=0.03, λ=4e-4, init_scale=1.5": fm(
            n_factors=128, learning_rate=0.03, l2=4e-4, init_scale=1.5, epochs=16
        ),
        "linear, η=0.05, λ=0": linear(learning_rate=0.05, l2=0.0, epochs=6),
        "FM k=64, in batches": curves.ours(
            pyfm.FMClassifier, train, valid, args, **best.without_network()
        ),
        "DeepFM k=64": curves.ours(pyfm.DeepFMClassifier, train, valid, args, **best.params()),
        "Wide & Deep k=64": curves.ours(
            pyfm.WideDeepClassifier, train, valid, args, **best.params()
        ),
    }
    found = curves.measure(contenders, args)
    curves.print_best(found)
    ours, theirs = "FFM k=4, η=0.2, λ=2e-5", "libffm k=4, η=0.2, λ=2e-5"
    if ours in found and theirs in found:
        curves.print_difference(found[ours], found[theirs])
    curves.write(found, args, "criteo.json", LIBFFM)


if __name__ == "__main__":
    main()
