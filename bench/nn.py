"""Layers beside PyTorch's, forward and backward, and products beside BLAS's own.

    python bench/nn.py [--threads N] [--repetitions N] [--markdown FILE]

Both sides take turns, in pairs, and the median of the pairs' ratios counts. One thread is timed by
its processor's clock, which stands still while other programs have the processor; several by the
clock on the wall. Where outputs or gradients by the input differ by more than rounding, no ratio is
printed. Both write to memory of their own; gradients of parameters are computed, too. BLAS is kept
to one thread once, around everything: a call by itself does so anew, in some tens of microseconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from common import RESULTS, write_json
from scipy.linalg import blas as scipy_blas

from pyfm import nn
from pyfm.blas import one_thread

F = torch.nn.functional
WIDTH = 400
ROUNDING = 1e-4  # of the largest number
Task = Callable[[], list[np.ndarray]]


class Pair(NamedTuple):
    name: str
    ours: Task
    peer: Task
    target: float | None


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ours(layer: nn.Layer, batch: int, n_threads: int) -> Task:
    x, dout = normal(batch, layer.n_in), normal(batch, layer.n_out, seed=1)
    out, dx = np.empty_like(dout), np.empty_like(x)

    def run() -> list[np.ndarray]:
        layer.forward(x, n_threads=n_threads, out=out, seed=0)
        layer.backward(dout, dx=dx)
        return [out, dx]

    return run


def theirs(f: Callable[..., Any], layer: nn.Layer, batch: int) -> Task:
    """f(x, parameters …), with the layer's parameters."""
    x = torch.tensor(normal(batch, layer.n_in), requires_grad=True)
    dout = torch.tensor(normal(batch, layer.n_out, seed=1))
    weights = [torch.tensor(p, requires_grad=True) for p in layer.parameters.values()]

    def run() -> list[np.ndarray]:
        for t in (x, *weights):
            t.grad = None
        out = f(x, *weights)
        out.backward(dout)
        return [out.detach().numpy(), x.grad.numpy()]

    return run


def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
    return F.batch_norm(x, None, None, gamma, beta, training=True)


