"""Several values a row: lists, or strings that are split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.arrow import arrow, is_list, is_text
from pyfm.encode.readers import Values
from pyfm.encode.tables import Batch
from pyfm.encode.tokens import Column, numbers, token_type, tokens


@dataclass(frozen=True)
class Elements:
    """The values of lists, see `pyfm.encode.Multi`."""

    column: str
    type: str  # of the values
    separator: str | None
    weights: str | None
    weight_separator: str | None

    kind: ClassVar[str] = "elements"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if self.weights is None else (self.column, self.weights)

    def read(self, batch: Batch) -> Values:
        column = batch.column(self.column)
        lists, present = self._lists(column)
        lengths = _lengths(lists)
        flat = Column(column.name, lists.flatten(), column.first_row)
        weights = None
        if self.weight_separator is not None:
            flat, weights = self._split_weights(flat, column, lengths)
        elif self.weights is not None:
            weights = self._read_weights(batch.column(self.weights), present, lengths)
        values = tokens(flat, self.type)
        return _with_missing(values, lengths, weights, present)

    def _lists(self, column: Column) -> tuple[Any, NDArray[np.bool_]]:
        """The column as lists, a missing one empty, and where it is not missing."""
        pa = arrow()
        array, types = column.array, pa.types
        present: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
        if types.is_null(array.type):
            return pa.array([[]] * len(array), pa.list_(pa.large_string())), present
        if self.separator is None:
            element_type(column.name, array.type, None)
            if types.is_fixed_size_list(array.type):
                array = array.cast(pa.list_(array.type.value_type))
            return array, present
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not is_text(array.type):
            raise ValueError(
                f"column {column.name!r}: expected strings, which the separator "
                f"{self.separator!r} splits, found {array.type}"
            )
        if not types.is_large_string(array.type):
            array = array.cast(pa.large_string())
        empty = pa.compute.equal(array, "")
        split = pa.compute.split_pattern(array, self.separator)
        if pa.compute.any(empty).as_py():
            nothing = pa.scalar([], split.type)
            split = pa.compute.if_else(empty.fill_null(False), nothing, split)
        return split, present

    def _split_weights(
        self, flat: Column, column: Column, lengths: NDArray[np.int64]
    ) -> tuple[Column, NDArray[np.float32]]:
        pc = arrow().compute
        if not is_text(flat.array.type):
            raise ValueError(
                f"column {flat.name!r}: expected strings, which the weight_separator "
                f"{self.weight_separator!r} splits, found {flat.array.type}"
            )
        parts = pc.split_pattern(flat.array, self.weight_separator, max_splits=1, reverse=True)
        has_weight = np.equal(pc.list_value_length(parts).fill_null(1), 2)
        values = pc.list_element(parts, 0)
        weights = np.ones(len(values), np.float32)
        at = np.flatnonzero(has_weight)
        texts = pc.list_element(parts.take(arrow().array(at)), 1)
        weights[at] = _parsed(column, texts, np.repeat(np.arange(len(lengths)), lengths)[at])
        return flat._replace(array=values), weights

    def _read_weights(
        self, column: Column, present: NDArray[np.bool_], lengths: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        lists, _ = self._lists(column)
        wrong = (_lengths(lists) != lengths) & present
        if wrong.any():
            row = int(np.argmax(wrong))
            expected = f"{lengths[row]} weights, one for each value of {self.column!r}"
            column.fail(row, expected, int(_lengths(lists)[row]))
        if not present.all():  # a missing list has none, whatever the weights are
            keep = np.repeat(present, _lengths(lists))
            flat = lists.flatten().filter(arrow().array(keep))
        else:
            flat = lists.flatten()
        rows = np.repeat(np.arange(len(lengths)), lengths)
        if self.separator is not None:
            return _parsed(column, flat, rows)
        return _weights(column, numbers(Column(column.name, flat, 0)), rows)


def element_type(name: str, type_: Any, separator: str | None) -> str:
    """The name of the type of the values of such a column."""
    if separator is not None:
        return "string"
    if arrow().types.is_null(type_):
        return ""
    if not is_list(type_):
        raise ValueError(
            f"column {name!r}: expected lists (of strings, give Multi a separator), found {type_}"
        )
    return token_type(name, type_.value_type)


def _lengths(lists: Any) -> NDArray[np.int64]:
    lengths = arrow().compute.list_value_length(lists).fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)


def _parsed(column: Column, texts: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Numbers from strings."""
    pa = arrow()
    try:
        found = texts.cast(pa.float64())
    except pa.lib.ArrowInvalid:  # which does not say where
        for row, text in zip(rows.tolist(), texts.to_pylist(), strict=True):
            try:
                pa.array([text]).cast(pa.float64())
            except pa.lib.ArrowInvalid:
                column.fail(row, "a number, the weight of a value", repr(text))
        raise
    return _weights(column, found.to_numpy(zero_copy_only=False), rows)


def _weights(
    column: Column, found: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    wrong = ~(np.abs(found) <= np.finfo(np.float32).max)
    if wrong.any():
        place = int(np.argmax(wrong))
        column.fail(int(rows[place]), "a finite number, the weight of a value", found[place])
    return found.astype(np.float32)


def _with_missing(
    values: Any,
    lengths: NDArray[np.int64],
    weights: NDArray[np.float32] | None,
    present: NDArray[np.bool_],
) -> Values:
    """A null in the place of each missing list."""
    if present.all():
        return Values(values, lengths, weights)
    lengths = np.where(present, lengths, 1)
    is_value = np.repeat(present, lengths)
    places = np.cumsum(is_value) - 1
    values = values.take(arrow().array(places, mask=~is_value))
    if weights is not None:
        weights = (
            np.where(is_value, weights[places], np.float32(1))
            if len(weights)
            else np.ones(len(places), np.float32)
        )
    return Values(values, lengths, weights)
