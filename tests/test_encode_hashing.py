"""Hashes, look-up by hash, and sketches, against slow and obvious twins."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfm.encode import sketch
from pyfm.encode.books import Vocabulary
from pyfm.encode.hashing import hash_integer, hash_integers, hash_string, hash_strings
from pyfm.encode.index import Index
from pyfm.encode.kinds import Categorical
from pyfm.encode.tokens import hashes

GAMMA, LIMIT = 0x9E3779B97F4A7C15, 2**64


def mix(h: int) -> int:
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) % LIMIT
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) % LIMIT
    return h ^ (h >> 31)


def slow_hash(value: bytes, seed: int) -> int:
    if len(value) > 512:
        digest = hashlib.blake2b(value, digest_size=8, key=seed.to_bytes(8, "little")).digest()
        return int.from_bytes(digest, "little")
    h = mix((len(value) * GAMMA + seed) % LIMIT)
    for at in range(0, len(value), 8):
        word = int.from_bytes(value[at : at + 8], "little")
        h = mix(((h + GAMMA) % LIMIT) ^ word)
    return h


@given(st.lists(st.binary(max_size=40)), st.integers(0, 2**63 - 1))
def test_strings(values: list[bytes], seed: int) -> None:
    expected = [slow_hash(value, seed) for value in values]
    for type_ in (pa.large_binary(), pa.binary()):
        array = pa.array([b"before", *values, b"after"], type_)[1:-1]
        assert hashes(array, seed).tolist() == expected
    assert [hash_string(value, seed) for value in values] == expected


@pytest.mark.parametrize("size", [7, 8, 9, 511, 512, 513, 5000])
def test_strings_of_all_sizes(size: int) -> None:
    values = [b"x" * size, b"y", bytes(size), b""]
    found = hashes(pa.array(values, pa.binary()), 3)
    assert found.tolist() == [slow_hash(value, 3) for value in values]
    assert found.tolist() == [hash_string(value, 3) for value in values]


def test_fixed_width() -> None:
    array = pa.array([b"12345678", b"abcdefgh", b"ABCDEFGH"], pa.binary(8))[1:]
    assert hashes(array).tolist() == [slow_hash(b"abcdefgh", 0), slow_hash(b"ABCDEFGH", 0)]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(0, 2**63 - 1))
def test_integers(values: list[int], seed: int) -> None:
    found = hash_integers(np.array(values, np.int64), seed)
    assert found.tolist() == [mix((value + seed) * GAMMA % LIMIT) for value in values]
    assert found.tolist() == [hash_integer(value, seed) for value in values]


def test_no_strings() -> None:
    assert len(hash_strings(np.empty(0, np.uint8), np.zeros(1, np.int64))) == 0


KEYS = st.integers(0, 2**64 - 1)


@given(st.lists(KEYS, unique=True, max_size=50), st.lists(KEYS, max_size=20))
def test_index(keys: list[int], others: list[int]) -> None:
    wanted = [*keys[::-2], *others]
    index = Index(np.array(keys, np.uint64))
    expected = [keys.index(key) if key in keys else -1 for key in wanted]
    assert index.find(np.array(wanted, np.uint64)).tolist() == expected
    assert [index.find_one(key) for key in wanted] == expected


@pytest.mark.parametrize("n", [1, 2, 1000, 70_000])
@pytest.mark.parametrize("shift", [0, 40])
def test_index_of_many(n: int, shift: int) -> None:
    """Also of keys that are not spread evenly."""
    keys = hash_integers(np.arange(n)) >> np.uint64(shift)
    keys = np.unique(keys)[::-1].copy()
    index = Index(keys)
    assert (index.find(keys[::3]) == np.arange(len(keys))[::3]).all()
    absent = np.setdiff1d(keys + np.uint64(1), keys)
    assert (index.find(absent) == -1).all()
    assert [index.find_one(int(key)) for key in keys[:20]] == list(range(len(keys[:20])))
    assert not index.is_ambiguous
    assert Index(np.concatenate([keys, keys[:1]])).is_ambiguous


def test_equal_hashes_are_not_equal_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries get a seed that tells them apart, and what is looked up is compared."""

    def few(values: Any, seed: int = 0) -> Any:
        return hashes(values, seed) % np.uint64(5 if seed < 2 else 13)

    monkeypatch.setattr("pyfm.encode.books.hashes", few)
    entries = pa.array(["p", "q", "r", "s"])
    book = Vocabulary(Categorical(), "string", entries, entries[:0], np.empty(0, np.int64))
    wanted = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    expected = [entries.to_pylist().index(value) if value in "pqrs" else -1 for value in wanted]
    assert book.find(pa.array(wanted)).tolist() == expected
    one = "pyfm.encode.books.hash_string"
    monkeypatch.setattr(one, lambda value, seed: few(pa.array([value.decode()]), seed).item())
    assert [book.find(pa.array([value])).item() for value in wanted] == expected


@pytest.mark.parametrize("n", [0, 1, 100, 5_000, 300_000])
def test_sketch(n: int) -> None:
    registers = sketch.new_registers()
    for part in np.array_split(np.arange(n), 3):
        sketch.add(registers, hash_integers(np.concatenate([part, part])))
    assert abs(sketch.estimate(registers) - n) <= 5 * 0.016 * n
