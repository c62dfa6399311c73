"""Encoders as JSON and tensors, for files; nothing that is read is believed before it is checked.

The JSON object has the entries ``columns``, ``defaults``, ``remainder``, ``crosses``, ``target``
and ``sample_weight``, the parameters; ``kinds``, those of the columns; ``n_features``; and
``fields``, each with a ``name``, a ``reader``, a ``book`` and its ``blocks`` of ids. Of field i the
tensors are, one-dimensional and little-endian,

- ``i.entries``, of a vocabulary: int64, uint64, or the bytes of strings, one after the other, with
  ``i.entries.offsets``, int64: where each begins and the last one ends. Crosses have 4 bytes for
  each of their fields, an id, and no offsets. ``i.candidates`` likewise; ``i.counts``, int64: in
  how many rows each has occurred;
- ``i.registers``, uint8, of hashes: see `pyfm.encode.sketch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_int, refuse
from pyfm.encode.books import Book, Hashing, Range, Vocabulary
from pyfm.encode.encoder import FieldEncoder
from pyfm.encode.fields import Field
from pyfm.encode.ids import MAX_FEATURES, Blocks, check_disjoint
from pyfm.encode.kinds import KINDS, Categorical, Cross, Hashed, Kind
from pyfm.encode.learning import State
from pyfm.encode.numeric_kinds import Buckets
from pyfm.encode.plan import Settings
from pyfm.encode.stored_arrays import Tensors, pack, unpack
from pyfm.encode.stored_readers import check_fit, reader_from_json, reader_to_json

_MAX_FIELDS = 1 << 16


def to_parts(
    encoder: FieldEncoder, *, candidates: bool
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The JSON object and the tensors; without the counts of rare values unless `candidates`."""
    state = encoder._fitted()
    settings = state.settings
    tensors: dict[str, NDArray[Any]] = {}
    fields = []
    for place, field in enumerate(state.fields):
        book = field.book
        if isinstance(book, Vocabulary) and not candidates:
            book = book.without_candidates()
        tensors |= {f"{place}.{name}": array for name, array in _tensors(book).items()}
        fields.append(
            {
                "name": field.name,
                "reader": reader_to_json(field.reader),
                "book": _book_to_json(book),
                "blocks": [list(run) for run in field.blocks.runs],
            }
        )
    json = settings._asdict() | {
        "columns": None if settings.columns is None else _pairs(settings.columns),
        "defaults": _pairs(settings.defaults),
        "crosses": [[list(one.columns), kind_to_json(one.each)] for one in settings.crosses],
        "kinds": _pairs(state.kinds),
        "n_features": state.n_features,
        "fields": fields,
    }
    return json, tensors


