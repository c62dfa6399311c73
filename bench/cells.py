"""The table: what is compared with what, and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from huge_table import HugeTable
from runs import Fit, LibFFM, LibFFMWhole, OpenBinary, Predict, Read, Run, Train, Whole

import pyfm

WORSE = 0.0005  # of log-loss: worse than the same model of the peer by more, and there is no ratio
WORSE_NARROW = 0.0003  # the same, for 16-bit storage beside 32-bit

OPTIMIZERS = ("sgd", "adagrad", "ftrl")


@dataclass(frozen=True)
class Cell:
    """One line of the table.

    Of several runs of ours the slowest counts, of several peers the fastest. The ratio is ours /
    peer's in `unit`; of seconds peer's / ours. Without a peer, ours itself is held to the target.
    """

    group: str
    name: str
    ours: tuple[Run, ...]
    peer: tuple[Run, ...]
    target: float | None  # None: shown only
    unit: str = "rows/s"
    at_most: bool = False  # the target is an upper limit
    tolerance: float | None = WORSE  # of log-loss; None: the peer is another model, or none learns


def _ffm() -> list[Cell]:
    def cell(name: str, ours: Train, peer: LibFFM, target: float) -> Cell:
        return Cell("FFM / libffm", name, (ours,), (peer,), target)

    cells = [
        cell(f"FFM k={k}, 1 thread", Train("FFM", k), LibFFM(k), target)
        for k, target in ((4, 4.5), (8, 4.0), (16, 4.0))
    ]
    best = pyfm.simd_levels()[-1]
    for level, target in (("avx2", 3.0), ("sse2", 1.3), ("portable", 1.3)):
        ours = Train("FFM", 4, level=None if level == best else level)
        cells.append(cell(f"FFM k=4, level {level}", ours, LibFFM(4), target))
    names = {"missing": "missing fields", "multi": "multi-valued fields", "real": "real values"}
    for data, name in names.items():
        ours, peer = Train("FFM", 4, data=data), LibFFM(4, data)
        cells.append(cell(f"FFM k=4, {name}", ours, peer, 3.0))
    return cells


def _threads(n: int) -> list[Cell]:
    peer = LibFFM(4, threads=n)
    versus = f"FFM k=4, {n} threads"
    cells = [Cell("FFM / libffm", versus, (Train("FFM", 4, threads=n),), (peer,), 4.0)]
    for model, k in (("FFM", 4), ("FM", 16), ("linear", 0)):
        name = f"{_name(model, k)}, {n} threads / 1 thread"
        many, one = Train(model, k, threads=n), Train(model, k)
        cells.append(Cell(f"{n} threads / 1 thread", name, (many,), (one,), 0.9 * n))
    return cells


def _batches(n: int) -> list[Cell]:
    """Other models than example by example; see docs/training.md for what they are good for."""
    cells, group = [], "batches of 1024 rows"
    for model, k in (("FFM", 4), ("FM", 16), ("linear", 0)):
        name, one = _name(model, k), Train(model, k, batch_size=1024)
        many = Train(model, k, threads=n, batch_size=1024)
        target = 0.5 if k else None
        cells += [
            Cell(group, f"{name} / row by row", (one,), (Train(model, k),), target, tolerance=None),
            Cell(group, f"{name}, {n} threads / 1 thread", (many,), (one,), 0.8 * n if k else None),
        ]
    return cells


def _fits(n: int) -> list[Cell]:
    cells, group = [], "whole fits / their passes over the rows"
    for model, k in (("FFM", 4), ("FM", 16), ("linear", 0)):
        for threads in sorted({1, n}):
            name = f"fit of {_name(model, k)}, {threads} thread" + ("s" if threads > 1 else "")
            ours, peer = Fit(model, k, threads), Train(model, k, threads=threads)
            cells.append(Cell(group, name, (ours,), (peer,), None, tolerance=None))
    return cells


def _other_models() -> list[Cell]:
    def cell(name: str, ours: Run, target: float) -> Cell:
        group = "other work / training of libffm's FFM k=4"
        return Cell(group, name, (ours,), (LibFFM(4),), target, tolerance=None)

    return [
        *(cell(f"FM k={k}", Train("FM", k), 25 * 16 / k) for k in (8, 16, 32)),
        cell("linear, AdaGrad", Train("linear"), 30),
        cell("linear, FTRL", Train("linear", optimizer="ftrl"), 30),
        cell("prediction, FFM k=4", Predict("FFM", 4), 10),
        cell("prediction, FM k=16", Predict("FM", 16), 45),
    ]


def _optimizers() -> list[Cell]:
    cells = []
    for model, k in (("FFM", 4), ("FM", 16), ("linear", 0)):
        runs = tuple(Train(model, k, optimizer) for optimizer in OPTIMIZERS)
        group, name = "slowest / fastest optimizer", f"{_name(model, k)}, slowest optimizer"
        cells.append(Cell(group, name, runs, runs, 0.6, tolerance=None))
    return cells


def _reading(n: int) -> list[Cell]:
    one, many, group = (Read(1),), (Read(n),), "reading"

    def cell(name: str, ours: tuple[Run], peer: tuple[Run, ...], target: float | None) -> Cell:
        return Cell(group, name, ours, peer, target, "MB/s", tolerance=None)

    return [
        cell("reading text, 1 thread, MB/s", one, (), 800),
        cell("reading text / libffm's conversion of it", one, (LibFFMWhole(),), None),
        cell(f"reading text, {n} threads / 1 thread", many, one, 0.9 * n),
        cell("opening a binary file / reading its text", (OpenBinary(),), one, None),
    ]


def _whole() -> list[Cell]:
    group, ours, peer, table = "whole runs", (Whole(),), (LibFFMWhole(),), (HugeTable(),)
    name = "FM k=8 of 2²⁶ features"
    return [
        Cell(group, "text to model, 4 epochs: time", ours, peer, 5, "s"),
        Cell(group, "text to model, 4 epochs: memory", ours, peer, 0.5, "peak MB", at_most=True),
        Cell(group, f"{name}: seconds to start", table, (), 1, "s", at_most=True, tolerance=None),
        Cell(group, f"{name}: memory", table, (), None, "peak MB", at_most=True, tolerance=None),
    ]


def _narrow() -> list[Cell]:
    cells = []
    for model, k in (("FFM", 4), ("FM", 16)):
        name, peer = f"{_name(model, k)}, float16", (Train(model, k),)
        ours, group = (Train(model, k, dtype="float16"),), "16 bits / 32 bits"
        cells += [
            Cell(group, f"{name}: speed", ours, peer, 1.0, tolerance=WORSE_NARROW),
            Cell(group, f"{name}: memory", ours, peer, 0.55, "table MB", True, WORSE_NARROW),
        ]
    return cells


def _name(model: str, k: int) -> str:
    return f"{model} k={k}" if k else model


def table(n_threads: int) -> list[Cell]:
    """All cells; those of several threads for `n_threads`."""
    cells = [*_ffm(), *_threads(n_threads), *_batches(n_threads), *_other_models(), *_optimizers()]
    cells += [*_narrow(), *_fits(n_threads), *_reading(n_threads), *_whole()]
    return sorted(cells, key=lambda cell: cell.group != "FFM / libffm")
