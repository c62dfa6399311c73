"""How far two processors are from each other.

    python bench/cores.py

Two processes in turns change a byte that both see. A round trip takes the time of the interpreter
and of the cache line, there and back. On the same processors of a virtual machine it changes when
the machine below moves one of them to another shared cache, and several threads that train one
model feel it.
"""

from __future__ import annotations

import os
import statistics
import time
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory

TRIPS, ROUNDS = 20_000, 7
READY = 2048  # far from the byte that travels


def _answer(name: str, processor: int) -> None:
    os.sched_setaffinity(0, {processor})
    memory = SharedMemory(name)
    line = memory.buf
    assert line is not None
    line[READY] = 1
    for i in range(TRIPS * ROUNDS):
        expected = i % 2 + 1
        while line[0] != expected:
            pass
        line[0] = expected + 2
    del line
    memory.close()


def round_trip() -> float | None:
    """Nanoseconds, the median of a few rounds; None where there is one processor only."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return None
    memory = SharedMemory(create=True, size=4096)
    other = get_context("spawn").Process(target=_answer, args=(memory.name, processors[1]))
    os.sched_setaffinity(0, {processors[0]})
    try:
        other.start()
        line, found = memory.buf, []
        assert line is not None
        while not line[READY]:
            if not other.is_alive():
                raise RuntimeError("the other process ended before it began")
            time.sleep(0.01)
        for _ in range(ROUNDS):
            start = time.perf_counter_ns()
            for i in range(TRIPS):
                line[0] = asked = i % 2 + 1
                while line[0] != asked + 2:
                    pass
            found.append((time.perf_counter_ns() - start) / TRIPS)
        del line
        other.join()
    finally:
        os.sched_setaffinity(0, processors)
        memory.close()
        memory.unlink()
    return statistics.median(found[1:])


def main() -> None:
    found = round_trip()
    print("one processor only" if found is None else f"there and back: {found:.0f} ns")


if __name__ == "__main__":
    main()
