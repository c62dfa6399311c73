"""Streams that go on in another process, from files with the optimizer's state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import pyfm
from pyfm.callbacks import checkpoint
from pyfm.optim import FTRL, Adam

KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
PARTS = {"linear": FTRL(l1=0.01), "factors": Adam(0.01)}


def id_rows(n_rows: int = 240) -> tuple[Any, Any]:
    """Ids that turn up one after the other: the largest last."""
    known = np.linspace(2, 30, n_rows)[:, np.newaxis]
    random = np.random.default_rng(0).random((n_rows, 4))
    ids = (random * known).astype(int) * 4 + np.arange(4)
    return ids, (ids.sum(axis=1) % 3 == 0).astype(int)


X, Y = id_rows()
CALLS = [slice(0, 80), slice(80, 160), slice(160, 240)]


def through_file(model: Any, folder: Path) -> Any:
    model.save(folder / "stream", optimizer_state=True)
    return pyfm.load(folder / "stream")


def assert_same(a: Any, b: Any) -> None:
    """To the bit."""
    features = a._model.features_by_row
    np.testing.assert_array_equal(b._model.features_by_row, features)
    for part in a._spec.parts:
        np.testing.assert_array_equal(a._model.weights(part), b._model.weights(part), part)
        ours, theirs = (model._model.state(part, features) for model in (a, b))
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(a._model.counts, b._model.counts, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name in ("bias", "bias_state"):
        np.testing.assert_equal(getattr(a._model, name), getattr(b._model, name))
    assert a._stream == b._stream
    for name in ("n_features_in_", "n_features_seen_", "n_features_admitted_"):
        assert getattr(a, name) == getattr(b, name)


@pytest.mark.parametrize("batch_size", [1, 20, "full"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "ftrl", PARTS], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_between_calls_leaves_no_trace(
    kind: Any, optimizer: Any, dtype: str, batch_size: Any, tmp_path: Path
) -> None:
    if kind is pyfm.LinearClassifier and (dtype == "float16" or not isinstance(optimizer, str)):
        return  # no factors
    params: dict[str, Any] = {"optimizer": optimizer, "batch_size": batch_size, "random_state": 0}
    if kind is not pyfm.LinearClassifier:
        params |= {"dtype": dtype, "linear": True}
    for others in ({}, {"min_count": 3, "negative_sampling": 0.6}):
        whole, cut = kind(**params, **others), kind(**params, **others)
        for rows in CALLS:
            whole.partial_fit(X[rows], Y[rows])
            cut = through_file(cut.partial_fit(X[rows], Y[rows]), tmp_path)
            assert_same(cut, whole)


@pytest.mark.parametrize("batch_size", [1, 10])
def test_another_threshold_beside_a_file(batch_size: int, tmp_path: Path) -> None:
    """The order of the rows, which the random bits of batches depend on, is that of a stream
    without files, although counts that a file holds have to be looked through."""
    params: dict[str, Any] = {"dtype": "float16", "batch_size": batch_size, "random_state": 0}
    whole, cut = (pyfm.FMClassifier(min_count=4, **params) for _ in range(2))
    for rows, min_count in zip(CALLS, (4, 2, 3), strict=True):
        whole.set_params(min_count=min_count).partial_fit(X[rows], Y[rows])
        cut.set_params(min_count=min_count).partial_fit(X[rows], Y[rows])
        cut = through_file(cut, tmp_path)
        assert_same(cut, whole)


@pytest.mark.parametrize("batch_size", [1, 10])
def test_a_stream_a_resumed_fit_and_the_stream_again(batch_size: int, tmp_path: Path) -> None:
    params: dict[str, Any] = {
        "dtype": "float16", "batch_size": batch_size, "min_count": 2, "random_state": 0,
        "epochs": 3, "warm_start": True,
    }  # fmt: skip
    whole = pyfm.FMClassifier(**params).partial_fit(X, Y)
    save = checkpoint(tmp_path / "{epoch}")
    whole.fit(X[:100], Y[:100], callbacks=[save])  # these rows lack the last features
    resumed = pyfm.FMClassifier(**params).fit(X[:100], Y[:100], resume_from=tmp_path / "3")
    assert_same(resumed, whole)
    for model in (whole, resumed):
        model.partial_fit(X[100:], Y[100:])
    assert_same(resumed, whole)


@pytest.mark.parametrize("min_count", [1, 999])
def test_files_of_streams_without_features(min_count: int, tmp_path: Path) -> None:
    """With tensors that hold nothing."""
    model = pyfm.FMClassifier(
        dtype="float16", batch_size=2, min_count=min_count, random_state=0
    ).partial_fit(X[:4], Y[:4], classes=[0, 1])
    copy = through_file(model, tmp_path)
    assert len(copy._model.frequencies) == 0
    for one in (model, copy):
        one.partial_fit(X[4:], Y[4:])
    assert_same(copy, model)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.zeros((2, 16), np.float32), "tensor noise: expected type U32, found 'F32'"),
        (np.zeros((1, 16), np.uint32), r"tensor noise: expected shape \(2, 16\)"),
        (np.zeros((2, 8), np.uint32), r"tensor noise: expected shape \(2, 16\)"),
    ],
)
def test_damaged_noise(noise: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = pyfm.FMClassifier(dtype="float16").partial_fit(X, Y)
    model.save(path, optimizer_state=True)
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    assert tensors["noise"].shape == (2, 16)
    save_file(tensors | {"noise": noise}, path, metadata)
    with pytest.raises(pyfm.FormatError, match=message):
        pyfm.load(path)


def test_noise_of_another_shape_is_refused_by_the_core() -> None:
    core = pyfm.FMClassifier(dtype="float16").partial_fit(X, Y)._model
    with pytest.raises(ValueError, match="noise: expected 16 numbers for each part, or none"):
        core.set_stream_position(0, np.zeros((1, 16), np.uint32))
    with pytest.raises(ValueError, match="n_batches: expected at least 0"):
        core.set_stream_position(-1, core.stream_noise)


@pytest.mark.parametrize("given", [1, None, "yes", 0.5])
def test_whether_a_file_holds_the_state_is_a_bool(given: Any, tmp_path: Path) -> None:
    model = pyfm.LinearClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"^optimizer_state: expected True or False, found"):
        model.save(tmp_path / "model", optimizer_state=given)
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "model", optimizer_state=np.True_)  # type: ignore[arg-type]


def test_a_file_of_a_stream_is_no_checkpoint(tmp_path: Path) -> None:
    through_file(pyfm.LinearClassifier().partial_fit(X, Y), tmp_path)
    with pytest.raises(
        ValueError, match=r"^resume_from: expected a file of .* found '.*stream, a m"
    ):
        pyfm.LinearClassifier().fit(X, Y, resume_from=tmp_path / "stream")
