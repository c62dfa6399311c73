"""The report, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pyfm.diagnosis.facts import Facts, gather
from pyfm.diagnosis.traps import Trap, find_traps


@dataclass(frozen=True, repr=False)
class Report:
    """What `pyfm.doctor` found: facts, and known traps among them. Printed, it is text.

    Attributes
    ----------
    facts : Facts
        In sections: ``core``, ``python``, ``packages``, ``libraries``, ``machine`` and
        ``environment``.
    traps : list of Trap
        Each with a ``name`` and a ``message``, which says what to do; empty: none known.
    """

    facts: Facts
    traps: list[Trap]

    def to_json(self) -> str:
        """The same as a JSON object with the keys ``facts`` and ``traps``."""
        return json.dumps(asdict(self), indent=2)

    def __repr__(self) -> str:
        width = max(len(name) for _, section in self._sections() for name, _ in section)
        lines = []
        for title, section in self._sections():
            lines.append(title)
            lines += [f"  {name:{width}}  {text}" for name, text in section]
        lines.append("known traps" if self.traps else "known traps: none")
        lines += [f"  {trap.name}: {trap.message}" for trap in self.traps]
        return "\n".join(lines)

    def _sections(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        facts = self.facts
        core, machine = facts.core, facts.machine
        openmp = "plain threads" if core.openmp is None else f"OpenMP {core.openmp}"
        yield (
            f"pyfm {core.version}",
            [
                ("folder", core.folder),
                ("built by", f"{_or(core.compiler)}, {_or(core.build_type)}, {_or(core.flags)}"),
                ("threads", openmp),
                ("SIMD level", f"{_or(core.simd)} of {', '.join(core.simd_levels)}"),
            ],
        )
        yield (
            f"Python {facts.python['version']}",
            [(name, text) for name, text in facts.python.items() if name != "version"],
        )
        yield (
            "packages",
            [
                (name, package.version or "not installed")
                for name, package in facts.packages.items()
            ],
        )
        yield (
            "libraries",
            [
                (
                    f"{library.api} {library.name}",
                    f"{_or(library.version)}, "
                    + (f"kernels for {library.kernels}, " if library.kernels else "")
                    + f"{library.threads} threads, {library.path}",
                )
                for library in facts.libraries
            ],
        )
        quota = "no quota" if machine.cpu_quota is None else f"quota of {machine.cpu_quota:g}"
        yield "machine", [
            ("system", f"{machine.system}, {_or(machine.libc)}"),
            ("processor", _or(machine.cpu)),
            ("processors", f"{machine.allowed_processors} of {machine.processors}, {quota}"),
            ("memory", f"{_gib(machine.available_memory)} of {_gib(machine.memory)} available, "
             f"limit {_gib(machine.memory_limit)}"),
            ("huge pages", _or(machine.huge_pages)),
            ("open files", _or(machine.open_files)),
        ]  # fmt: skip
        if facts.environment:
            yield "environment", list(facts.environment.items())


def _or(fact: object) -> str:
    return "unknown" if fact is None else str(fact)


def _gib(size: int | None) -> str:
    return "none" if size is None else f"{size / 2**30:.1f} GiB"


def doctor() -> Report:
    """What a bug report needs, and known traps of this installation and machine.

    Versions, how the core was built, SIMD levels, threads, BLAS and OpenMP libraries of this
    process, processors, memory, their limits and huge pages, and environment variables that
    matter. ``pyfm doctor`` prints it in the shell.

    Returns
    -------
    Report
        Printed, it is text; ``to_json()``, ``facts`` and ``traps`` are for programs.

    Examples
    --------
    >>> import pyfm
    >>> report = pyfm.doctor()
    >>> report.facts.core.simd == pyfm.simd()
    True
    >>> all(trap.message for trap in report.traps)
    True
    """
    facts = gather()
    return Report(facts, find_traps(facts))
