"""What a stream costs: its text while a model learns, and its data file beside memory.

Two questions, each answered by medians of interleaved rounds on one thread that trains:

- `partial_fit` of a text stream, whose next rows are parsed by one thread meanwhile, beside parsing
  alone and learning alone (the same pieces, in memory): on two processors it should take as long as
  the slower of these, not their sum.
- epochs of `fit` over a data file, mapped (`Dataset.open`) and as a stream (in shuffled windows),
  beside the same rows in memory.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import spread

import pyfm

PIECE = 1 << 16  # rows, as `partial_fit` of a stream takes them


def measure(text: Path, rounds: int) -> dict[str, Any]:
    """Seconds and ratios; the text is read into memory, too, and written beside as a data file."""
    file = text.with_suffix(".data")
    held = pyfm.Dataset.from_libffm(text)
    held.save(file)
    pieces = [held[at : at + PIECE] for at in range(0, len(held), PIECE)]

    def stream() -> pyfm.DataStream:
        return pyfm.Dataset.stream(text, n_threads=1)

    def learn(rows: Any) -> Callable[[], pyfm.FMClassifier]:
        def call() -> pyfm.FMClassifier:
            model = pyfm.FMClassifier(random_state=0, n_jobs=1)
            for one in rows():
                model.partial_fit(one)
            return model

        return call

    sources: dict[str, Callable[[], Any]] = {
        "memory": lambda: held,
        "mapped": lambda: pyfm.Dataset.open(file),
        "streamed": lambda: pyfm.Dataset.stream(file),
    }
    learn(lambda: pieces[:1])()  # which imports what is needed
    seconds: dict[str, list[float]] = {}
    processors = [free_processors()]
    for _ in range(rounds):
        models = {}
        for name, call in (
            ("parsing", lambda: [len(rows) for rows in stream()]),
            ("learning", learn(lambda: pieces)),
            ("both", learn(lambda: [stream()])),
        ):
            start = time.perf_counter()
            models[name] = call()
            seconds.setdefault(name, []).append(time.perf_counter() - start)
        same(models["learning"], models["both"])
        for name, source in sources.items():
            model = pyfm.FMClassifier(epochs=4, random_state=0, n_jobs=1).fit(source())
            seconds.setdefault(name, []).extend(model.history_["seconds"][1:])
            models[name] = model
        same(models["memory"], models["mapped"])
        ours, theirs = (models[n].history_["train_logloss"][-1] for n in ("streamed", "memory"))
        assert abs(ours - theirs) < 0.01, (ours, theirs)
    processors.append(free_processors())
    found = {name: spread(values) for name, values in seconds.items()}
    median = {name: values["median"] for name, values in found.items()}
    slower = max(median["parsing"], median["learning"])
    return {
        "n_rows": len(held),
        "seconds": found,
        "both_to_slower": median["both"] / slower,
        "both_to_sum": median["both"] / (median["parsing"] + median["learning"]),
        "mapped_to_memory": median["mapped"] / median["memory"],
        "streamed_to_memory": median["streamed"] / median["memory"],
        "free_processors": processors,
    }


def same(a: pyfm.FMClassifier, b: pyfm.FMClassifier) -> None:
    """The models are equal, or the seconds mean nothing."""
    assert (a.factors_ == b.factors_).all()
    assert (a.coef_ == b.coef_).all()


def free_processors() -> float:
    """How much of two processors this program gets: 2 where no other runs."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return sum(pool.map(spin, [0.5, 0.5], chunksize=1))


def spin(seconds: float) -> float:
    """The share of a processor that this process had."""
    start, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        pass
    return (time.process_time() - used) / (time.perf_counter() - start)
