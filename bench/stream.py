"""Streams: what they cost beside memory, and a text file larger than memory.

    python bench/stream.py [--gigabytes 4] [--limit-gib 2] [--rows 500000] [--folder FOLDER]
        [--rounds 5] [--only {speed,size}]

The first part is stream_speed.py, on four times as many rows. Of the second:

Made rows of Criteo's shape (39 fields, one feature each) are written as libffm text again and again
until the file is so large; their cache takes 40 % of that besides. A process whose address space
the system limits (`ulimit -v`) then fits an FM, two epochs, in the shuffled windows of a stream.
Rows per second are those of its epochs, beside those of as many rows as were made, in memory, in a
process of their own, on the same threads. Both files are deleted in the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import RESULTS, write_json
from data import N_FEATURES, N_FIELDS, id_matrix
from process import run_measured
from stream_speed import measure

import pyfm

PROGRAM = """
import json, resource, sys, time
import pyfm
kind, path, limit, n_jobs = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
start = time.perf_counter()
if kind == "stream":
    X = pyfm.Dataset.stream(path)
    X.open().close()
else:
    X = pyfm.Dataset.from_libffm(path)
read = time.perf_counter() - start
model = pyfm.FMClassifier(epochs=2, random_state=0, n_jobs=int(n_jobs)).fit(X)
history = model.history_
print(json.dumps({"read_seconds": read, "rows_per_second": history["rows_per_second"],
                  "train_logloss": history["train_logloss"], "seconds": history["seconds"],
                  "fit_seconds": time.perf_counter() - start - read}))
"""


def write_text(path: Path, n_rows: int) -> None:
    data, _ = pyfm.datasets.make_ctr(
        n_rows, n_fields=N_FIELDS, n_features=N_FEATURES, random_state=0
    )
    assert data.y is not None
    names = [f" {f}:" for f in range(N_FIELDS)]
    with path.open("w") as file:
        for y, row in zip(data.y.tolist(), id_matrix(data).tolist(), strict=True):
            entries = "".join([f"{name}{j}:1" for name, j in zip(names, row, strict=True)])
            file.write(f"{int(y)}{entries}\n")


def repeat(small: Path, large: Path, n_bytes: float) -> int:
    """How often."""
    n = max(round(n_bytes / small.stat().st_size), 1)
    text = small.read_bytes()
    with large.open("wb") as file:
        for _ in range(n):
            file.write(text)
    return n


def run(kind: str, path: Path, limit: int, n_jobs: int) -> dict[str, Any]:
    done = run_measured([sys.executable, "-c", PROGRAM, kind, path, limit, n_jobs])
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found | {"peak_bytes": done.peak_bytes, "wall_seconds": done.seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--limit-gib", type=float, default=2)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("speed", "size"))
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        small = Path(folder) / "small.ffm"
        write_text(small, arguments.rows)
        if arguments.only != "size":
            results["speed"] = speed(small, arguments.rounds)
        if arguments.only != "speed":
            results["size"] = size(small, arguments)
    write_json(RESULTS / "stream.json", results)


def speed(small: Path, rounds: int) -> dict[str, Any]:
    text = small.with_name("speed.ffm")
    repeat(small, text, 4 * small.stat().st_size)
    found = measure(text, rounds)
    for name, values in found["seconds"].items():
        print(f"{name}: {values['median']:.3f} s, {values['min']:.3f} to {values['max']:.3f}")
    for name in ("both_to_slower", "both_to_sum", "mapped_to_memory", "streamed_to_memory"):
        print(f"{name.replace('_', ' ')}: {found[name]:.3f}")
    print(f"free processors: {found['free_processors']}", flush=True)
    text.unlink()
    return found


def size(small: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    limit = int(arguments.limit_gib * 2**30)
    large = small.with_name("large.ffm")
    n = repeat(small, large, arguments.gigabytes * 1e9)
    n_bytes = large.stat().st_size
    print(f"{n_bytes / 1e9:.2f} GB of text, {n * arguments.rows:,} rows", flush=True)
    streamed = run("stream", large, limit, arguments.n_jobs)
    held = run("held", small, 0, arguments.n_jobs)
    cache_bytes = sum(p.stat().st_size for p in small.parent.glob("*.pyfm-cache"))
    for name, found in (("stream", streamed), ("in memory", held)):
        speeds = ", ".join(f"{x:,.0f}" for x in found["rows_per_second"])
        print(
            f"{name}: read {found['read_seconds']:.0f} s, epochs at {speeds} rows/s, "
            f"peak {found['peak_bytes'] / 2**20:,.0f} MiB, log-loss {found['train_logloss']}"
        )
    return {
        "text_bytes": n_bytes,
        "cache_bytes": cache_bytes,
        "n_rows": n * arguments.rows,
        "repeated": n,
        "limit_bytes": limit,
        "n_jobs": arguments.n_jobs,
        "load": os.getloadavg(),
        "streamed": streamed,
        "held": held,
    }


if __name__ == "__main__":
    main()