def tower(x: Any, w0: Any, g0: Any, b0: Any, w1: Any, g1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    y = F.relu(batch_norm(x @ w0, g0, b0))
    return torch.addmm(b2, F.relu(batch_norm(y @ w1, g1, b1)), w2)


def against_torch(n_threads: int) -> list[Pair]:
    pairs = []

    def add(name: str, layer: nn.Layer, f: Callable[..., Any], batch: int, target: Any) -> None:
        name = f"{name}, {batch}×{layer.n_in}"
        pairs.append(Pair(name, ours(layer, batch, n_threads), theirs(f, layer, batch), target))

    for batch in (1024, 4096):
        add("BatchNorm", nn.BatchNorm(WIDTH), batch_norm, batch, 2.0)
        fused = nn.BatchNorm(WIDTH, relu=True)
        add("BatchNorm and ReLU", fused, lambda *a: F.relu(batch_norm(*a)), batch, 2.0)
        norm = nn.LayerNorm(WIDTH)
        add("LayerNorm", norm, lambda x, *a: F.layer_norm(x, (WIDTH,), *a), batch, None)
        dense = nn.Dense(WIDTH, WIDTH, random_state=0)
        add(f"Dense to {WIDTH}", dense, lambda x, w, b: torch.addmm(b, x, w), batch, None)
        net = nn.tower(624, (WIDTH, WIDTH), batch_norm=True, random_state=0)
        add(f"Tower 624 → {WIDTH} → {WIDTH} → 1 with BatchNorm and ReLU", net, tower, batch, None)
        relu = nn.Dense(WIDTH, WIDTH, activation="relu", random_state=0)
        add("Dense and ReLU", relu, lambda x, w, b: F.relu(torch.addmm(b, x, w)), batch, None)
    for name, f in (
        ("relu", F.relu), ("leaky_relu", F.leaky_relu), ("elu", F.elu),
        ("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("gelu", F.gelu),
    ):  # fmt: skip
        add(name, nn.Activation(WIDTH, name), f, 1024, None)
    return pairs


def dropout(n_threads: int) -> Pair:
    """Other numbers are dropped there: nothing to compare but the time."""
    layer = nn.Dropout(WIDTH, 0.5)
    mine, peer = ours(layer, 1024, n_threads), theirs(lambda x: F.dropout(x, 0.5), layer, 1024)
    return Pair(f"dropout, 1024×{WIDTH}", lambda: mine()[:0], lambda: peer()[:0], None)


def against_blas(batch: int) -> Pair:
    """One thread: our forward and backward passes, and the three products in one call each."""
    layer = nn.Dense(WIDTH, WIDTH, bias=False, random_state=0)
    w = layer.parameters["weight"]
    x, dout = normal(batch, WIDTH), normal(batch, WIDTH, seed=1)

    out, dx, dw = np.empty_like(dout), np.empty_like(x), np.empty_like(w)

    def plain() -> list[np.ndarray]:
        # BLAS takes our rows for columns: each product is that of the transposes.
        scipy_blas.sgemm(1.0, w.T, x.T, c=out.T, overwrite_c=True)
        scipy_blas.sgemm(1.0, w.T, dout.T, trans_a=True, c=dx.T, overwrite_c=True)
        scipy_blas.sgemm(1.0, dout.T, x.T, trans_b=True, c=dw.T, overwrite_c=True)
        return [out, dx]

    name = f"Dense without bias / plain BLAS, {batch}×{WIDTH}×{WIDTH}"
    return Pair(name, ours(layer, batch, 1), plain, 0.9)


def measure(pair: Pair, repetitions: int, clock: Callable[[], float]) -> dict[str, Any]:
    sides = {"ours": pair.ours, "peer": pair.peer}
    equal = all(
        np.abs(a - b).max() <= ROUNDING * np.abs(b).max()
        for a, b in zip(pair.ours(), pair.peer(), strict=True)
    )
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for i in range(repetitions):
        for side in sorted(sides, reverse=bool(i % 2)):
            start = clock()
            sides[side]()
            seconds[side].append(clock() - start)
    ratios = sorted(b / a for a, b in zip(seconds["ours"], seconds["peer"], strict=True))
    return {
        "name": pair.name, "target": pair.target, "equal": equal, "seconds": seconds,
        "ratio": statistics.median(ratios),
        "quartiles": [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]],
    }  # fmt: skip


def line(found: dict[str, Any]) -> str:
    ours_ms, peer_ms = (1e3 * statistics.median(found["seconds"][s]) for s in ("ours", "peer"))
    low, high = found["quartiles"]
    target = found["target"]
    ratio = f"**{found['ratio']:.2f}** ({low:.2f} – {high:.2f})" if found["equal"] else "none"
    met = "" if target is None else "yes" if found["ratio"] >= target else "no"
    wanted = "" if target is None else f"≥ {target:g}"
    return f"| {found['name']} | {ours_ms:.2f} | {peer_ms:.2f} | {ratio} | {wanted} | {met} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=51)
    parser.add_argument("--only", nargs="*", default=[""], help="parts of names")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pairs = [*against_torch(options.threads), dropout(options.threads)]
    pairs += [against_blas(batch) for batch in (1024, 4096)]
    head = "| layer | ours, ms | peer, ms | ratio (quartiles) | target | met? |"
    lines, results = [head, "| --- | --- | --- | --- | --- | --- |"], []
    print("\n".join(lines))
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    with one_thread():
        for pair in pairs:
            if any(part in pair.name for part in options.only):
                results.append(measure(pair, options.repetitions, clock))
                lines.append(line(results[-1]))
                print(lines[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    settings = {"threads": options.threads, "torch": torch.__version__}
    write_json(RESULTS / "nn.json", settings | {"results": results})


if __name__ == "__main__":
    main()
