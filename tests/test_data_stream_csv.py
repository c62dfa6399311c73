"""CSV files as they are found: line ends, empty lines, values of several lines, types by file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_data_stream_sources import joined

import pyfm
from pyfm import Dataset, FieldEncoder, FormatError
from pyfm.encode import Real
from pyfm.encode.csv_lines import CheckedText

SEVERAL_LINES = {"newlines_in_values": True}


def stream(path: Any, **options: Any) -> Any:
    return Dataset.stream(path, encoder=FieldEncoder(target="click"), csv_options=options or None)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def rows_of(text: str) -> list[int]:
    """The line in which each row begins that is not empty, a character at a time."""
    found, line, begins, content, is_open = [], 1, 1, "", False
    for c in text:
        if c == '"':
            is_open = not is_open
        if c == "\n" and not is_open:
            if content not in ("", "\r"):
                found.append(begins)
            begins, content = line + 1, ""
        else:
            content += c
        line += c == "\n"
    return [*found, begins]


values = st.text(st.sampled_from('ab,\n\r"'), max_size=4)


@given(
    rows=st.lists(st.lists(values, max_size=3), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=20),
)
def test_the_lines_of_rows(rows: Any, line_end: str, sizes: list[int]) -> None:
    """However the text is cut into blocks."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    for row in rows:
        writer.writerow(row)  # an empty line for a row without values
    text = written.getvalue()
    blocks: list[bytes] = []
    at = 0
    while at < len(text):
        blocks.append(text[at : at + sizes[len(blocks) % len(sizes)]].encode())
        at += len(blocks[-1])
    checked = CheckedText("", iter(blocks), newlines_in_values=True)
    assert checked.readall() == text.encode()
    expected = rows_of(text)
    assert [checked.line_of(i + 1) for i in range(len(expected))] == expected


def test_values_of_several_lines(tmp_path: Path) -> None:
    text = 'click,note,n\r\n1,"a\r\nb, ""c""",1\r\n\r\n0,"\n\n",2\r\n1,plain,3\r\n'
    path = write(tmp_path / "a.csv", text)
    data = joined(stream(path, **SEVERAL_LINES))
    encoder = data.encoder
    assert isinstance(encoder, FieldEncoder)
    names = encoder.get_feature_names_out()[data.core.features].reshape(3, 2)[:, 0].tolist()
    assert names == ['note=a\r\nb, "c"', "note=\n\n", "note=plain"]
    with pytest.raises(FormatError, match=r"a\.csv:2: expected quotes that are closed in their .*"
                       r"say csv_options=\{'newlines_in_values': True\}"):  # fmt: skip
        list(stream(path))
    model = pyfm.FMClassifier(epochs=1).fit(stream(path, **SEVERAL_LINES))
    assert len(model.predict(stream(path, **SEVERAL_LINES))) == 3


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ("1,a,1\n\n\n0,b,2,3\n", {}, r"a\.csv:5: Expected 3 columns, got 4"),
        ("1,a,1\r\n\r\n0,b,2\n0,b\n", {}, r"a\.csv:5: Expected 3 columns, got 2"),
        ('1,"a\nb",1\n\n0,b,2,3\n', SEVERAL_LINES, r"a\.csv:5: Expected 3 columns, got 4"),
        ('1,"a\nb",1\n0,"b,2\n1,c,3\n', SEVERAL_LINES, r"a\.csv:4: expected quotes that are clos"),
        ('1,"a\nb",1\n0,b,x\n', {**SEVERAL_LINES, "column_types": {"n": pa.int32()}},
         r"a\.csv:4: column number 3: CSV conversion error to int32: invalid value 'x'"),
        ("1,a," + "9" * (9 << 20) + "\n", {}, r"a\.csv:2: expected a line, .* of at most 4 MiB, f"),
        ('1,"' + "a\n" * (5 << 20) + '",1\n', SEVERAL_LINES, r"a\.csv:2: expected a line, or a ro"),
        ('1,a,1\n0,"b,2\n' + "1,c,3\n" * 2_000_000, SEVERAL_LINES,
         r"a\.csv:3: expected (a line, or a row|quotes that are closed, found)"),
    ],
)  # fmt: skip
def test_errors_name_the_line(lines: str, options: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "click,site,n\n" + lines)
    with pytest.raises(FormatError, match=message):
        list(stream(path, **options))


