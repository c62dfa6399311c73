"""Model files that are missing, damaged or hostile: `FormatError`, and nothing allocated."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import rewrite

import pyfm
from pyfm import Dataset, FormatError

IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 20)
CLICKS = np.array([1, 0, 0, 1] * 20)


def fitted() -> pyfm.FMClassifier:
    return pyfm.FMClassifier(epochs=2, random_state=0).fit(IDS, CLICKS)


def test_missing_and_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        pyfm.load(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        pyfm.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 7, b"not a model at all", b"\xff" * 100, struct.pack("<Q", 2**63) + b"{}"],
)
def test_not_safetensors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="model: expected a safetensors file"):
        pyfm.load(path)


def test_truncated_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "model"
    fitted().save(path)
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match="model: "):
            pyfm.load(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(FormatError):
        pyfm.load(path)


def put(*keys: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Sets one entry of the metadata."""

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        for key in keys[:-1]:
            metadata = metadata[key]
        metadata[keys[-1]] = value

    return change


def drop(key: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Removes one entry of the metadata."""

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        del metadata[key]

    return change


def raw(text: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Sets all of the metadata."""

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header["__metadata__"]["pyfm"] = text

    return change


def tensor(name: str, **entries: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Changes what the header says of a tensor."""

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header[name] |= entries

    return change


def rename(old: str, new: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header[new] = header.pop(old)

    return change


def no_metadata(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    del header["__metadata__"]


def another_loss(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Makes a regressor of a classifier, without the parameters that regressors lack."""
    metadata["class"] = "FMRegressor"
    for name in ("class_weight", "negative_sampling", "label_smoothing"):
        del metadata["params"][name]


AUGMENTATION: dict[str, Any] = asdict(pyfm.Augmentation())

# The file is of an FMClassifier with 4 features, 8 factors, linear terms.
DAMAGES = {
    "no metadata": (no_metadata, "a safetensors file of something else"),
    "no json": (raw("{"), "model: "),
    "json of another kind": (raw("[1]"), "metadata: expected dict, found 'list'"),
    "deep json": (raw("[" * 100_000), "nested too deeply"),
    "newer format": (put("format_version", value=2), "expected format version 1, found 2"),
    "version of another type": (put("format_version", value="1"), "expected int, found 'str'"),
    "version true": (put("format_version", value=True), "expected int, found 'bool'"),
    **{
        f"no {key}": (drop(key), f"expected an entry '{key}'")
        for key in ("format_version", "class", "params", "spec", "inputs", "history")
    },
    "no version": (drop("library_version"), "an entry 'library_version'"),
    "no classes": (drop("classes"), "expected dict"),
    "control characters": (put("library_version", value="\x1b[2J"), "expected a version"),
    "no best epoch": (drop("best_epoch"), "an entry 'best_epoch'"),
    "unknown class": (put("class", value="Estimator"), "an estimator of pyfm, found 'Estimator'"),
    "another class": (put("class", value="FFMClassifier"), "spec.kind: expected 'ffm'"),
    "another task": (put("class", value="FMRegressor"), "unexpected keyword argument"),
    "another loss": (another_loss, "spec.loss: expected 'squared'"),
    "unknown parameter": (put("params", "depth", value=3), "depth"),
    "bad parameter": (put("params", "epochs", value=-1), "epochs: expected an integer >= 1"),
    "unknown optimizer": (
        put("params", "optimizer", value={"name": "x"}),
        "params.optimizer: expected one of sgd, ",
    ),
    "unknown schedule": (
        put("params", "learning_rate_schedule", value={"name": "step", "gamma": 0.5}),
        "params.learning_rate_schedule: expected one of constant, ",
    ),
    "bad schedule": (
        put("params", "learning_rate_schedule", value={"name": "exponential", "gamma": 2}),
        "Exponential.gamma: expected",
    ),
    "unhashable optimizer": (put("params", "optimizer", value={"name": []}), "model: "),
    "unknown spec": (put("spec", "depth", value=3), "metadata: spec: expected the entries"),
    "too many features": (put("spec", "n_features", value=2**32 + 1), "n_features: expected"),
    "more features": (put("spec", "n_features", value=2**32), "tensor (linear|factors): expected"),
    "fewer features": (put("spec", "n_features", value=3), "tensor (linear|factors): expected"),
    "no features": (put("spec", "n_features", value=0), "n_features: expected an integer in"),
    "fractional features": (put("spec", "n_features", value=4.0), "n_features: expected"),
    "too many fields": (put("spec", "n_fields", value=2**16 + 1), "n_fields: expected"),
    "more factors": (put("spec", "n_factors", value=9), "tensor factors: expected shape"),
    "no linear": (put("spec", "linear", value=False), "tensors: expected"),
    "another dtype": (put("spec", "dtype", value="float64"), "spec.dtype: expected one of"),
    "dtype of another type": (put("spec", "dtype", value=16), "spec.dtype: expected"),
    "narrower factors": (put("spec", "dtype", value="float16"), "factors: expected type F16"),
    "linear of another type": (put("spec", "linear", value=1), "spec.linear: expected bool"),
    "scale of another type": (put("spec", "init_scale", value="1"), "init_scale: expected float"),
    "positive correction": (
        put("spec", "prior_correction", value=0.1),
        r"a number in \[-744.4, 0\]",
    ),
    "huge correction": (put("spec", "prior_correction", value=-1e3), "spec.prior_correction"),
    "no correction": (put("spec", "prior_correction", value=float("nan")), "prior_correction"),
    "correction in words": (put("spec", "prior_correction", value="0"), "expected float"),
    "weights without labels": (put("params", "class_weight", value=[[1]]), "pairs of label"),
    "weight of a list": (put("params", "class_weight", value=[[[1], 1]]), "model: "),
    "bad class weight": (put("params", "class_weight", value=[[1, -1]]), r"class_weight\[1\]"),
    "augmentation in words": (
        put("params", "augmentation", value="dropout"),
        "augmentation: expected a pyfm.Augmentation or None, found 'dropout'",
    ),
    "augmentation of less": (
        put("params", "augmentation", value={"feature_dropout": 0.1}),
        r"params.augmentation: expected the entries \['bootstrap', .*found \['feature_dropout'\]",
    ),
    "augmentation of more": (
        put("params", "augmentation", value=AUGMENTATION | {"depth": 1}),
        "params.augmentation: expected the entries .*'depth'",
    ),
    "bad augmentation": (
        put("params", "augmentation", value=AUGMENTATION | {"feature_dropout": 1.5}),
        "Augmentation.feature_dropout: expected",
    ),
    "augmentation beyond numbers": (
        put("params", "augmentation", value=AUGMENTATION | {"value_noise": 10**400}),
        "Augmentation.value_noise: expected",
    ),
    "unknowns in words": (
        put("params", "augmentation", value=AUGMENTATION | {"unknown": ["a"]}),
        "Augmentation.unknown: expected",
    ),
    "unknown input": (put("inputs", "kind", value="frame"), "inputs.kind"),
    "no columns": (put("inputs", "n_columns", value=0), "inputs.n_columns"),
    "one class": (put("classes", "values", value=[1]), "two different labels"),
    "the same class twice": (put("classes", "values", value=[1, 1]), "two different labels"),
    "classes of classes": (put("classes", "values", value=[[1], [2]]), "two different labels"),
    "class beyond its type": (put("classes", "values", value=[0, 2**70]), "metadata: classes"),
    "huge type of classes": (put("classes", "dtype", value="<U1000000000"), "classes.dtype"),
    "ragged history": (put("history", "seconds", value=[1.0]), "history.seconds: expected 2"),
    "history of words": (put("history", "seconds", value=["1", "2"]), "expected int or float"),
    "history beyond numbers": (put("history", "seconds", value=[10**400, 1]), "finite numbers"),
    "history of NaN": (put("history", "seconds", value=[float("nan"), 1]), "finite numbers"),
    "history of controls": (put("history", "\x1b[2J", value=[1, 2]), "history: expected names"),
    "epochs from 0": (put("history", "epoch", value=[0, 1]), "history.epoch: expected an integer"),
    "epochs out of order": (put("history", "epoch", value=[2, 1]), "epoch: expected epochs in a "),
    "no epochs": (put("history", value={"epoch": []}), "best_epoch"),
    "late best epoch": (put("best_epoch", value=3), r"best_epoch: expected an integer in \[1, 2\]"),
    "another stream": (put("stream", value={"seed": 1}), "metadata: stream: expected the entries"),
    "stream of another type": (put("stream", value=3), "metadata: stream: expected dict"),
    "more admitted than seen": (put("admission", value=[1, 2]), r"an integer in \[0, 1\], found 2"),
    "one number of features": (put("admission", value=[1]), "admission: expected two numbers"),
    "counted without counts": (rename("bias", "counted"), "tensors: expected"),
    "missing tensor": (rename("bias", "bios"), r"tensors: expected \['bias', .* found"),
    "another type": (tensor("linear", dtype="I32"), "tensor linear: expected type F32, found"),
    "another shape": (tensor("factors", shape=[8, 4]), r"expected shape \(4, 8\), found \(8, 4\)"),
    "shape that overflows": (tensor("factors", shape=[2**62, 2**62]), "safetensors"),
    "shape beyond the file": (tensor("factors", shape=[2**30, 8]), "safetensors"),
    "offsets beyond the file": (tensor("factors", data_offsets=[0, 2**40]), "safetensors"),
    "overlapping tensors": (tensor("linear", data_offsets=[0, 16]), "safetensors"),
    "features instead of bias": (rename("bias", "features"), "tensor features: expected type U32"),
    "fields of another type": (rename("bias", "column_fields"), "column_fields: expected type U16"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGES[damage]
    path = tmp_path / "model"
    fitted().save(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=message) as error:
        pyfm.load(path)
    assert str(path) in str(error.value)


# The file is of a FMClassifier with 4 features, 8 factors, linear terms, and 3 classes.
DAMAGES_OF_CLASSES = {
    "one score": (put("spec", "n_outputs", value=1), "spec.loss: expected 'logistic'"),
    "two scores": (put("spec", "n_outputs", value=2), "n_outputs: expected one score for two"),
    "more scores": (put("spec", "n_outputs", value=4), "values: expected 4 different labels"),
    "no scores": (put("spec", "n_outputs", value=0), "n_outputs: expected an integer in"),
    "too many scores": (put("spec", "n_outputs", value=65_537), "n_outputs: expected an integer"),
    "scores of another type": (put("spec", "n_outputs", value="3"), "n_outputs: expected an in"),
    "another loss": (put("spec", "loss", value="logistic"), "spec.loss: expected 'softmax'"),
    "a correction": (put("spec", "prior_correction", value=-0.5), r"a number in \[0.0, 0\]"),
    "two classes": (put("classes", "values", value=[0, 1]), "values: expected 3 different labels"),
    "the same class twice": (put("classes", "values", value=[0, 1, 1]), "3 different labels"),
    "classes out of order": (put("classes", "values", value=[0, 2, 1]), "expected ascending lab"),
    "classes without order": (
        put("classes", value={"dtype": "object", "values": [0, "a", 2]}),
        "metadata: classes: ",
    ),
    "another shape": (tensor("linear", shape=[3, 4]), r"expected shape \(4, 3\), found \(3, 4\)"),
    "flat factors": (tensor("factors", shape=[4, 24]), r"expected shape \(4, 3, 8\), found"),
    "missing tensor": (rename("bias", "bios"), r"tensors: expected \['bias', .* found"),
}


def fitted_to_classes() -> Any:
    return pyfm.FMClassifier(epochs=2, random_state=0).fit(IDS, np.arange(len(IDS)) % 3)


@pytest.mark.parametrize("damage", DAMAGES_OF_CLASSES)
def test_damaged_classes(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGES_OF_CLASSES[damage]
    path = tmp_path / "model"
    fitted_to_classes().save(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=message):
        pyfm.load(path)


def test_more_scores_than_the_file_holds(tmp_path: Path) -> None:
    """Nothing is allocated on the word of the file."""
    path = tmp_path / "model"
    fitted_to_classes().save(path)

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        metadata["spec"]["n_outputs"] = 65_536
        metadata["classes"]["values"] = list(range(65_536))

    rewrite(path, change)
    with pytest.raises(FormatError, match=r"expected shape \(65536,\), found \(3,\)"):
        pyfm.load(path)


def test_files_of_before_there_were_several_scores(tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = fitted()
    model.save(path)

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        del metadata["spec"]["n_outputs"]

    rewrite(path, change)
    np.testing.assert_array_equal(pyfm.load(path).predict_proba(IDS), model.predict_proba(IDS))


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_byte_of_classes_changed(position: int, value: int, tmp_path: Path) -> None:
    path = tmp_path / "model"
    fitted_to_classes().save(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    try:
        pyfm.load(path).predict_proba(IDS)
    except ValueError as error:
        if not re.match(f"^({re.escape(str(path))}: |X)", str(error)):
            raise


def sparse_model(path: Path) -> None:
    pyfm.LinearClassifier(epochs=1, random_state=0).fit(
        Dataset.from_ids(IDS + 50, CLICKS, n_features=1000)
    ).save(path)


@pytest.mark.parametrize(
    ("features", "message"),
    [([50, 51, 53, 52], "increasing ids"), ([50, 50, 51, 52], "increasing ids"),
     ([50, 51, 52, 1000], "increasing ids below 1000")],
)  # fmt: skip
def test_damaged_features(features: list[int], message: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    sparse_model(path)
    content = path.read_bytes()
    good, bad = (np.array(ids, "<u4").tobytes() for ids in (range(50, 54), features))
    assert content.count(good) == 1
    path.write_bytes(content.replace(good, bad))
    with pytest.raises(FormatError, match=message):
        pyfm.load(path)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "model"
    fitted().save(path)
    content = path.read_bytes()
    path.write_bytes(content[:-4] + np.array(np.nan, "<f4").tobytes())
    with pytest.raises(FormatError, match="tensor factors: expected finite weights"):
        pyfm.load(path)


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_changed(position: int, value: int, tmp_path: Path) -> None:
    """A changed byte is found, or changes what it means, but nothing else is raised."""
    path = tmp_path / "model"
    fitted().save(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    # A file may be whole and say that `fit` was given another kind of X.
    refusals = f"^({re.escape(str(path))}: |X)"
    try:
        pyfm.load(path).predict_proba(IDS)
    except ValueError as error:
        if not re.match(refusals, str(error)):
            raise
