"""From samples to the table: medians, ratios, and whether the target is met."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from cells import Cell
from common import spread
from runs import Run, Sample


@dataclass
class Measured:
    """The repetitions of one run; those before an error are not used."""

    samples: list[Sample] = field(default_factory=list)
    error: str | None = None

    def median(self, unit: str) -> float:
        return statistics.median(sample[unit] for sample in self.samples)


@dataclass(frozen=True)
class Verdict:
    """What the table says of one cell."""

    group: str
    name: str
    unit: str
    ours: dict[str, float] | None
    peer: dict[str, float] | None
    our_run: str
    peer_run: str
    ratio: float | None
    logloss_worse_by: float | None
    target: float | None
    at_most: bool
    met: bool | None  # None: there is no target
    remark: str


def judge(cell: Cell, found: Mapping[Run, Measured]) -> Verdict:
    """The cell's numbers; no ratio where ours has learned less than the same model of the peer."""
    errors = [found[run].error for run in (*cell.ours, *cell.peer) if found[run].error]
    our = peer = None
    value = ratio = worse = None
    # The last line of a process is the one that names the error.
    remark = f"failed: {errors[0].strip().splitlines()[-1]}" if errors else ""
    if not errors:
        better = max if cell.unit.endswith("/s") else min
        worst = min if better is max else max
        our = worst(cell.ours, key=lambda run: found[run].median(cell.unit))
        value = found[our].median(cell.unit)
        if cell.peer:
            peer = better(cell.peer, key=lambda run: found[run].median(cell.unit))
            ratio = value / found[peer].median(cell.unit)
            value = ratio = 1 / ratio if cell.unit == "s" else ratio
            if cell.tolerance is not None:
                worse = found[our].median("logloss") - found[peer].median("logloss")
                if worse > cell.tolerance:
                    value = ratio = None
                    remark = f"no ratio: log-loss worse by {worse:.5f}"
    met = None
    if cell.target is not None:
        met = value is not None and (value <= cell.target if cell.at_most else value >= cell.target)
    return Verdict(
        cell.group, cell.name, cell.unit, _spread(our, found, cell), _spread(peer, found, cell),
        str(our), str(peer), ratio, worse, cell.target, cell.at_most, met, remark,
    )  # fmt: skip


def _spread(run: Run | None, found: Mapping[Run, Measured], cell: Cell) -> dict[str, float] | None:
    return run and spread([sample[cell.unit] for sample in found[run].samples])


def markdown(verdicts: Sequence[Verdict]) -> str:
    """One table for each group of cells."""
    text = ""
    for group, members in groupby(verdicts, key=lambda verdict: verdict.group):
        text += f"\n| {group} | unit | ours: median (min – max) | peer: median (min – max) "
        text += "| log-loss | ratio | target | met? |\n"
        text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        for v in members:
            worse = "" if v.logloss_worse_by is None else f"{v.logloss_worse_by:+.5f}"
            ratio = "" if v.ratio is None else f"{v.ratio:.2f}"
            target = "" if v.target is None else f"{'≤' if v.at_most else '≥'} {v.target:g}"
            met = v.remark or {None: "", True: "yes", False: "**no**"}[v.met]
            words = (v.name, v.unit, _numbers(v.ours, v.unit), _numbers(v.peer, v.unit))
            text += f"| {' | '.join((*words, worse, ratio, target, met))} |\n"
    return text


def _numbers(values: Mapping[str, float] | None, unit: str) -> str:
    if values is None:
        return ""
    digits = 2 if unit == "s" else 0
    median, low, high = (f"{values[name]:,.{digits}f}" for name in ("median", "min", "max"))
    return f"{median} ({low} – {high})"
