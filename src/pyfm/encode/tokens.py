"""Categories as the code books read them: few types, nulls where there is none.

Strings and bytes keep Arrow's buffers, integers are int64 (or uint64, where the column is), truth
values int64. A column that was encoded by a dictionary stays so.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.arrow import arrow, is_text
from pyfm.encode.hashing import Hashes, hash_integers, hash_strings

FEW = 4  # values that calls of NumPy and Arrow would take longer for than Python does
TYPES = ("string", "binary", "int64", "uint64", "bool")


class Column(NamedTuple):
    """Some rows of a column: an Arrow array, and the number of its first row in the table."""

    name: str
    array: Any
    first_row: int

    def fail(self, row: int, expected: str, found: object) -> NoReturn:
        raise ValueError(
            f"column {self.name!r}, row {self.first_row + row}: expected {expected}, found {found}"
        )


def token_type(name: str, type_: Any) -> str:
    """The name of the type that categories of such a column have; that of a null column is ""."""
    pa = arrow()
    types = pa.types
    if types.is_dictionary(type_):
        return token_type(name, type_.value_type)
    if types.is_null(type_):
        return ""
    if is_text(type_):
        return "string"
    if types.is_boolean(type_):
        return "bool"
    if types.is_uint64(type_):
        return "uint64"
    if types.is_integer(type_) or types.is_floating(type_):
        return "int64"
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_):
        return "binary"
    raise ValueError(
        f"column {name!r}: expected strings, bytes, integers or booleans, found {type_}"
        + _advice(type_)
    )


def _advice(type_: Any) -> str:
    types = arrow().types
    if types.is_nested(type_):
        return ": take it apart into columns of its own; lists are for pyfm.encode.Multi"
    if types.is_temporal(type_):
        return ": pyfm.encode.Date takes dates and times apart"
    if types.is_decimal(type_):
        return ": cast it to floats, or to strings if it is a category"
    return ""


def arrow_type(type_name: str) -> Any:
    pa = arrow()
    return {
        "string": pa.large_string(),
        "binary": pa.large_binary(),
        "int64": pa.int64(),
        "uint64": pa.uint64(),
        "bool": pa.int64(),
    }[type_name]


def tokens(column: Column, wanted: str) -> Any:
    """The column as an Arrow array of the type that `wanted` names, or a dictionary of it.

    Raises
    ------
    ValueError
        Names the column, and the row of a number that is not whole.
    """
    pa = arrow()
    array = column.array
    found = token_type(column.name, array.type)
    if found == "":
        return pa.nulls(len(array), arrow_type(wanted))
    if found != wanted and {found, wanted} != {"int64", "uint64"}:
        raise ValueError(
            f"column {column.name!r}: expected {_NAMES[wanted]}, as in fit, found {array.type}"
        )
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string(array.type.value_type):
            return array
        if wanted not in ("string", "binary"):  # decoded, since errors tell the rows of numbers
            return tokens(column._replace(array=array.dictionary_decode()), wanted)
        values = tokens(Column(column.name, array.dictionary, 0), wanted)
        return pa.DictionaryArray.from_arrays(array.indices, values)
    if pa.types.is_floating(array.type):
        array = _whole(column)
    if wanted in ("int64", "uint64") and array.type != arrow_type(wanted):
        _check_range(column._replace(array=array), wanted)
        return array.cast(arrow_type(wanted))
    if wanted == "bool":
        return array.cast(pa.int64())
    return array


def _check_range(column: Column, wanted: str) -> None:
    """Raises ValueError for an integer that int64, or uint64, does not hold."""
    pa = arrow()
    if wanted == "uint64":
        wrong = pa.compute.less(column.array, 0)
    elif pa.types.is_uint64(column.array.type):
        wrong = pa.compute.greater(column.array, pa.scalar(2**63 - 1, pa.uint64()))
    else:
        return
    row = pa.compute.index(wrong, True).as_py()
    if row >= 0:
        column.fail(row, f"an integer that {wanted} holds, as in fit", column.array[row].as_py())


_NAMES = {
    "string": "strings",
    "binary": "bytes",
    "int64": "integers",
    "uint64": "integers",
    "bool": "booleans",
}


def numbers(column: Column) -> NDArray[np.float64]:
    """The column as float64, NaN where there is none.

    Raises
    ------
    ValueError
        For anything but numbers, and for infinities; names the column and the row.
    """
    pa = arrow()
    array = column.array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not _is_number(array.type):
        raise ValueError(
            f"column {column.name!r}: expected numbers, found {array.type}" + _advice(array.type)
        )
    if array.type != pa.float64():
        array = array.cast(pa.float64(), safe=False)
    found: NDArray[np.float64] = array.to_numpy(zero_copy_only=False)
    infinite = np.isinf(found)
    if infinite.any():
        row = int(np.argmax(infinite))
        column.fail(row, "a finite number", float(found[row]))
    return found


def _is_number(type_: Any) -> bool:
    types = arrow().types
    is_number = types.is_integer(type_) or types.is_floating(type_)
    return bool(is_number or types.is_boolean(type_) or types.is_null(type_))


def _whole(column: Column) -> Any:
    """Floats that are whole as int64: integers with missing ones among them, in pandas."""
    found = numbers(column)
    missing = np.isnan(found)
    known = np.where(missing, 0.0, found)
    wrong = (known != np.floor(known)) | (np.abs(known) >= 2.0**63)
    if wrong.any():
        row = int(np.argmax(wrong))
        column.fail(
            row,
            "a whole number, since it is a category (otherwise pyfm.encode.Buckets or Real)",
            float(found[row]),
        )
    return arrow().array(known.astype(np.int64), mask=missing)


class Distinct(NamedTuple):
    """Values, an Arrow array without nulls, and the place of each row's among them.

    The place after the last stands for a missing value. The values may hold others than those of
    the rows, and the same one twice.
    """

    places: NDArray[Any]
    values: Any

    @property
    def n_present(self) -> int:
        return int(np.count_nonzero(self.places < len(self.values)))

    def has_values_of(self, other: Distinct) -> bool:
        """Whether the values are the same memory, as those of batches of one table often are."""
        ours, theirs = self.values, other.values
        return (
            len(ours) == len(theirs)
            and ours.offset == theirs.offset
            and ours.type == theirs.type
            and _addresses(ours) == _addresses(theirs)
        )


def _addresses(array: Any) -> list[int]:
    return [0 if buffer is None else buffer.address for buffer in array.buffers()]


def distinct(array: Any) -> Distinct:
    """The few different values of many rows, which are an Arrow array."""
    pa = arrow()
    if not pa.types.is_dictionary(array.type):
        if len(array) <= FEW and not array.null_count:
            return Distinct(np.arange(len(array)), array)
        array = array.dictionary_encode()
    indices, values = array.indices, array.dictionary
    if indices.null_count:
        if indices.type.bit_width < 32:  # which may not hold one more
            indices = indices.cast(pa.int32())
        indices = indices.fill_null(len(values))
    places: NDArray[Any] = indices.to_numpy(zero_copy_only=False)
    if len(values) > 2 * len(places):  # such as all of a table's, in a batch of it
        used, places = np.unique(places, return_inverse=True)
        values = values.take(pa.array(used[used < len(values)]))
    if values.null_count:
        null = values.is_null().to_numpy(zero_copy_only=False)
        renumbered = np.where(null, len(values) - values.null_count, np.cumsum(~null) - 1)
        places = np.append(renumbered, len(values) - values.null_count)[places]
        values = values.drop_null()
    return Distinct(places, values)


def as_distinct(found: Any) -> Distinct:
    """Of an Arrow array, or of what is so already."""
    return found if isinstance(found, Distinct) else distinct(found)


def small_integers(numbers: NDArray[np.float64]) -> Distinct:
    """Whole numbers of a small range, NaN where there is none."""
    missing = np.isnan(numbers)
    n_missing = int(np.count_nonzero(missing))
    if n_missing == len(numbers):
        return Distinct(np.zeros(len(numbers), np.int64), arrow().array([], arrow().int64()))
    low = int(np.nanmin(numbers) if n_missing else numbers.min())
    high = int(np.nanmax(numbers) if n_missing else numbers.max())
    shifted = numbers - low
    if n_missing:
        shifted[missing] = high - low + 1
    values = arrow().array(np.arange(low, high + 1, dtype=np.int64))
    return Distinct(shifted.astype(np.int64), values)


def hashes(values: Any, seed: int = 0) -> Hashes:
    """Of an Arrow array without nulls: one hash for each value, the same in every Arrow layout."""
    pa = arrow()
    if pa.types.is_integer(values.type):
        return hash_integers(values.to_numpy(zero_copy_only=False), seed)
    if pa.types.is_fixed_size_binary(values.type):
        width = values.type.byte_width
        begin = width * values.offset
        data = np.frombuffer(values.buffers()[1], np.uint8)[begin : begin + width * len(values)]
        return hash_strings(data, width * np.arange(len(values) + 1), seed)
    return hash_strings(*string_buffers(values), seed)


def string_buffers(values: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes, and where each string begins and the last one ends."""
    pa = arrow()
    is_text = token_type("", values.type) == "string"
    if not (pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)):
        values = values.cast(pa.large_string() if is_text else pa.large_binary())
    _, offsets, data = values.buffers()
    if offsets is None or offsets.size == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), ends
