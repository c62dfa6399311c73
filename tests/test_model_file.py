"""Model files: the same bits back, written atomically."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from kinds import ESTIMATORS, small

import pyfm
from pyfm import Dataset
from pyfm.model_file import layout, writer
from pyfm.optim import FTRL, AdaGrad
from pyfm.schedules import Step

IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 20)
CLICKS = np.array([1, 0, 0, 1] * 20)


def fitted(kind: Callable[..., Any] = pyfm.FMClassifier, **params: Any) -> Any:
    return small(kind, epochs=2, random_state=0, **params).fit(IDS, CLICKS)


def again(model: Any, folder: Path) -> Any:
    model.save(folder / "model")
    return pyfm.load(folder / "model")


# --- round trips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("n_factors", [1, 4, 7])
@pytest.mark.parametrize("linear", [True, False])
def test_the_same_bits(kind: Any, n_factors: int, linear: bool, tmp_path: Path) -> None:
    params = (
        {"n_factors": n_factors, "linear": linear} if "n_factors" in kind().get_params() else {}
    )
    model = fitted(kind, **params)
    copy = again(model, tmp_path)
    assert type(copy) is kind
    np.testing.assert_array_equal(copy.predict(IDS), model.predict(IDS))
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(copy.predict_proba(IDS), model.predict_proba(IDS))
    for name in ("intercept_", "coef_", "factors_"):
        assert hasattr(copy, name) == hasattr(model, name)
        if hasattr(model, name):
            np.testing.assert_array_equal(getattr(copy, name), getattr(model, name))
    for name in ("history_", "best_epoch_", "n_iter_", "n_features_in_", "n_fields_"):
        assert getattr(copy, name) == getattr(model, name)


@pytest.mark.parametrize("level", pyfm.simd_levels())
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "ftrl"])
@pytest.mark.parametrize("kind", [kind for kind in ESTIMATORS if "dtype" in kind().get_params()])
def test_the_same_bits_of_every_storage(
    kind: Any, optimizer: str, dtype: str, level: str, tmp_path: Path
) -> None:
    """Files, pickles and copies hold what the model holds: float16 as such."""
    pyfm.set_simd(level)
    model = fitted(kind, dtype=dtype, optimizer=optimizer, n_factors=5, linear=True)
    for copy in (again(model, tmp_path), pickle.loads(pickle.dumps(model)), deepcopy(model)):
        assert copy.dtype == dtype
        np.testing.assert_array_equal(copy.predict(IDS), model.predict(IDS))
        np.testing.assert_array_equal(copy.factors_, model.factors_)
        np.testing.assert_array_equal(copy.coef_, model.coef_)
        assert copy.factors_.dtype == np.float32
        assert copy._model.nbytes == again(copy, tmp_path)._model.nbytes
    with safetensors.safe_open(tmp_path / "model", framework="numpy") as file:
        stored = file.get_tensor("factors")
    assert stored.dtype == ("float16" if dtype == "float16" else "float32")
    np.testing.assert_array_equal(stored, model.factors_)


def test_a_file_of_the_first_version(tmp_path: Path) -> None:
    """Its metadata name no dtype, which is float32, and nothing that came later."""
    model, path = fitted(), tmp_path / "model"
    model.save(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = json.loads(header["__metadata__"]["pyfm"])
    assert metadata["spec"].pop("dtype") == metadata["params"].pop("dtype") == "float32"
    assert metadata["spec"].pop("prior_correction") == 0
    for name in ("class_weight", "negative_sampling", "label_smoothing"):
        del metadata["params"][name]
    del metadata["params"]["learning_rate_schedule"], metadata["params"]["warm_start"]
    del metadata["history"]["learning_rate"]
    header["__metadata__"]["pyfm"] = json.dumps(metadata)
    text = json.dumps(header).encode()
    size = len(text).to_bytes(8, "little")
    path.write_bytes(size + text + content[8 + int.from_bytes(content[:8], "little") :])
    copy = pyfm.load(path)
    assert copy.dtype == "float32"
    np.testing.assert_array_equal(copy.factors_, model.factors_)


def test_the_parameters(tmp_path: Path) -> None:
    model = fitted(optimizer=AdaGrad(0.2, l2=np.float64(1e-4)), n_factors=np.int64(3), tol=1e-3)
    params = again(model, tmp_path).get_params()
    assert params == model.get_params()
    assert fitted(optimizer="ftrl", l1=0.1).get_params()["l1"] == 0.1
    random_state = np.random.RandomState(0)
    assert again(model.set_params(random_state=random_state), tmp_path).random_state is None


def test_all_that_training_takes(tmp_path: Path) -> None:
    params: dict[str, Any] = {
        "optimizer": AdaGrad(0.3),
        "learning_rate_schedule": Step(1, 0.5),
        "metric": ["calibration_ratio", "auc"],
        "class_weight": {1: 2.0},
        "negative_sampling": 0.5,
        "label_smoothing": 0.1,
        "warm_start": True,
    }
    model = pyfm.FFMClassifier(epochs=2, random_state=0, **params)
    model.fit(IDS, CLICKS, eval_set={"a": (IDS, CLICKS), "b": (IDS, CLICKS)})
    copy = again(model, tmp_path)
    assert copy.get_params() == model.get_params()
    assert copy.history_ == model.history_
    np.testing.assert_array_equal(copy.predict_proba(IDS), model.predict_proba(IDS))
    # Neither copy holds the optimizer's state: they go on alike.
    for one in (copy, other := deepcopy(model)):
        one.fit(IDS, CLICKS)
    np.testing.assert_array_equal(copy.predict_proba(IDS), other.predict_proba(IDS))
    assert copy.history_["learning_rate"] == [0.3 / 4, 0.3 / 8]


@pytest.mark.parametrize(
    ("labels", "class_weight"),
    [
        ((0, 1), {0: 1, 1: 2.5}),
        ((0, 1), {np.int64(1): np.float64(2.5)}),
        ((-1, 1), "balanced"),
        (("no", "yes"), {"yes": 2}),
        ((False, True), {True: 2}),
        ((1.0, 2.0), {2.0: 2}),
    ],
    ids=str,
)
def test_class_weights(labels: Any, class_weight: Any, tmp_path: Path) -> None:
    y = np.array(labels)[CLICKS]
    model = pyfm.LinearClassifier(epochs=1, class_weight=class_weight).fit(IDS, y)
    copy = again(model, tmp_path)
    assert copy.class_weight == class_weight
    copy.fit(IDS, y)


@pytest.mark.parametrize(
    "labels", [(0, 1), (-1, 1), ("no", "yes"), (False, True), (1.0, 2.0), (7, 2**62)], ids=str
)
@pytest.mark.parametrize("dtype", [None, object])
def test_the_classes(labels: tuple[Any, Any], dtype: Any, tmp_path: Path) -> None:
    y = np.array(labels, dtype=dtype)[CLICKS]
    if dtype is object and not isinstance(labels[0], str):
        y = y.astype(type(labels[0]))
    model = pyfm.LinearClassifier(epochs=1).fit(IDS, y)
    copy = again(model, tmp_path)
    assert copy.classes_.dtype == model.classes_.dtype
    assert copy.classes_.tolist() == model.classes_.tolist()


def test_the_fields_of_columns(tmp_path: Path) -> None:
    X = np.eye(4, dtype=np.float32)
    model = pyfm.FFMClassifier(epochs=1).fit(X, [0, 1, 0, 1], fields=[0, 0, 1, 2])
    copy = again(model, tmp_path)
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="X has 3 features, but FFMClassifier is expecting 4"):
        copy.predict(X[:, :3])


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_features_without_weights_take_no_room(kind: Any, tmp_path: Path) -> None:
    features = np.random.default_rng(0).choice(100_000, 40, replace=False)
    data = Dataset.from_ids(features.reshape(-1, 2), [0, 1] * 10, n_features=100_000)
    model = small(kind, epochs=1, random_state=0).fit(data)
    copy = again(model, tmp_path)
    np.testing.assert_array_equal(copy.predict(data), model.predict(data))
    assert copy.n_features_in_ == 100_000
    assert (tmp_path / "model").stat().st_size < 10_000


def test_tables_of_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_CHUNK_BYTES", 100)
    for n_features in (4, 1000):  # all rows stored, some rows stored
        data = Dataset.from_ids(IDS, CLICKS, n_features=n_features)
        model = pyfm.FFMClassifier(epochs=1, linear=True).fit(data)
        copy = again(model, tmp_path)
        np.testing.assert_array_equal(copy.factors_, model.factors_)
        np.testing.assert_array_equal(copy.coef_, model.coef_)


def test_a_loaded_model_can_be_fitted_saved_and_copied(tmp_path: Path) -> None:
    model = fitted()
    copy = again(again(model, tmp_path), tmp_path)
    np.testing.assert_array_equal(copy.factors_, model.factors_)
    np.testing.assert_array_equal(copy.fit(IDS, CLICKS).factors_, model.factors_)


def test_others_can_read_it(tmp_path: Path) -> None:
    model = fitted(pyfm.FFMClassifier)
    model.save(str(tmp_path / "model"))
    with safetensors.safe_open(tmp_path / "model", framework="numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("factors"), model.factors_)
        metadata = json.loads(file.metadata()["pyfm"])
    assert metadata["class"] == "FFMClassifier"
    assert metadata["params"]["n_factors"] == 4
    assert (tmp_path / "model").stat().st_size % 8 == 0


def test_the_optimizer_is_kept_by_name_or_by_value(tmp_path: Path) -> None:
    assert again(fitted(optimizer="ftrl"), tmp_path).optimizer == "ftrl"
    assert again(fitted(optimizer=FTRL(l1=0.5)), tmp_path).optimizer == FTRL(l1=0.5)
    clipped = AdaGrad(0.2, clip_norm=3.0)
    assert again(fitted(optimizer=clipped), tmp_path).optimizer == clipped
    parts = {"linear": FTRL(l1=0.5), "factors": "adam"}
    assert again(fitted(optimizer=parts), tmp_path).optimizer == parts


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 0}, "epochs: expected"),
        ({"optimizer": AdaGrad(), "learning_rate": 0.1}, "learning_rate=0.1 is given together"),
    ],
)
def test_parameters_that_load_refuses_are_not_saved(
    params: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Set after the fit: a file of them could not be opened."""
    model = fitted()
    model.save(tmp_path / "model")
    before = (tmp_path / "model").read_bytes()
    with pytest.raises(ValueError, match=message):
        model.set_params(**params).save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == before


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    fitted().save(path)
    before = path.read_bytes()

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_write", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fitted(pyfm.LinearClassifier).save(path)
    assert os.listdir(tmp_path) == ["model"]
    assert path.read_bytes() == before


