"""modern-fm as a peer, in a process of its own: the interpreter that has it runs this script.

python modern_fm_peer.py DATA.npz fm|ffm N_FACTORS LEARNING_RATE L2 EPOCHS THREADS
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One training run of modern-fm."""

    seconds: float  # of `fit`, which includes the initial values
    valid_logloss: float


def train(data: Path, kind: str, *settings: float, peer_python: Path) -> Run:
    """Train on the arrays of DATA.npz; `settings` as on the command line."""
    from common import run_measured

    words = [str(peer_python), __file__, str(data), kind, *map(str, settings)]
    return Run(**json.loads(run_measured(words).output.splitlines()[-1]))


def _main(path: str, kind: str, k: str, eta: str, l2: str, epochs: str, threads: str) -> None:
    import modern_fm
    import numpy as np
    from scipy.sparse import csr_matrix

    arrays = np.load(path)
    n_features, n_fields = int(arrays["n_features"]), arrays["train_ids"].shape[1]

    def rows(ids: np.ndarray) -> csr_matrix:
        # Of unit length, since modern-fm does not scale rows and both others do.
        values = np.full(ids.size, n_fields**-0.5)
        indptr = np.arange(len(ids) + 1) * n_fields
        return csr_matrix((values, ids.ravel(), indptr), shape=(len(ids), n_features))

    cls = {"fm": modern_fm.FMClassifier, "ffm": modern_fm.FFMClassifier}[kind]
    model = cls(
        n_factors=int(k), learning_rate=float(eta), l2_linear=float(l2), l2_factors=float(l2),
        max_iter=int(epochs), n_jobs=int(threads), random_state=0,
    )  # fmt: skip
    fields = {"field_ids": arrays["feature_fields"]} if kind == "ffm" else {}
    train_rows = rows(arrays["train_ids"])
    start = time.perf_counter()
    model.fit(train_rows, arrays["train_y"], **fields)
    seconds = time.perf_counter() - start
    p = model.predict_proba(rows(arrays["valid_ids"]))[:, 1].clip(1e-15, 1 - 1e-15)
    y = arrays["valid_y"]
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))
    print(json.dumps(asdict(Run(seconds, float(loss)))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
