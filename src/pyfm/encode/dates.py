"""Dates and times by their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pyfm.encode.arrow import arrow, is_moment
from pyfm.encode.readers import Values
from pyfm.encode.tables import Batch
from pyfm.encode.tokens import Column, token_type, tokens

_OF_DAYS = ("weekday", "day", "week", "month", "quarter", "year")
_FUNCTIONS = {"weekday": "day_of_week", "week": "iso_week"}


@dataclass(frozen=True)
class Part:
    """One part of a column, see `pyfm.encode.Date`."""

    column: str
    part: str
    zone: str | None
    format: str | None

    kind: ClassVar[str] = "part"

    def read(self, batch: Batch) -> Values:
        pa = arrow()
        column = batch.column(self.column)
        if pa.types.is_null(column.array.type):
            return Values(pa.nulls(len(column.array), pa.int64()))
        times = parsed(column, self.format)
        check_part(column.name, times.type, self.part)
        if zone_of(times.type) != self.zone:
            raise ValueError(
                f"column {column.name!r}: expected times {_in_zone(self.zone)}, as in fit, found "
                f"times {_in_zone(zone_of(times.type))}"
            )
        function = getattr(pa.compute, _FUNCTIONS.get(self.part, self.part))
        try:
            return Values(function(times).cast(pa.int64()))
        except pa.lib.ArrowInvalid as error:  # an unknown time zone
            raise ValueError(f"column {column.name!r}: {error}") from error


def parsed(column: Column, format_: str | None) -> Any:
    """The column as times, from strings or integers where there is a format."""
    pa = arrow()
    array, types = column.array, pa.types
    if format_ is None:
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not is_moment(array.type):
            raise ValueError(
                f"column {column.name!r}: expected dates or times, found {array.type}: give Date a "
                "format, or cast the column"
            )
        return array.cast(pa.date32()) if types.is_date64(array.type) else array
    found = token_type(column.name, array.type)
    if found not in ("string", "int64"):
        raise ValueError(
            f"column {column.name!r}: expected strings or integers, which have the format "
            f"{format_!r}, found {array.type}"
        )
    array = tokens(column, found)  # also of integers that are floats, since some are missing
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    texts = array.cast(pa.large_string())
    times = pa.compute.strptime(texts, format=format_, unit="s", error_is_null=True)
    if times.null_count > texts.null_count:
        wrong = pa.compute.and_(times.is_null(), texts.is_valid())
        row = pa.compute.index(wrong, True).as_py()
        column.fail(row, f"a date of the format {format_!r}", repr(texts[row].as_py()))
    return times


def zone_of(type_: Any) -> str | None:
    return type_.tz if arrow().types.is_timestamp(type_) else None


def default_parts(type_: Any) -> tuple[str, ...]:
    types = arrow().types
    if types.is_time(type_):
        return ("hour",)
    return ("weekday",) if types.is_date(type_) else ("hour", "weekday")


def check_part(name: str, type_: Any, part: str) -> None:
    types = arrow().types
    if (types.is_time(type_) and part in _OF_DAYS) or (
        types.is_date32(type_) and part not in _OF_DAYS
    ):
        raise ValueError(f"column {name!r}: expected times that have a {part}, found {type_}")


def _in_zone(zone: str | None) -> str:
    return "without a time zone" if zone is None else f"in the time zone {zone!r}"
