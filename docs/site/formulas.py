"""Formulas of docstrings, which are reStructuredText, as MathML in the pages of the API."""

from __future__ import annotations

import inspect
import re
from typing import Any

import griffe
from latex2mathml.converter import convert

# A directive and the indented lines below it; a role.
_BLOCK = re.compile(r"^\.\. math::[ \t]*(.*(?:\n(?:[ \t]+.*)?)*)", re.MULTILINE)
_INLINE = re.compile(r":math:`([^`]+)`")


def _block(match: re.Match[str]) -> str:
    formula = " ".join(match[1].split())
    if "&" in formula or r"\\" in formula:  # as Sphinx reads lines with marks
        formula = rf"\begin{{align*}} {formula} \end{{align*}}"
    return f"<div>{convert(formula, display='block')}</div>\n\n"


def _inline(match: re.Match[str]) -> str:
    return f"<span>{convert(match[1])}</span>"  # a line that begins with <math> would be a block


def with_mathml(docstring: str) -> str:
    """The docstring with its formulas converted."""
    text = inspect.cleandoc(docstring)
    return _INLINE.sub(_inline, _BLOCK.sub(_block, text))


class Formulas(griffe.Extension):
    """Converts all docstrings, before they are taken apart."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None and "math:" in obj.docstring.value:
            obj.docstring.value = with_mathml(obj.docstring.value)
