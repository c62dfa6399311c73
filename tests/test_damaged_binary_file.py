"""Data files that are missing, damaged or hostile: `FormatError`, and nothing allocated."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyfm
from pyfm import Dataset, FormatError
from pyfm.data_file.layout import DTYPES, checksum_text, header, is_data_file, padding
from pyfm.datasets.criteo_encoder import CriteoEncoder
from pyfm.datasets.criteo_text import N_FIELDS

TOKENS = tuple(np.arange(f % 3, dtype=np.int64) for f in range(N_FIELDS))
DATA = Dataset(
    Dataset.from_arrays(
        [0, 2, 2, 5],
        [3, 1, 0, 3, 2],
        fields=[0, 1, 0, 0, 2],
        values=[1, 0.5, -2, 3, 1],
        y=[1, 0, 1],
        sample_weight=[1, 2, 3],
    ).core,
    encoder=CriteoEncoder(TOKENS),
)
SMALL = Dataset.from_ids([[0, 2], [1, 3], [0, 3]], [1, 0, 1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    DATA.save(tmp_path / "rows")
    return tmp_path / "rows"


def test_missing_directory_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        Dataset.open(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        Dataset.open(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="expected a file, found a pipe") as error:
        Dataset.open(tmp_path / "pipe")
    assert error.value.filename == str(tmp_path / "pipe")


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"1 0:1:1\n" * 20, b"\xff" * 200, b"\0" * 200], ids=repr
)
def test_something_else(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"rows: expected a data file of pyfm, .*, found "):
        Dataset.open(path)
    assert not is_data_file(path)


def test_a_model_is_no_data_file(tmp_path: Path) -> None:
    pyfm.LinearClassifier(epochs=1).fit(SMALL).save(tmp_path / "model")
    with pytest.raises(FormatError, match="model: expected a data file of pyfm"):
        Dataset.open(tmp_path / "model")
    SMALL.save(tmp_path / "rows")
    with pytest.raises(FormatError, match="rows: expected a model of pyfm, found a data set"):
        pyfm.load(tmp_path / "rows")


@pytest.mark.parametrize("verify", [True, False])
def test_truncated_anywhere_or_longer(verify: bool, path: Path) -> None:
    content = path.read_bytes()
    for size in reversed(range(len(content))):
        os.truncate(path, size)
        with pytest.raises(FormatError, match=f"^{re.escape(str(path))}: .*expected .*, found"):
            Dataset.open(path, verify=verify)
    path.write_bytes(content + b"\0")
    with pytest.raises(FormatError, match=f"expected {len(content)} bytes, as the header says"):
        Dataset.open(path, verify=verify)


def test_any_bit_flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for position in range(len(content)):
        content[position] ^= 1 << position % 8
        path.write_bytes(content)
        with pytest.raises(FormatError) as error:
            Dataset.open(path)
        assert str(error.value).startswith(f"{path}: ")
        content[position] ^= 1 << position % 8
    path.write_bytes(content)
    assert Dataset.open(path).y is not None


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_checksums_ids_are_still_in_range(position: int, value: int, path: Path) -> None:
    DATA.save(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    try:
        core = Dataset.open(path, verify=False).core
    except FormatError:
        return
    assert core.indptr is not None
    assert core.fields is not None
    assert core.features.max() < core.n_features == 4
    assert core.fields.max() < core.n_fields == 3
    assert core.indptr[-1] == 5 == len(core.features)


# --- hostile: everything fits together, headers and checksums included ----------------------------


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the metadata, and makes the header that belongs to it."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    text = json.loads(content[8 : 8 + size])["__metadata__"]["pyfm_dataset"]
    metadata = json.loads(text)
    replaced = change(metadata)
    text = replaced if isinstance(replaced, str) else json.dumps(metadata)
    try:
        lengths = {name: length for name, (length, _) in metadata["sections"].items()}
        start = header(text, lengths)
    except Exception:  # the metadata describe no header: any will do
        start = header(text, {})
    path.write_bytes(start + content[8 + size :])


def put(*keys: str, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(metadata: dict[str, Any]) -> None:
        for key in keys[:-1]:
            metadata = metadata[key]
        metadata[keys[-1]] = value

    return change


def drop(*keys: str) -> Callable[[dict[str, Any]], object]:
    def change(metadata: dict[str, Any]) -> None:
        for key in keys[:-1]:
            metadata = metadata[key]
        del metadata[keys[-1]]

    return change


def raw(text: str) -> Callable[[dict[str, Any]], object]:
    return lambda metadata: text


HOSTILE = {
    "newer": (put("format_version", value=2), r"expected format version 1, found 2, written by py"),
    "old": (put("format_version", value=0), "format_version: expected an integer >= 1, found 0"),
    "version of another type": (put("format_version", value="1"), "format_version: expected an"),
    "version true": (put("format_version", value=True), "format_version: expected an integer"),
    "no version": (drop("format_version"), "format_version: expected an integer"),
    "no json": (raw("{"), "rows: "),
    "json of another kind": (raw("[1]"), "metadata: expected dict, found 'list'"),
    "deep json": (raw("[" * 100_000), "nested too deeply"),
    "a number of many digits": (raw('{"format_version": ' + "1" * 10_000 + "}"), "rows: "),
    "half a character": (put("library_version", value="\ud800"), None),
    "no sections": (drop("sections"), "metadata: sections: expected dict"),
    "sections of another type": (put("sections", value=[]), "metadata: sections: expected dict"),
    "unknown section": (put("sections", "x", value=[0, ""]), "sections: expected names among"),
    "section without checksum": (put("sections", "y", value=[3]), "sections.y: expected a length"),
    "checksum of another type": (put("sections", "y", value=[3, 0]), "y: checksum: expected str"),
    "negative length": (put("sections", "y", value=[-1, ""]), "y: length: expected an integer in"),
    "fractional length": (put("sections", "y", value=[3.0, ""]), "y: length: expected an integer"),
    "length beyond the file": (put("sections", "y", value=[10**6, ""]), "y: length: expected"),
    "length that overflows": (put("sections", "y", value=[2**62, ""]), "y: length: expected"),
    "another length": (put("sections", "y", value=[2, ""]), "y: expected the checksum"),
    "no rows": (drop("n_rows"), "n_rows: expected an integer in"),
    "more rows": (put("n_rows", value=4), "indptr: expected length 5"),
    "fewer rows": (put("n_rows", value=2), "indptr: expected length 3"),
    "huge rows": (put("n_rows", value=2**63 - 1), "n_rows: expected an integer in"),
    "negative rows": (put("n_rows", value=-1), "n_rows: expected an integer in"),
    "rows of words": (put("n_rows", value="3"), "n_rows: expected an integer in"),
    "infinite rows": (put("n_rows", value=float("inf")), "n_rows: expected an integer in"),
    "fewer features": (put("n_features", value=3), r"row 0: expected a feature id in \[0, 3\)"),
    "too many features": (put("n_features", value=2**32 + 1), "n_features: expected an integer"),
    "fewer fields": (put("n_fields", value=2), r"row 2: expected a field id in \[0, 2\)"),
    "too many fields": (put("n_fields", value=2**16 + 1), "n_fields: expected an integer in"),
    "a section less": (drop("sections", "encoder.sizes"), "expected .* bytes, as the header says"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_metadata(case: str, path: Path) -> None:
    change, message = HOSTILE[case]
    rewrite(path, change)
    if message is None:
        Dataset.open(path)
        return
    with pytest.raises(FormatError, match=message) as error:
        Dataset.open(path)
    assert str(error.value).startswith(f"{path}: ")


def craft(path: Path, sections: dict[str, Any]) -> None:
    """A file of three rows, four features and two fields, with these sections, in good order."""
    arrays = {name: np.array(values, DTYPES[name]) for name, values in sections.items()}
    metadata = {"format_version": 1, "n_rows": 3, "n_features": 4, "n_fields": 2}
    entries = {name: [len(array), checksum_text(array)] for name, array in arrays.items()}
    text = json.dumps(metadata | {"sections": entries})
    content = [array.tobytes() + bytes(padding(array.nbytes)) for array in arrays.values()]
    path.write_bytes(
        b"".join([header(text, {name: len(array) for name, array in arrays.items()}), *content])
    )


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({}, "sections: expected 'features' among them, found"),
        ({"y": [1, 0, 1]}, "sections: expected 'features'"),
        ({"features": []}, "indices: expected n_rows"),
        ({"features": [0] * 7}, "indices: expected n_rows"),
        ({"features": [0] * 6, "y": [1]}, "y: expected length 3"),
        ({"features": [0] * 6, "weight": [1] * 4}, "sample_weight: expected length 3"),
        ({"features": [0] * 6, "values": [1] * 5}, "values: expected length 6"),
        ({"features": [0] * 6, "fields": [1] * 5}, "fields: expected length 6"),
        ({"features": [0] * 6, "indptr": [0, 6]}, "indptr: expected length 4"),
        ({"features": [0] * 6, "encoder.tokens": []}, "sections: expected both of"),
        ({"features": [0] * 6, "encoder.tokens": [], "encoder.sizes": []}, "encoder: expected 39"),
    ],
)  # fmt: skip
def test_sections_that_do_not_fit_together(
    sections: dict[str, Any], message: str, tmp_path: Path
) -> None:
    craft(tmp_path / "rows", sections)
    with pytest.raises(FormatError, match=f"rows: .*{message}"):
        Dataset.open(tmp_path / "rows")


def test_sections_in_any_order(tmp_path: Path) -> None:
    craft(tmp_path / "rows", {"y": [1, 0, 1], "values": [], "features": [0, 1, 2, 3, 0, 1]})
    data = Dataset.open(tmp_path / "rows")
    assert data.layout == "one_per_field"
    assert data.core.features.tolist() == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("n_rows", [2**62, 10**6])
def test_rows_of_nothing_are_not_believed(n_rows: int, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    Dataset.from_ids(np.empty((0, 0), int)).save(path)
    rewrite(path, put("n_rows", value=n_rows))
    with pytest.raises(FormatError, match="n_rows: expected an integer in"):
        Dataset.open(path)


def test_huge_headers_are_not_read(path: Path) -> None:
    content = path.read_bytes()
    for size in (0, 5, len(content) - 7, 2**20 + 1, 2**63, 2**64 - 1):
        path.write_bytes(size.to_bytes(8, "little") + content[8:])
        with pytest.raises(FormatError, match="header: size: expected an integer in"):
            Dataset.open(path)


def test_a_second_metadata_entry(path: Path) -> None:
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    for entry in (b"3", b"{}", b'{"pyfm_dataset":3}'):
        text = content[8 : 8 + size].rstrip()[:-1] + b',"__metadata__":' + entry + b"}"
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
        with pytest.raises(FormatError, match=r"header: metadata.*: expected"):
            Dataset.open(path)


def overwrite(path: Path, name: str, values: np.ndarray[Any, Any]) -> None:
    """Puts other values into a section; the checksum stays."""
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[:8], "little")
    start = 8 + size + json.loads(content[8 : 8 + size])[name]["data_offsets"][0]
    content[start : start + values.nbytes] = values.tobytes()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("indptr", np.array([1], "<i8"), "indptr: expected to start at 0"),
        ("indptr", np.array([0, 4, 2, 5], "<i8"), "indptr: expected non-decreasing"),
        ("indptr", np.array([0, 2, 2, 2**60], "<i8"), "indptr: expected to end at 5"),
        ("indptr", np.array([0, -(2**63), 2, 5], "<i8"), "indptr: expected non-decreasing"),
        ("features", np.array([2**32 - 1], "<u4"), r"row 0: expected a feature id in \[0, 4\)"),
        ("fields", np.array([3], "<u2"), r"row 0: expected a field id in \[0, 3\)"),
        ("values", np.array([np.nan], "<f4"), "row 0: expected a finite value"),
        ("y", np.array([np.inf], "<f4"), "row 0: expected a finite y"),
        ("weight", np.array([-1], "<f4"), "row 0: expected a finite sample_weight"),
        ("encoder.sizes", np.array([1], "<i8"), "encoder: expected fields of 39 tokens"),
        ("encoder.sizes", np.array([-1, 2], "<i8"), "encoder: expected fields of 39 tokens"),
        ("encoder.sizes", np.array([2**62] * 4, "<i8"), "encoder: expected fields of 39 tokens"),
        ("encoder.tokens", np.array([0, 9], "<i8"), "encoder: expected increasing tokens"),
    ],
)  # fmt: skip
def test_wrong_contents(name: str, values: np.ndarray[Any, Any], message: str, path: Path) -> None:
    overwrite(path, name, values)
    with pytest.raises(FormatError, match=f"{re.escape(name)}: expected the checksum '"):
        Dataset.open(path)
    with pytest.raises(FormatError, match=f"^{re.escape(str(path))}: {message}"):
        Dataset.open(path, verify=False)
