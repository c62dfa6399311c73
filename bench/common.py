"""What the benchmarks share: medians, the machine, and result files."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyfm

RESULTS = Path(__file__).parent / "results"


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
    for name in ("numpy", "scipy", "scikit-learn", "pylibffm"):
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
