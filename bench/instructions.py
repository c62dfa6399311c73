"""Instructions per row, which no noise of the machine changes.

    python bench/instructions.py [--compare]

Counted by valgrind's callgrind, which must be installed, at the level SSE2: callgrind does not run
AVX-512. A count is the difference of two processes that pass over the rows a different number of
times, so that what happens once cancels. It depends on the compiler, which the file names.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from counted import WORKS
from data import N_FIELDS, write_libffm

import pyfm

RECORDED = Path(__file__).parent / "instructions.json"
N_ROWS, N_FEATURES = 2000, 20_000
PASSES = (1, 3)
ENVIRONMENT = {"PYFM_SIMD": "sse2", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
COLLECTED = re.compile(r"Collected : (\d+)")


def instructions(work: str, passes: int, text: Path) -> int:
    """Of a whole process."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    script = [sys.executable, Path(__file__).with_name("counted.py"), work, str(passes), text]
    done = subprocess.run(
        [*valgrind, *script], env=os.environ | ENVIRONMENT, capture_output=True, text=True
    )
    found = COLLECTED.search(done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"{work}: callgrind failed\n{done.stderr}")
    return int(found[1])


def count(works: list[str]) -> dict[str, int]:
    """Instructions per row and pass."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        text = Path(folder) / "rows.txt"
        made, _ = pyfm.datasets.make_ctr(N_ROWS, n_features=N_FEATURES, random_state=0)
        write_libffm(text, made)
        run: Callable[[str, int], int] = partial(instructions, text=text)
        few, many = (pool.map(run, works, [passes] * len(works)) for passes in PASSES)
        extra_rows = (PASSES[1] - PASSES[0]) * N_ROWS
        return {
            work: round((more - less) / extra_rows)
            for work, less, more in zip(works, few, many, strict=True)
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--compare", action="store_true", help="print the changes; leave the file as it is"
    )
    parser.add_argument("--only", default="", help="work whose name holds this text")
    args = parser.parse_args()
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    counts = count([work for work in WORKS if args.only in work])
    old = recorded.get("instructions per row", {}) if args.compare else {}
    print("| instructions per row, SSE2 | recorded | now | change |\n| --- | --- | --- | --- |")
    for work, n in counts.items():
        before, change = "", ""
        if work in old:
            before, change = f"{old[work]:,}", f"{n / old[work] - 1:+.2%}"
        print(f"| {work} | {before} | {n:,} | {change} |")
    compiler = {key: pyfm.build_info()[key] for key in ("compiler", "flags")}
    if args.compare:
        if recorded and recorded["build"] != compiler:
            print(f"\nrecorded with {recorded['build']}, now {compiler}")
        return
    if args.only:
        counts = recorded.get("instructions per row", {}) | counts
    content = {
        "build": compiler,
        "rows": N_ROWS,
        "fields": N_FIELDS,
        "features": N_FEATURES,
        "instructions per row": counts,
    }
    RECORDED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
