"""What the benchmarks share: measured processes, medians, the machine, and result files."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyfm

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Process:
    """A finished process: what it printed, wall seconds, peak resident memory in bytes."""

    output: str
    seconds: float
    peak_bytes: int


def run_measured(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> Process:
    """Run a command to its end; raises RuntimeError with its output if it fails."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(env or {}),
        )
        # wait4, unlike getrusage(RUSAGE_CHILDREN), counts this child alone.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\nexit code {process.returncode}\n{text}")
    return Process(text, seconds, usage.ru_maxrss * 1024)  # ru_maxrss is in KiB on Linux


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and extremes of repeated measurements."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "n": len(values),
    }


def machine() -> dict[str, Any]:
    """Hardware and versions: without them a number means nothing."""
    cpu = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    packages = {}
    for name in ("numpy", "scipy", "scikit-learn"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "missing"
    return {
        "cpu": cpu,
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "pyfm": pyfm.__version__,
        "build": pyfm.build_info(),
        "packages": packages,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write the results with the machine and the time beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine()}
    path.write_text(json.dumps(document | dict(content), indent=1) + "\n")
    print(f"\nwritten to {path}")


def write_libffm(path: Path, data: pyfm.Dataset) -> None:
    """Write rows as libffm text, ``label field:feature:value …``."""
    core = data.core
    if data.layout != "one_per_field" or core.values is not None or core.y is None:
        raise ValueError("expected labelled rows with one feature per field and all values 1")
    with open(path, "w") as file:
        for start in range(0, data.n_rows, 10_000):
            stop = min(start + 10_000, data.n_rows)
            block = core.features.reshape(-1, data.n_fields)[start:stop].tolist()
            labels = core.y[start:stop].tolist()
            file.writelines(
                f"{int(label)} " + " ".join(f"{f}:{j}:1" for f, j in enumerate(row)) + "\n"
                for label, row in zip(labels, block, strict=True)
            )
