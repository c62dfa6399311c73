"""Parts of quality_then_speed: reading text, and whole runs from text to a model on disk."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import libffm
from common import run_measured, spread

import pyfm


def compare(paths: list[Path], args: argparse.Namespace) -> dict[str, Any]:
    """Our reader on one thread against libffm's conversion to its binary form, which has one."""
    settings = libffm.Settings(epochs=1, n_factors=1)
    ours, peer = [], []
    for _ in range(args.repetitions):
        run = libffm.train(*paths[:2], settings, peer_python=args.peer_python, binary=args.libffm)
        peer.append(run.conversion_seconds[0])
        start = time.perf_counter()
        pyfm.Dataset.from_libffm(paths[0], n_threads=1)
        ours.append(time.perf_counter() - start)
    megabytes = paths[0].stat().st_size / 1e6
    result = {"megabytes": megabytes, "pyfm": spread(ours), "libffm": spread(peer)}
    print(f"\nreading {megabytes:.0f} MB of text, 1 thread")
    for name, seconds in (("pyfm", ours), ("libffm", peer)):
        median = spread(seconds)["median"]
        print(f"  {name:<8}{median:>8.3f} s {megabytes / median:>8.0f} MB/s")
    return result | {"ratio": result["libffm"]["median"] / result["pyfm"]["median"]}


def whole_runs(
    paths: list[Path], args: argparse.Namespace, settings: libffm.Settings
) -> list[dict[str, Any]]:
    """Wall time and peak memory of whole processes: text in, `args.epochs` epochs, model out."""
    results = []
    data = pyfm.Dataset.from_libffm(paths[0])
    table = data.n_features * data.n_fields * settings.n_factors * 2 * 4  # weights and slots
    promise = 1.2 * (table + data.nbytes + pyfm.Dataset.from_libffm(paths[1]).nbytes) + 100e6
    for n_threads in args.threads:
        s = replace(settings, epochs=args.epochs, n_threads=n_threads)
        peer = libffm.train(*paths[:2], s, peer_python=args.peer_python, binary=args.libffm)
        words = ["-k", s.n_factors, "-r", s.learning_rate, "-l", s.l2, "-t", s.epochs]
        words += ["-s", n_threads, "-p", paths[1], paths[0], paths[0].parent / "model.pyfm"]
        main = "from pyfm.cli import main; main()"
        our = run_measured([sys.executable, "-c", main, "train", *map(str, words)])
        print(f"\nwhole run, {n_threads} thread(s)")
        for name, seconds, peak in (
            ("pyfm", our.seconds, our.peak_bytes),
            ("libffm", peer.wall_seconds, peer.peak_bytes),
        ):
            print(f"  {name:<8}{seconds:>8.1f} s   peak {peak / 1e6:>7,.0f} MB")
        print(f"  promised: at most {promise / 1e6:,.0f} MB")
        results.append(
            {
                "n_threads": n_threads,
                "pyfm": {"seconds": our.seconds, "peak_bytes": our.peak_bytes},
                "libffm": {"seconds": peer.wall_seconds, "peak_bytes": peer.peak_bytes},
                "promised_peak_bytes": promise,
            }
        )
    return results
