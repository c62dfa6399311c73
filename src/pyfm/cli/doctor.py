"""`pyfm doctor`: what a bug report needs, and known traps."""

from __future__ import annotations

from typing import Annotated

import typer

import pyfm


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Print what a bug report needs, and warn of known traps of the machine.

    Versions, how the core was built, SIMD levels, threads, BLAS and OpenMP, processors, memory and
    their limits, and environment variables that matter.
    """
    report = pyfm.doctor()
    print(report.to_json() if as_json else report)
