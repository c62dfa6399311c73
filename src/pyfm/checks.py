"""Checks of parameters: every refusal names the parameter, what it takes, and what it was given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import NoReturn

_MOST_SHOWN = 300  # characters
MAX_THREADS = 1024  # a system that cannot start a thread ends the process


def refuse(name: str, expected: str, found: object) -> NoReturn:
    """Raises the ValueError that all checks share."""
    raise ValueError(f"{name}: expected {expected}, found {_shown(found)}")


def check_real(name: str, value: object, *, positive: bool = False) -> float:
    """A finite number >= 0, or > 0 if `positive`."""
    expected = f"a finite number {'>' if positive else '>='} 0"
    if isinstance(value, bool) or not isinstance(value, Real):
        refuse(name, expected, value)
    number = _float(value)
    if not math.isfinite(number) or number < 0 or (positive and number == 0):
        refuse(name, expected, value)
    return number


def check_fraction(name: str, value: object, *, zero: bool = False, one: bool = False) -> float:
    """A number between 0 and 1; these themselves only where `zero` or `one` says so."""
    ends = "both included" if zero and one else "1 excluded" if zero else "0 excluded"
    expected = f"a number between 0 and 1, {ends if zero or one else 'both excluded'}"
    if isinstance(value, bool) or not isinstance(value, Real):
        refuse(name, expected, value)
    number = _float(value)
    if not (0 < number < 1 or (zero and number == 0) or (one and number == 1)):
        refuse(name, expected, value)
    return number


def check_int(name: str, value: object, low: int, high: int | None = None) -> int:
    """An integer in [low, high]."""
    expected = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    if isinstance(value, bool) or not isinstance(value, Integral):
        refuse(name, expected, value)
    number = int(value)
    if number < low or (high is not None and number > high):
        refuse(name, expected, value)
    return number


def check_bool(name: str, value: object) -> bool:
    """True or False, NumPy's included."""
    if type(value).__name__ not in ("bool", "bool_"):
        refuse(name, "True or False", value)
    return bool(value)


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """One of a few names."""
    if not isinstance(value, str) or value not in choices:
        refuse(name, "one of " + ", ".join(map(repr, choices)), value)
    return value


def _shown(found: object) -> str:
    """On one line, the beginning of tables and other long things."""
    text = " ".join(repr(found).split()) if "\n" in repr(found) else repr(found)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _float(number: Real) -> float:
    """Infinite where an integer is too large for a float."""
    try:
        return float(number)
    except OverflowError:
        return math.inf
