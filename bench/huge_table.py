"""FM of 2**26 features in a process of its own: seconds until training starts, peak memory.

A run of bench/speed.py; as a script it prints the sample as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import id_matrix
from process import run_measured
from runs import Context, Run, Sample

import pyfm

N_FEATURES, N_FACTORS, N_ROWS = 2**26, 8, 20_000


@dataclass(frozen=True)
class HugeTable(Run):
    def measure(self, context: Context, repetition: int) -> Sample:
        return dict(json.loads(run_measured([sys.executable, Path(__file__)]).output))


def main() -> None:
    made, _ = pyfm.datasets.make_ctr(N_ROWS, random_state=0)
    hashed = id_matrix(made) * np.uint32(0x9E3779B1) >> np.uint32(32 - 26)  # Fibonacci hashing
    rows = pyfm.Dataset.from_ids(hashed, made.y, n_features=N_FEATURES)
    model = pyfm.FMClassifier(n_factors=N_FACTORS, epochs=1, random_state=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model.fit(rows)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sample = {
        "s": seconds - sum(model.history_["seconds"]),
        "peak MB": (peak - before) * 1024 / 1e6,  # of fit alone; ru_maxrss is in KiB on Linux
        "table MB": model._model.nbytes / 1e6,
        "features met": len(np.unique(hashed)),
    }
    print(json.dumps(sample))


if __name__ == "__main__":
    main()
