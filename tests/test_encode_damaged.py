"""Files with encoders that are damaged or hostile: `FormatError`, never anything worse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import rewrite

import pyfm
from pyfm import FormatError
from pyfm.encode import Buckets, Categorical, Cross, Hashed, Multi
from pyfm.encode.stored import from_parts, to_parts

TABLE: dict[str, Any] = {
    "s": ["a", "bb", "a", None],
    "n": [5, 6, 5, 7],
    "x": [0.5, 1.5, 2.5, None],
    "b": [1.0, 2.0, 3.0, 4.0],
    "h": ["p", "q", "r", "p"],
    "t": [["u"], [], ["v", "u"], None],
}
KINDS: dict[str, Any] = {
    "s": Categorical(min_count=2), "n": "categorical", "x": "real", "b": Buckets([2.0, 3.0]),
    "h": Hashed(4), "t": Multi(),
}  # fmt: skip


def encoder() -> pyfm.FieldEncoder:
    return pyfm.FieldEncoder(KINDS, crosses=[Cross(["s", "n"], Categorical())]).fit(TABLE)


def model() -> pyfm.FMClassifier:
    rows = encoder().transform(TABLE)
    return pyfm.FMClassifier(epochs=1, random_state=0).fit(rows, [0, 1, 1, 0])


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def put(*keys: Any, value: Any) -> Change:
    """Sets an entry of the JSON."""

    def change(parts: dict[str, Any], tensors: dict[str, Any]) -> None:
        inner: Any = parts
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value

    return change


def drop(*keys: Any) -> Change:
    def change(parts: dict[str, Any], tensors: dict[str, Any]) -> None:
        inner: Any = parts
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]

    return change


def tensor(name: str, value: Any) -> Change:
    """Sets a tensor, or removes it."""

    def change(parts: dict[str, Any], tensors: dict[str, Any]) -> None:
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value

    return change


def known_candidate(parts: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["0.candidates"] = tensors["0.entries"]
    tensors["0.candidates.offsets"] = tensors["0.entries.offsets"]


# Fields are s 0, n 1, x 2, b 3, h 4, t 5, s×n 6.
DAMAGES: dict[str, tuple[Change, str]] = {
    "no fields": (put("fields", value=[]), "encoder: fields: expected a list of 1"),
    "fields of another type": (put("fields", value=5), "encoder: fields"),
    "an entry is missing": (drop("kinds"), "encoder: expected the entries"),
    "a kind is missing": (put("kinds", value=[["s", None]]), "encoder: kinds: expected a kind"),
    "kinds that are no pairs": (put("kinds", value=[["s"]]), "encoder: kinds: expected a list of"),
    "a column twice": (put("kinds", value=[["s", None]] * 2), "encoder: kinds: expected diff"),
    "a kind of no name": (put("kinds", 0, 1, "kind", value=[]), "kind: expected one of"),
    "a kind with a wrong number": (put("kinds", 0, 1, "min_count", value=0), "min_count"),
    "a kind with more": (put("kinds", 0, 1, "more", value=0), "kind: expected the entries"),
    "columns": (put("columns", value="s"), "encoder: columns: expected a list"),
    "remainder": (put("remainder", value={}), "remainder: expected"),
    "target": (put("target", value=5), "target: expected"),
    "crosses": (put("crosses", value=[[5, 5]]), "kind: expected one of"),
    "crosses of buckets": (put("crosses", 0, 1, value={"kind": "real", "standardize": True}),
                           "kind: expected categorical or hashed"),
    "too few features": (put("n_features", value=7), "blocks: expected 7 ids together"),
    "no number of features": (put("n_features", value="7"), "n_features"),
    "a name twice": (put("fields", 1, "name", value="s"), "field 1: name"),
    "no reader": (put("fields", 0, "reader", value=None), "field 0: reader"),
    "a reader of no name": (put("fields", 0, "reader", "kind", value=5), "reader: expected one"),
    "a reader with more": (put("fields", 0, "reader", "more", value=5), "reader: expected the ent"),
    "a reader of another type": (put("fields", 0, "reader", "type", value="int64"), "book: exp"),
    "a reader of no type": (put("fields", 0, "reader", "type", value="int"), "reader: type"),
    "a column of no name": (put("fields", 0, "reader", "column", value=5), "reader: column"),
    "no scale": (put("fields", 2, "reader", "scale", value=0), "reader: scale: expected a number"),
    "an endless mean": (put("fields", 2, "reader", "mean", value=float("inf")), "reader: mean"),
    "edges that decrease": (put("fields", 3, "reader", "edges", value=[3.0, 2.0]), "reader: edges"),
    "edges that are none": (put("fields", 3, "reader", "edges", value=5), "reader: edges"),
    "more edges": (put("fields", 3, "reader", "edges", value=[2.0, 3.0, 4.0]), "book: expected"),
    "a longer range": (put("fields", 3, "book", "high", value=9), "blocks: expected 11 ids"),
    "an empty range": (put("fields", 3, "book", "high", value=-1), "book: high"),
    "no book": (put("fields", 0, "book", value=[]), "book: expected a range"),
    "a book of another type": (put("fields", 0, "book", "type", value="int64"), "field 0: "),
    "a book of no type": (put("fields", 0, "book", "type", value=[]), "book: type"),
    "hashes of a vocabulary": (
        put("fields", 4, "book", "settings",
            value={"kind": "categorical", "min_count": 1, "max_size": None}),
        "book: settings: expected those of hashes"),
    "more hashes": (put("fields", 4, "book", "settings", "n_bits", value=31), "blocks: expected"),
    "a vocabulary of hashes": (
        put("fields", 0, "book", "settings", value={"kind": "hashed", "n_bits": 4, "seed": 0}),
        "book: settings: expected those of a vocabulary"),
    "no blocks": (put("fields", 0, "blocks", value=[]), "blocks: expected a list of runs"),
    "blocks of no length": (put("fields", 0, "blocks", value=[[0, 0]]), "blocks"),
    "blocks that overlap": (put("fields", 0, "blocks", value=[[1, 3]]), "blocks: expected a run"),
    "blocks beyond all": (put("fields", 0, "blocks", value=[[2**32, 3]]), "blocks"),
    "a cross of a list": (put("fields", 6, "reader", "fields", value=["s", "t"]), "reader: fields"),
    "a cross of later fields": (put("fields", 6, "reader", "fields", value=["s", "s×n"]), "reader"),
    "a cross of three": (put("fields", 6, "reader", "fields", value=["s", "n", "b"]), "blocks"),
    "a tensor is missing": (tensor("0.entries", None), "'0.entries' among them"),
    "a tensor too many": (tensor("0.more", np.zeros(1)), "tensors of the encoder: expected"),
    "of another type": (tensor("0.entries", np.zeros(1, np.int64)), "0.entries: expected uint8"),
    "two-dimensional": (tensor("1.entries", np.zeros((3, 1), np.int64)), "1.entries: expected"),
    "a value twice": (tensor("1.entries", np.array([5, 6, 5])), "values: expected different ones"),
    "more values": (tensor("1.entries", np.arange(4)), "blocks: expected 6 ids"),
    "offsets that decrease": (tensor("5.entries.offsets", np.array([0, 3, 2])), "offsets that do"),
    "offsets beyond": (tensor("5.entries.offsets", np.array([0, 1, 9])), "offsets from 0 to 2"),
    "no offsets": (tensor("5.entries.offsets", np.empty(0, np.int64)), "offsets from 0 to 2"),
    "no UTF-8": (tensor("5.entries", np.array([0xC3, 0x28], np.uint8)), "UTF8"),
    "other counts": (tensor("0.counts", np.array([1, 1])), "counts: expected 1 of them"),
    "negative counts": (tensor("0.counts", np.array([-1])), "counts: expected numbers >= 1"),
    "a known candidate": (known_candidate, "values: expected different ones"),
    "fewer registers": (tensor("4.registers", np.zeros(5, np.uint8)), "registers: expected 4096"),
    "high registers": (tensor("4.registers", np.full(4096, 99, np.uint8)), "registers: expected"),
}  # fmt: skip


def parts() -> tuple[dict[str, Any], dict[str, Any]]:
    found, tensors = to_parts(encoder(), candidates=True)
    return json.loads(json.dumps(found)), dict(tensors)


def test_what_is_not_damaged_is_read() -> None:
    found, tensors = parts()
    assert from_parts(found, tensors).extends(encoder())


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_parts(damage: str) -> None:
    change, message = DAMAGES[damage]
    found, tensors = parts()
    change(found, tensors)
    with pytest.raises(ValueError, match=message):
        from_parts(found, tensors)


@pytest.mark.parametrize("given", [None, [], {}, 5, "x"])
def test_no_parts(given: Any) -> None:
    with pytest.raises(ValueError, match="encoder: expected the entries"):
        from_parts(given, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header, metadata: metadata.update(encoder=None), "tensors: expected none of an"),
        (lambda header, metadata: metadata.update(encoder=[]), "encoder: expected the entries"),
        (lambda header, metadata: metadata["inputs"].update(kind="tables"), "inputs.kind"),
        (lambda header, metadata: header["encoder.1.entries"].update(dtype="F64"), "U8, I64"),
        (lambda header, metadata: header["encoder.4.registers"].update(shape=[64, 64]), "shape"),
    ],
)  # fmt: skip
def test_damaged_model_files(change: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    model().save(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=f"model: .*{message}"):
        pyfm.load(path)


def test_tables_need_an_encoder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    pyfm.FMClassifier(epochs=1).fit({"a": ["u", "v"]}, [0, 1]).save(path)

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        metadata["encoder"] = None

    rewrite(path, change)
    with pytest.raises(FormatError, match="metadata: encoder: expected that of the tables"):
        pyfm.load(path)


def test_truncated_model_files(tmp_path: Path) -> None:
    path = tmp_path / "model"
    model().save(path, optimizer_state=True)
    content = path.read_bytes()
    for size in range(0, len(content), 97):
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match="model: "):
            pyfm.load(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, Path]:
    folder = tmp_path_factory.mktemp("files")
    model().save(folder / "model")
    encoder().transform(TABLE).save(folder / "rows")
    return (folder / "model").read_bytes(), (folder / "rows").read_bytes(), folder / "damaged"


FLIPS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 255)), min_size=1, max_size=4)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=FLIPS, rows=st.booleans())
def test_flipped_bytes(
    flips: list[tuple[int, int]], rows: bool, files: tuple[bytes, bytes, Path]
) -> None:
    """Either it is found, or what is read still works."""
    *contents, path = files
    content = bytearray(contents[rows])
    for place, bits in flips:
        content[place % len(content)] ^= bits
    path.write_bytes(content)
    try:
        if rows:
            pyfm.Dataset.open(path, verify=False).encoder.transform(TABLE)  # type: ignore[union-attr]
        else:
            pyfm.load(path).predict(TABLE)
    except ValueError:  # FormatError, or columns of other names
        pass


def test_data_files_hold_encoders(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    made = encoder()
    rows = made.transform(TABLE)
    rows.save(path)
    found = pyfm.Dataset.open(path)
    assert isinstance(found.encoder, pyfm.FieldEncoder)
    assert found.encoder.extends(made)
    assert found[1:].encoder is found.encoder
    fitted = pyfm.FMClassifier(epochs=1, random_state=0).fit(found, [0, 1, 1, 0])
    assert (fitted.predict_proba(TABLE) == model().predict_proba(TABLE)).all()
    # Counts of rare values go on.
    more = {name: values[1:2] for name, values in TABLE.items()}
    assert "s=bb" in found.encoder.partial_fit(more).get_feature_names_out()
