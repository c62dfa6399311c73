"""Readers of fields as JSON, and what belongs together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields as fields_of
from typing import Any

from pyfm.checks import refuse
from pyfm.encode.books import Book, Range, Vocabulary
from pyfm.encode.dates import Part
from pyfm.encode.fields import Field, Reader
from pyfm.encode.kinds import PARTS
from pyfm.encode.multi import Elements
from pyfm.encode.numeric_kinds import MAX_BUCKETS
from pyfm.encode.readers import Crossing, Edges, Log2, Number, Plain
from pyfm.encode.tokens import TYPES

_READERS: dict[str, Any] = {
    each.kind: each for each in (Plain, Log2, Edges, Number, Elements, Part, Crossing)
}


def reader_to_json(reader: Reader) -> dict[str, Any]:
    values = {one.name: getattr(reader, one.name) for one in fields_of(reader)}
    return {"kind": reader.kind} | values


def reader_from_json(given: Any) -> Reader:
    class_ = _READERS.get(str(given.get("kind"))) if isinstance(given, dict) else None
    if class_ is None:
        refuse("reader", f"one of {', '.join(_READERS)}", given)
    values = {name: value for name, value in given.items() if name != "kind"}
    types = {one.name: str(one.type) for one in fields_of(class_)}
    if set(values) != set(types):
        refuse("reader", f"the entries {sorted(types)}", sorted(values))
    for name, value in values.items():
        values[name] = _value(name, value, types[name])
    reader: Reader = class_(**values)
    if isinstance(reader, Edges):
        edges = reader.edges
        if not 0 < len(edges) < MAX_BUCKETS or sorted(set(edges)) != list(edges):
            refuse("reader: edges", "increasing numbers", "others")
    if isinstance(reader, Number) and reader.scale <= 0:
        refuse("reader: scale", "a number > 0", reader.scale)
    if isinstance(reader, Part) and reader.part not in PARTS:
        refuse("reader: part", f"one of {', '.join(PARTS)}", reader.part)
    if isinstance(reader, Plain | Elements) and reader.type not in TYPES:
        refuse("reader: type", f"one of {', '.join(TYPES)}", reader.type)
    return reader


def _value(name: str, value: Any, expected: str) -> Any:
    """A JSON value of the type that a dataclass declares."""
    if expected == "float":
        return _number(name, value)
    if expected.startswith("tuple"):
        if not isinstance(value, list):
            refuse(f"reader: {name}", "a list", type(value).__name__)
        if expected.startswith("tuple[float"):
            return tuple(_number(name, one) for one in value)
        return tuple(_value(name, one, "str") for one in value)
    if not isinstance(value, str) and not (value is None and "None" in expected):
        refuse(f"reader: {name}", expected, value)
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse(f"reader: {name}", "finite numbers", value)
    return float(value)


def check_fit(reader: Reader, book: Book, before: Sequence[Field]) -> None:
    """Raises ValueError unless the book is one for what the reader reads."""
    type_ = None if isinstance(book, Range) else book.type
    if isinstance(reader, Plain | Elements):
        fits = type_ == reader.type
    elif isinstance(reader, Edges):
        fits = book == Range(0, len(reader.edges))
    elif isinstance(reader, Number):
        fits = book == Range(0, 0)
    elif isinstance(reader, Part) and (domain := PARTS[reader.part]) is not None:
        fits = book == Range(*domain)
    elif isinstance(reader, Crossing):
        single = {field.name for field in before if field.may_be_crossed}
        if len(reader.fields) < 2 or not set(reader.fields) <= single:
            refuse("reader: fields", f"some of {sorted(single)}", reader.fields)
        fits = type_ == "pair"
    else:
        fits = isinstance(book, Vocabulary) and type_ == "int64"
    if not fits:
        refuse("book", f"one that fits the reader ({reader.kind})", book.kind)
