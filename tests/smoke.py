"""An installed wheel works: `python smoke.py`, where nothing but it and its needs is installed.

Everything that is loaded lazily is loaded; models are trained, saved and loaded; the threads of
scikit-learn's OpenMP and of this library's run alternately, at once, and one during the other.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

import pyfm


def check_where() -> None:
    """What is tested is the wheel, and no source tree."""
    assert "site-packages" in pyfm.__file__, pyfm.__file__
    assert (Path(pyfm.__file__).parent / "py.typed").exists()
    for name in pyfm.__all__:
        getattr(pyfm, name)


def check_models(folder: Path) -> None:
    rows, _ = pyfm.datasets.make_ctr(4_000, n_fields=6, n_features=300, random_state=0)
    for kind in ("Linear", "FM", "FFM", "DeepFM", "WideDeep"):
        model = getattr(pyfm, f"{kind}Classifier")(epochs=2, n_jobs=2, random_state=0)
        model.fit(rows[:3_000], eval_set=rows[3_000:])
        model.save(folder / kind)
        again = pyfm.load(folder / kind).predict_proba(rows[3_000:])
        np.testing.assert_array_equal(again, model.predict_proba(rows[3_000:]))


def check_two_openmp_runtimes() -> None:
    """Ours and scikit-learn's: each wheel brings its own libgomp."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 40, (8_000, 4)) + 40 * np.arange(4)
    y = (ids.sum(axis=1) % 3 == 0).astype(int)
    params: dict[str, Any] = {"batch_size": 512, "epochs": 3, "n_jobs": 4, "random_state": 0}
    expected = pyfm.FMClassifier(**params | {"n_jobs": 1}).fit(ids, y).factors_

    def ours(_: int) -> Any:
        return pyfm.FMClassifier(**params).fit(ids, y).factors_

    def theirs(_: int) -> Any:
        trees = HistGradientBoostingClassifier(max_iter=10, random_state=0)
        return trees.fit(ids.astype(float), y).predict_proba(ids.astype(float))

    first = theirs(0)
    for i in range(3):
        np.testing.assert_array_equal(ours(i), expected)
        np.testing.assert_array_equal(theirs(i), first)
    with ThreadPoolExecutor(4) as pool:
        mine, other = pool.map(ours, range(6)), pool.map(theirs, range(6))
        assert all((found == expected).all() for found in mine)
        assert all((found == first).all() for found in other)

    def nested(env: pyfm.callbacks.CallbackEnv) -> None:
        theirs(0)

    callbacks = [nested]
    inside = pyfm.FMClassifier(**params).fit(ids, y, callbacks=callbacks).factors_
    np.testing.assert_array_equal(inside, expected)
    report = pyfm.doctor()
    assert "openmp" not in {trap.name for trap in report.traps}, report
    print("OpenMP:", *(found.path for found in report.facts.libraries if found.api == "openmp"))


def check_shell(folder: Path) -> None:
    for arguments in (["--version"], ["info", str(folder / "FFM")], ["doctor", "--json"]):
        subprocess.run([sys.executable, "-m", "pyfm", *arguments], check=True, capture_output=True)
    command = Path(sys.executable).with_name("pyfm")
    subprocess.run([command, "demo", "--rows", "1000"], check=True, capture_output=True)


def main() -> None:
    check_where()
    with TemporaryDirectory() as folder:
        check_models(Path(folder))
        check_shell(Path(folder))
    check_two_openmp_runtimes()
    print(f"pyfm {pyfm.__version__} works, SIMD level {pyfm.simd()}")


if __name__ == "__main__":
    main()
