"""A model that answers requests: load once, predict one row at a time, from many threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

import pyfm

rng = np.random.default_rng(0)
X = rng.integers(0, 200, (20_000, 10)) + 200 * np.arange(10)  # ids, one column per field
y = (X[:, 0] + X[:, 1]) % 3 == 0
pyfm.FFMClassifier(epochs=3, random_state=0).fit(X, y).save("serve.pyfm")

model = pyfm.load("serve.pyfm")  # a file for serving holds no optimizer state
requests = X[:1_000]


def answer(ids: NDArray[np.int64]) -> float:
    """The probability of a click. Fitted models are safe to share between threads."""
    return float(model.predict_proba(ids[None])[0, 1])


start = time.perf_counter()
one_by_one = [answer(ids) for ids in requests]
seconds = time.perf_counter() - start
print(f"one at a time: {1e6 * seconds / len(requests):.0f} µs a request")

with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(answer, requests)) == one_by_one

start = time.perf_counter()
together = model.predict_proba(requests)[:, 1]
seconds = time.perf_counter() - start
print(f"all at once: {1e6 * seconds / len(requests):.2f} µs a request")
np.testing.assert_allclose(together, one_by_one, rtol=1e-6)
