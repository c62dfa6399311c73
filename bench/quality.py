"""Log-loss on made rows, and on variants of them, beside libffm's: means over several starts.

    python bench/quality.py

The same model on the same rows ends elsewhere with other initial weights. A table of speeds cannot
run often enough to tell that from a difference between libraries; this does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import curves
import libffm
from data import Source

import pyfm

CASES = {
    "k=4": (4, "plain"),
    "k=8": (8, "plain"),
    "k=16": (16, "plain"),
    "k=4, missing fields": (4, "missing"),
    "k=4, multi-valued fields": (4, "multi"),
    "k=4, real values": (4, "real"),
}


def main() -> None:
    parser = libffm.with_arguments(curves.parser(str(__doc__), seeds=8))
    parser.add_argument("--rows", type=int, default=200_000, help="training rows")
    parser.add_argument("--valid-rows", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=0.2)
    args = parser.parse_args()
    contenders = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Source(args.rows, args.valid_rows, 0, Path(folder))
        for name, (k, variant) in CASES.items():
            train, valid = source[variant].train, source[variant].valid
            settings = libffm.Settings(k, args.learning_rate, 2e-5, epochs=args.epochs)
            contenders[f"libffm {name}"] = curves.peer(settings, train, valid, args)
            contenders[f"FFM {name}"] = curves.ours(
                pyfm.FFMClassifier, train, valid, args,
                n_factors=k, learning_rate=args.learning_rate, l2=2e-5, epochs=args.epochs,
            )  # fmt: skip
    found = curves.measure(contenders, args)
    for name in CASES:
        if f"FFM {name}" in found:
            print(f"\n{name}")
            curves.print_difference(found[f"FFM {name}"], found[f"libffm {name}"])
    curves.write(found, args, "quality.json")


if __name__ == "__main__":
    main()
