"""Sections that several docstrings share, written once."""

from __future__ import annotations

import inspect
from typing import TypeVar

_Documented = TypeVar("_Documented")


def fill_in(documented: _Documented, **sections: str) -> _Documented:
    """Puts each section in the place of its name, in braces, in the docstring; returns the object.

    Sections begin at the margin, as the places for them do.
    """
    if documented.__doc__ is not None:  # as under python -OO
        text = inspect.cleandoc(documented.__doc__)
        for name, section in sections.items():
            text = text.replace(f"{{{name}}}", section.strip())
        documented.__doc__ = text
    return documented
