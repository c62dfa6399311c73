"""Processes run to their end, with wall time and peak memory.

As a script it is the little process between: Linux counts the memory of the process that starts
another as the other's own peak, and the benchmarks are large by then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A finished process: what it printed, wall seconds, peak resident memory in bytes."""

    output: str
    seconds: float
    peak_bytes: int


def run_measured(
    command: Sequence[object], env: Mapping[str, str] | None = None, folder: Path | None = None
) -> Process:
    """Run a command to its end, in `folder`; raises RuntimeError with its output if it fails."""
    words = [str(word) for word in command]
    with tempfile.NamedTemporaryFile("r") as result:
        done = subprocess.run(
            [sys.executable, "-S", Path(__file__).resolve(), result.name, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(env or {}),
            cwd=folder,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}\nexit code {done.returncode}\n{done.stdout}")
        return Process(done.stdout, **json.load(result))


def _main(result: str, *command: str) -> int:
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    peak_bytes = usage.ru_maxrss * 1024  # ru_maxrss is in KiB on Linux
    Path(result).write_text(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes}))
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
