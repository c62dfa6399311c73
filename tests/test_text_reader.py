"""Text to rows: both formats, any cut into blocks, any number of threads, and every refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import Entry, Format, libffm_text, read, rows_of

from pyfm._core import FormatError, TextReader
from pyfm.dataset import Dataset

Rows = list[tuple[float, list[Entry]]]


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
features = st.integers(0, (1 << 32) - 1) | st.integers(0, 200)
fields = st.integers(0, (1 << 16) - 1) | st.integers(0, 3)
values = st.just(1.0) | floats
sparse_rows = st.lists(st.tuples(floats, st.lists(st.tuples(fields, features, values))), min_size=1)
regular_rows = st.integers(0, 5).flatmap(
    lambda n: st.lists(
        st.tuples(
            floats,
            st.lists(st.tuples(features, values), min_size=n, max_size=n).map(
                lambda entries: [(f, j, x) for f, (j, x) in enumerate(entries)]
            ),
        ),
        min_size=1,
    )
)
endings = st.sampled_from(["\n", "\r\n", " \n", "\t# comment\n", "\n\n", "\n   \n#\n"])
blanks = st.sampled_from([" ", "\t", "  "])


def write(rows: Rows, text_format: Format, ending: str, blank: str) -> bytes:
    lines = []
    for y, entries in rows:
        columns = [repr(y)]
        for f, j, x in entries:
            value = "1" if x == 1 else repr(x)
            columns.append(f"{f}:{j}:{value}" if text_format == "libffm" else f"{j}:{value}")
        lines.append(blank.join(columns) + ending)
    return "".join(lines).encode()


@pytest.mark.parametrize("text_format", ["libffm", "libsvm"])
@given(rows=sparse_rows | regular_rows, ending=endings, blank=blanks, data=st.data())
def test_round_trip(
    text_format: Format, rows: Rows, ending: str, blank: str, data: st.DataObject
) -> None:
    text = write(rows, text_format, ending, blank)
    if data.draw(st.booleans(), label="the last line has no end"):
        text = text.rstrip(b"\r\n")
    cut = data.draw(st.integers(0, len(text)), label="cut")
    n_threads = data.draw(st.sampled_from([1, 3]), label="n_threads")
    expected = rows
    if text_format == "libsvm":
        expected = [(y, [(0, j, x) for _, j, x in entries]) for y, entries in rows]
    found = read(text, text_format, n_threads, cut)
    assert rows_of(found) == expected
    assert found.n_features == max((j + 1 for _, e in expected for _, j, _ in e), default=0)
    assert found.n_fields == max((f + 1 for _, e in expected for f, _, _ in e), default=0)


def test_every_cut_gives_the_same_rows() -> None:
    text = b"1 0:12345678:1 1:9:0.25\r\n\n-1 0:3:1 1:123456789:1 # comment\n0 1:2:-3e2"
    whole = rows_of(read(text))
    assert whole[2] == (0.0, [(1, 2, -300.0)])
    for cut in range(len(text) + 1):
        assert rows_of(read(text, cut=cut)) == whole
    reader = TextReader(name="text", format="libffm", n_threads=2)
    for byte in text:
        reader.feed(bytes([byte]))
    assert rows_of(Dataset(reader.finish())) == whole


def test_what_is_implied_is_not_stored() -> None:
    text = libffm_text(1000)
    regular = read(text)
    assert regular.layout == "one_per_field"
    assert regular.nbytes == 1000 * (6 * 4 + 4)
    valued = read(text + b"1 0:1:1 1:1:1 2:1:1 3:1:1 4:1:1 5:1:0.5\n")
    assert valued.layout == "one_per_field"
    assert rows_of(valued)[:-1] == rows_of(regular)
    for last in (b"1\n", b"1 0:1:1\n", b"1 1:1:1 0:1:1 2:1:1 3:1:1 4:1:1 5:1:1\n"):
        irregular = read(text + last)
        assert irregular.layout == "csr"
        assert irregular.core.values is None
        assert rows_of(irregular)[:-1] == rows_of(regular)


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_threads_do_not_matter(n_threads: int, tmp_path: Path) -> None:
    long_text = libffm_text(20_000)
    path = tmp_path / "rows.ffm"
    path.write_bytes(long_text)
    one = Dataset.from_libffm(path, n_threads=1)
    many = Dataset.from_libffm(path, n_threads=n_threads)
    assert np.array_equal(one.core.features, many.core.features)
    assert np.array_equal(np.asarray(one.y), np.asarray(many.y))

    lines = long_text.split(b"\n")
    lines[15_000] = lines[9_000] = lines[19_000] = b"1 0:1:1 1:x:1"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(FormatError, match=r"rows\.ffm:9001:11: expected a feature id"):
        Dataset.from_libffm(path, n_threads=n_threads)


def test_a_line_of_any_length() -> None:
    n = 300_000
    text = "1 " + " ".join(f"0:{j}:1" for j in range(n)) + "\n0 0:1:1\n"
    data = read(text.encode(), n_threads=2)
    assert (data.n_rows, data.nnz) == (2, n + 1)
    assert np.array_equal(data.core.features[:-1], np.arange(n))


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1", 1), ("+1", 1), ("-1", -1), ("1.", 1), (".5", 0.5), ("-0", 0), ("1e3", 1000),
        ("+2.5E-1", 0.25), ("16777217", 16777216), ("0.1", np.float32(0.1)), ("1e-50", 0),
        ("1e-400", 0), ("123456789012345678901234567890", np.float32(1.2345679e29)),
        ("0.333333343", np.float32(1 / 3)), ("00000000000000000000012", 12),
    ],
)  # fmt: skip
def test_numbers(number: str, value: float) -> None:
    text = f"{number} 0:1:{number}"
    assert rows_of(read(text.encode())) == [(value, [(0, 1, value)])]


def outcome(text: bytes, text_format: Format, n_threads: int, cut: int) -> object:
    try:
        return rows_of(read(text, text_format, n_threads, cut))
    except FormatError as error:
        return str(error)


@pytest.mark.parametrize("text_format", ["libffm", "libsvm"])
@given(
    text=st.text("0123456789:.-+en# \t\r\n\0é", max_size=60).map(str.encode),
    cut=st.integers(0, 60),
)
def test_any_text_gives_rows_or_the_same_error(text_format: Format, text: bytes, cut: int) -> None:
    whole = outcome(text, text_format, 1, 0)
    assert outcome(text, text_format, 3, cut) == whole
    assert outcome(text * 2, text_format, 1, cut) == outcome(text * 2, text_format, 3, 0)


END = "found the end of the line"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("x 0:1:1", "1:1", "expected a label (a finite number), found 'x'"),
        ("nan 0:1:1", "1:1", "expected a label (a finite number), found 'nan'"),
        ("inf 0:1:1", "1:1", "expected a label (a finite number), found 'inf'"),
        ("0:1:1", "1:1", "expected a label (a finite number), found '0:1:1'"),
        ("1,0:1:1", "1:1", "expected a label (a finite number), found '1,0:1:1'"),
        ("+-1 0:1:1", "1:1", "expected a label (a finite number), found '+-1'"),
        ("1 0", "1:4", "expected ':' after the field id, " + END),
        ("1 0:", "1:5", "expected a feature id in [0, 4294967296), " + END),
        ("1 0:1", "1:6", "expected ':' and a value after the feature id, " + END + " (libffm"),
        ("1 0:1:", "1:7", "expected a value (a finite number), " + END),
        ("1 0:1:\n1 0:1:1", "1:7", "expected a value (a finite number), " + END),
        ("1 0:1:#", "1:7", "expected a value (a finite number), " + END),
        ("1 0: 1:1", "1:5", "expected a feature id in [0, 4294967296), found a blank"),
        ("1 a:1:1", "1:3", "expected a field id in [0, 65536), found 'a:1:1'"),
        ("1 -1:1:1", "1:3", "expected a field id in [0, 65536), found '-1:1:1'"),
        ("1 65536:1:1", "1:3", "expected a field id in [0, 65536), found '65536:1:1'"),
        ("1 1.5:1:1", "1:4", "expected ':' after the field id, found '.5:1:1'"),
        ("1 0:b:1", "1:5", "expected a feature id in [0, 4294967296), found 'b:1'"),
        ("1 0:-2:1", "1:5", "expected a feature id in [0, 4294967296), found '-2:1'"),
        ("1 0:4294967296:1", "1:5", "expected a feature id in [0, 4294967296)"),
        ("1 0:18446744073709551616:1", "1:5", "expected a feature id in [0, 4294967296)"),
        ("1 0:1:x", "1:7", "expected a value (a finite number), found 'x'"),
        ("1 0:1:1x", "1:7", "expected a value (a finite number), found '1x'"),
        ("1 0:1:0x10", "1:7", "expected a value (a finite number), found '0x10'"),
        ("1 0:1:nan", "1:7", "expected a value (a finite number), found 'nan'"),
        ("1 0:1:-Infinity", "1:7", "expected a value (a finite number), found '-Infinity'"),
        ("1 0:1:1e39", "1:7", "expected a value (a finite number), found '1e39'"),
        ("1 0:1:1e400", "1:7", "expected a value (a finite number), found '1e400'"),
        ("1 0:1:1\n\n# all\n 0\t0:1:y", "4:8", "expected a value (a finite number), found 'y'"),
        ("1 \0 0:1:1", "1:3", "expected a field id in [0, 65536), found '\\x00'"),
        ("1 é:1:1", "1:3", "expected a field id in [0, 65536), found '\\xc3\\xa9:1:1'"),
        ("1 0:1:" + "9" * 99, "1:7", "found '999999999999999999999999…'"),
        ("", "1:1", "expected at least one row"),
        ("\n \r\n# none\n", "1:1", "expected at least one row"),
    ],
)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_errors_say_where_and_what(text: str, where: str, message: str, n_threads: int) -> None:
    with pytest.raises(FormatError) as error:
        read(text.encode(), n_threads=n_threads)
    assert str(error.value).startswith(f"text:{where}: expected ")
    assert message in str(error.value)


def test_each_format_recognizes_the_other() -> None:
    with pytest.raises(FormatError, match="feature:value is libsvm"):
        read(b"1 3:1 4:1")
    with pytest.raises(FormatError, match="field:feature:value is libffm"):
        read(b"1 0:3:1 1:4:1", "libsvm")
    assert issubclass(FormatError, ValueError)


def test_blocks_of_any_kind_of_bytes() -> None:
    reader = TextReader(name="text", format="libffm", n_threads=1)
    reader.feed(bytearray(b"1 0:1:1\n"))
    reader.feed(memoryview(b"0 0:2:1\n"))
    assert rows_of(Dataset(reader.finish())) == [(1.0, [(0, 1, 1.0)]), (0.0, [(0, 2, 1.0)])]