def test_saving_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        fitted().save(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        fitted().save(tmp_path / "missing" / "model")
    assert error.value.filename == str(tmp_path / "missing" / "model")
    assert os.listdir(tmp_path) == []


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    model = fitted()
    model.save(pipe)
    reader.join()
    assert pipe.is_fifo()
    model.save(tmp_path / "model")
    assert received == [(tmp_path / "model").read_bytes()]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    model = fitted()
    model.save(tmp_path / "caf\udce9")
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9"]
    assert np.array_equal(pyfm.load(tmp_path / "caf\udce9").factors_, model.factors_)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    fitted().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").is_file()


def test_labels_that_json_does_not_hold(tmp_path: Path) -> None:
    y = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")[CLICKS]
    model = pyfm.LinearClassifier(epochs=1).fit(IDS, y)
    with pytest.raises(ValueError, match="classes_: expected labels of a type"):
        model.save(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_all_weights_are_zero(tmp_path: Path) -> None:
    """None are stored."""
    model = pyfm.LinearClassifier(optimizer=FTRL(l1=1e6)).fit([[0], [1], [0]], [0, 1, 1])
    assert not model.coef_.any()
    model.save(tmp_path / "model")
    assert pyfm.load(tmp_path / "model").coef_.tolist() == [0, 0]