def test_a_header_that_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,a\n\n0,b\n1,c,d\n")
    with pytest.raises(FormatError, match=r"a\.csv:4: Expected 2 columns, got 3"):
        list(stream(path, column_names=["click", "site"]))


def test_lines_far_into_a_file(tmp_path: Path) -> None:
    """Of the last of many blocks, with rows of two lines and empty ones between."""
    text = "click,site\n" + '1,"a\nb"\n\n' * 2_000_000 + "0,b,c\n"
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(FormatError, match=r"a\.csv:6000002: Expected 2 columns, got 3"):
        list(stream(path, **SEVERAL_LINES))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_of_other_programs(line_end: str, mark: str, tmp_path: Path) -> None:
    """Line ends of Windows and of old Macs, a byte order mark."""
    plain = "click,site,n\n1,a,1\n0,b,2\n"
    path = write(tmp_path / "a.csv", mark + plain.replace("\n", line_end))
    expected = joined(stream(write(tmp_path / "b.csv", plain)))
    found = joined(stream(path))
    assert (found.core.features == expected.core.features).all()
    assert found.encoder is not None
    names = (found.encoder.get_feature_names_out(), expected.encoder.get_feature_names_out())  # type: ignore[union-attr]
    assert (names[0] == names[1]).all()


def test_which_words_are_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "click,country\n1,NA\n0,DE\n1,\n0,none\n")

    def names(**options: Any) -> list[str]:
        data = joined(stream(path, **options))
        assert isinstance(data.encoder, FieldEncoder)
        return list(data.encoder.get_feature_names_out()[data.core.features])

    missing = "country=<missing>"
    assert names() == [missing, "country=DE", missing, "country=none"]
    assert names(null_values=[""]) == ["country=NA", "country=DE", missing, "country=none"]
    assert names(null_values=["", "none"]) == ["country=NA", "country=DE", missing, missing]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null_values": "NA"}, r"csv_options\['null_values'\]: expected a list of strings"),
        ({"null_values": [1]}, r"csv_options\['null_values'\]: expected a list of strings"),
        ({"newlines_in_values": 1}, r"csv_options\['newlines_in_values'\]: expected True or Fals"),
    ],
)
def test_options(options: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        list(stream(write(tmp_path / "a.csv", "click,n\n1,1\n"), **options))


@pytest.mark.parametrize(
    ("first", "n"), [("", []), ("1,,\n0,,\n", [0, 0]), ("1,2,b\n0,3,b\n", [2, 3])]
)
def test_types_of_several_files(first: str, n: list[float], tmp_path: Path) -> None:
    """A column that is empty in the first file, or of whole numbers there, has its later type."""
    paths = [
        write(tmp_path / "0.csv", "click,n,s\n" + first),
        write(tmp_path / "1.csv", "n,click,s\n1.5,1,a\n2,0,b\n"),
    ]
    kinds: dict[str, Any] = {"n": Real(standardize=False), "s": "categorical"}
    data = joined(Dataset.stream(paths, encoder=FieldEncoder(kinds, target="click")))
    assert data.core.values is not None
    assert isinstance(data.encoder, FieldEncoder)
    expected = data.encoder.transform(pa.table({"n": [1.5, 2.0], "s": ["a", "b"]}))
    np.testing.assert_array_equal(data.core.features[-4:], expected.core.features)
    np.testing.assert_array_equal(data.core.values[-4:], [1.5, 1, 2, 1])
    assert len(data) == len(n) + 2


def test_types_that_no_type_holds(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.csv", f"click,n\n1,{i}\n0,{x}\n") for i, x in enumerate("1x")]
    with pytest.raises(
        ValueError, match=r"1\.csv: column 'n': expected int64, as in .*0\.csv, found"
    ):
        list(Dataset.stream(paths, encoder=FieldEncoder(target="click")))