def from_parts(given: Any, tensors: Tensors) -> FieldEncoder:
    """The encoder that `to_parts` took apart.

    Raises
    ------
    ValueError
        For anything that `to_parts` does not write.
    ImportError
        Without pyarrow.
    """
    names = {*Settings._fields, "kinds", "n_features", "fields"}
    _check_entries("encoder", given, names)
    crosses = [Cross(columns, _each(each)) for columns, each in _list_of_pairs(given, "crosses")]
    params = {name: given[name] for name in Settings._fields} | {
        "columns": None if given["columns"] is None else _kinds(given, "columns"),
        "defaults": _kinds(given, "defaults"),
        "crosses": tuple(crosses),
    }
    encoder = FieldEncoder(**params)
    settings = encoder._settings()
    kinds = {name: _not_none(kind) for name, kind in _kinds(given, "kinds").items()}
    n_features = check_int("encoder: n_features", given["n_features"], 1, MAX_FEATURES)
    listed = given["fields"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MAX_FIELDS:
        refuse("encoder: fields", f"a list of 1 to {_MAX_FIELDS}", type(listed).__name__)
    used: set[str] = set()
    fields: list[Field] = []
    for place, one in enumerate(listed):
        try:
            fields.append(_field(one, f"{place}.", tensors, used, fields))
        except ValueError as error:
            raise ValueError(f"encoder: field {place}: {error}") from error
    check_disjoint([field.blocks for field in fields], n_features)
    if used != set(tensors):
        refuse("tensors of the encoder", str(sorted(used)), sorted(tensors))
    encoder._state = State(settings, kinds, tuple(fields), n_features)
    return encoder


def _field(given: Any, prefix: str, tensors: Tensors, used: set[str], before: list[Field]) -> Field:
    _check_entries("field", given, {"name", "reader", "book", "blocks"})
    name = given["name"]
    if not isinstance(name, str) or name in {field.name for field in before}:
        refuse("name", "a name of its own", name)
    reader = reader_from_json(given["reader"])
    book = _book_from_json(given["book"], prefix, tensors, used, getattr(reader, "width", None))
    blocks = Blocks.from_json(given["blocks"])
    if blocks.size != book.size:
        refuse("blocks", f"{book.size} ids, one for each code", blocks.size)
    check_fit(reader, book, before)
    return Field(name, reader, book, blocks)


def _book_to_json(book: Book) -> dict[str, Any]:
    if isinstance(book, Range):
        return {"kind": book.kind, "low": book.low, "high": book.high}
    return {"kind": book.kind, "settings": kind_to_json(book.settings), "type": book.type}


def _tensors(book: Book) -> dict[str, NDArray[Any]]:
    if isinstance(book, Range):
        return {}
    if isinstance(book, Hashing):
        return {"registers": book.registers}
    tensors = pack("entries", book.entries)
    if len(book.counts):
        tensors |= pack("candidates", book.candidates) | {"counts": book.counts}
    return tensors


def _book_from_json(
    given: Any, prefix: str, tensors: Tensors, used: set[str], width: int | None
) -> Book:
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind == Range.kind:
        _check_entries("book", given, {"kind", "low", "high"})
        low = check_int("book: low", given["low"], -(1 << 31), 1 << 31)
        return Range(low, check_int("book: high", given["high"], low, 1 << 31))
    if kind not in (Hashing.kind, Vocabulary.kind):
        refuse("book", "a range, hashes or a vocabulary", kind)
    _check_entries("book", given, {"kind", "settings", "type"})
    settings, type_ = _each(given["settings"]), given["type"]
    if not isinstance(type_, str):
        refuse("book: type", "a name", type_)
    if kind == Hashing.kind:
        if not isinstance(settings, Hashed):
            refuse("book: settings", "those of hashes", settings)
        used.add(f"{prefix}registers")
        return Hashing(settings, type_, unpack(prefix, "registers", "registers", tensors, used))
    if not isinstance(settings, Categorical):
        refuse("book: settings", "those of a vocabulary", settings)
    entries = unpack(prefix, "entries", type_, tensors, used, width)
    candidates, counts = entries[:0], np.empty(0, np.int64)
    if f"{prefix}candidates" in tensors:
        candidates = unpack(prefix, "candidates", type_, tensors, used, width)
        counts = unpack(prefix, "counts", "counts", tensors, used)
        if len(counts) != len(candidates):
            refuse("counts", f"{len(candidates)} of them", len(counts))
    book = Vocabulary(settings, type_, entries, candidates, counts)
    book.check_different()
    return book


def kind_to_json(kind: Any) -> dict[str, Any]:
    values = {one.name: getattr(kind, one.name) for one in fields_of(kind)}
    for name, value in values.items():
        if isinstance(value, Categorical | Hashed):
            values[name] = kind_to_json(value)
    (name,) = (name for name, class_ in KINDS.items() if type(kind) is class_)
    return {"kind": name} | values


def kind_from_json(given: Any) -> Kind:
    class_ = KINDS.get(str(given.get("kind"))) if isinstance(given, dict) else None
    if class_ is None:
        refuse("kind", f"one of {', '.join(KINDS)}", given)
    if class_ is Buckets:
        given = {"min_count": 1} | given  # files from before there was one
    _check_entries("kind", given, {"kind", *(one.name for one in fields_of(class_))})
    values = {name: value for name, value in given.items() if name != "kind"}
    if "each" in values:
        values["each"] = _each(values["each"])
    kind: Kind = class_(**values)
    return kind


def _each(given: Any) -> Categorical | Hashed:
    kind = kind_from_json(given)
    if not isinstance(kind, Categorical | Hashed):
        refuse("kind", "categorical or hashed", given)
    return kind


def _pairs(kinds: Mapping[str, Kind | None]) -> list[list[Any]]:
    return [[name, None if kind is None else kind_to_json(kind)] for name, kind in kinds.items()]


def _kinds(given: dict[str, Any], entry: str) -> dict[str, Kind | None]:
    kinds: dict[str, Kind | None] = {}
    for name, kind in _list_of_pairs(given, entry):
        if not isinstance(name, str) or name in kinds:
            refuse(f"encoder: {entry}", "different names", name)
        kinds[name] = None if kind is None else kind_from_json(kind)
    return kinds


def _not_none(kind: Kind | None) -> Kind:
    if kind is None:
        refuse("encoder: kinds", "a kind for each column", None)
    return kind


def _list_of_pairs(given: dict[str, Any], entry: str) -> list[list[Any]]:
    pairs = given[entry]
    if not isinstance(pairs, list) or not all(isinstance(p, list) and len(p) == 2 for p in pairs):
        refuse(f"encoder: {entry}", "a list of pairs", type(pairs).__name__)
    return pairs


def _check_entries(name: str, given: Any, expected: set[str]) -> None:
    if not isinstance(given, dict) or set(given) != expected:
        found = sorted(given) if isinstance(given, dict) else type(given).__name__
        refuse(name, f"the entries {sorted(expected)}", found)
