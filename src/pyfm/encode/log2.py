"""Criteo's buckets of numbers, see `pyfm.encode.Buckets`.

Above 2 the bucket is floor(ln(x)²) + 2, from -2 to 2 floor(x), and below -2 minus that of -x.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.arrow import arrow
from pyfm.encode.tokens import FEW, Column, Distinct, numbers, small_integers

_LOW, _HIGH = -256, 1 << 16  # of the integers whose buckets are in a table
_LARGEST = 2048  # above the bucket of each integer of 64 bits
_MANY = 256  # rows that are worth it to encode all buckets


def buckets(column: Column) -> Distinct:
    """The buckets of a column of numbers, in which integers have a table of their own."""
    types = arrow().types
    array = column.array
    found = None
    if types.is_integer(array.type) and not types.is_uint64(array.type):
        if len(array) <= FEW:
            found = _of_few(array)
        elif len(array) >= _MANY:
            found = _of_integers(array)
    if found is not None:
        return found
    return small_integers(_formula(numbers(column)))


def _formula(x: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.abs(x)
    bucket = np.maximum(size, 2.0)
    np.log(bucket, out=bucket)
    np.square(bucket, out=bucket)
    np.floor(bucket, out=bucket)
    bucket += 2
    np.copysign(bucket, x, out=bucket)
    return np.where(size > 2, bucket, np.floor(x))


def _of_few(array: Any) -> Distinct | None:
    """Of a few integers in the table, which take less time than the calls of NumPy."""
    _, table = _tables()
    values: list[int] = []
    places = []
    for x in array.to_pylist():
        if x is not None and not _LOW <= x < _HIGH:
            return None
        places.append(-1 if x is None else len(values))
        if x is not None:
            values.append(int(table[x - _LOW + 1]) - _LARGEST)
    of_rows = np.array(places, np.int64)
    of_rows[of_rows < 0] = len(values)
    pa = arrow()
    return Distinct(of_rows, pa.array(values, pa.int64()))


def _of_integers(array: Any) -> Distinct | None:
    """Of integers from `_LOW` on, most of which are small: a look-up is faster than a logarithm.

    The values are always the same array, which is encoded once.
    """
    pa = arrow()
    values, table = _tables()
    ends = pa.compute.min_max(array)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is None or low < _LOW:
        return None
    missing = _LOW - 1
    array = array.cast(pa.int64()).fill_null(missing)
    x: NDArray[np.int64] = array.to_numpy(zero_copy_only=False)
    if high < _HIGH:
        return Distinct(table[x - missing], values)
    places = table[np.minimum(x, _HIGH - 1) - missing]
    large = np.flatnonzero(x >= _HIGH)
    places[large] = _formula(x[large].astype(np.float64)) + _LARGEST
    return Distinct(places, values)


@functools.cache
def _tables() -> tuple[Any, NDArray[np.uint16]]:
    """All buckets of integers, and their places by integer, before which comes a missing one's."""
    values = np.arange(-_LARGEST, _LARGEST + 1)
    places = _formula(np.arange(_LOW, _HIGH, dtype=np.float64)) + _LARGEST
    return arrow().array(values), np.append(len(values), places).astype(np.uint16)
