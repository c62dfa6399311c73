"""`fit` of streams: the model of the rows in memory, to the bit where the order is the same."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_streams import DATA, DEEP, KINDS, assert_same_model, caches_in, weights_of, write_ffm
from reference_random import random_key, shuffled_by

import pyfm
from pyfm import Dataset, _core, blas
from pyfm.augmentation import Augmentation
from pyfm.callbacks import checkpoint
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.windows import windows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_ffm(tmp_path / "rows.ffm")


def _fit(kind: Any, X: Any, **params: Any) -> Any:
    return kind(**{"epochs": 2, "random_state": 0} | params).fit(X)


@pytest.mark.parametrize("batch_size", [1, 64])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_one_window_is_memory(kind: Any, batch_size: int, path: Path) -> None:
    if kind in DEEP and batch_size == 1:
        batch_size = 16
    whole = _fit(kind, Dataset.from_libffm(path), batch_size=batch_size)
    streamed = _fit(kind, Dataset.stream(path, window=5000), batch_size=batch_size)
    assert_same_model(streamed, whole)
    for name, column in whole.history_.items():
        if "seconds" not in name and "per_second" not in name:
            assert streamed.history_[name] == column


@pytest.mark.parametrize("kind", DEEP, ids=lambda kind: kind.__name__)
def test_fields_of_linear_terms_alone(
    kind: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their features have no vectors, in whichever piece they are met; the others have."""
    monkeypatch.setattr("pyfm.data_stream.training.ROWS", 300)
    params: dict[str, Any] = {"deep_fields": [0, 2], "batch_size": 64, "hidden": (8,)}
    whole = _fit(kind, Dataset.from_libffm(path), **params)
    streamed = _fit(kind, Dataset.stream(path, window=5000), **params)
    assert_same_model(streamed, whole)
    has_vector = np.any(streamed.factors_ != 0, axis=-1)
    fields = DATA.core.features.reshape(len(DATA), -1)
    assert has_vector[np.unique(fields[:, [0, 2]])].all()
    assert not has_vector[np.unique(fields[:, [1, 3]])].any()


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("window", [64, 500, 2000, 2001])
@pytest.mark.parametrize("kind", [pyfm.FMClassifier, pyfm.DeepFMClassifier])
def test_batches_in_the_order_of_the_file(kind: Any, window: int, n_jobs: int, path: Path) -> None:
    """Wherever windows are cut, on any number of threads: one batch after the other."""
    params: dict[str, Any] = {"batch_size": 50, "n_jobs": n_jobs}
    stream = Dataset.stream(path, window=window, shuffle=False)
    streamed = _fit(kind, stream, dtype="float16", **params)
    assert_same_model(streamed, _in_order(kind, dtype="float16", batch_size=50))


@pytest.mark.parametrize("window", [1, 7, 500])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rows_in_the_order_of_the_file(window: int, dtype: str, path: Path) -> None:
    stream = Dataset.stream(path, window=window, shuffle=False)
    for kind in (pyfm.FFMClassifier, pyfm.FMRegressor):
        streamed = _fit(kind, stream, dtype=dtype)
        assert_same_model(streamed, _in_order(kind, dtype=dtype))


def _in_order(kind: Any, order: Any = None, **params: Any) -> Any:
    """Two epochs of rows in memory, in a given order each; the oracle: the core alone."""
    model = kind(epochs=1, random_state=0, **params).fit(DATA)
    settings = model._settings()
    model._model = model._spec.build(settings.training.optimizers, model._model.seed)
    model._model.initialize(DATA.core, n_threads=1)
    for epoch in range(2):
        rows = DATA.core if order is None else DATA.core.take(order(model._model.seed, epoch))
        with blas.for_model(model._model):
            model._model.train_epoch(
                rows, epoch=epoch, shuffle=False, n_threads=1, poll=None,
                batch_size=settings.training.batch_size,
            )  # fmt: skip
    return model


@pytest.mark.parametrize("batch_size", [1, 100])
def test_shuffled_windows(batch_size: int, path: Path) -> None:
    """Stretches in a random order, cut into windows, each of which is shuffled."""
    size = 300

    def order(seed: int, epoch: int) -> Any:
        stretches = [np.arange(at, min(at + size // 32, 2001)) for at in range(0, 2001, size // 32)]
        chosen = np.random.default_rng((seed, epoch)).permutation(len(stretches))
        rows = np.concatenate([stretches[i] for i in chosen])
        found = []
        for number, at in enumerate(range(0, 2001, size)):
            window = rows[at : at + size].tolist()
            key = random_key(~seed, epoch)
            found += shuffled_by(window, random_key(key, number) if number else key)
        return np.array(found)

    stream = Dataset.stream(path, window=size)
    streamed = _fit(pyfm.FFMClassifier, stream, batch_size=batch_size)
    assert_same_model(streamed, _in_order(pyfm.FFMClassifier, order, batch_size=batch_size))


def test_each_epoch_holds_every_row_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    ids = np.arange(1000)[:, np.newaxis]
    Dataset.from_ids(ids, y=np.zeros(1000)).save(tmp_path / "rows")
    with BlockReader(str(tmp_path / "rows")) as reader:
        orders = [
            np.concatenate([
                w.features for w in windows(
                    reader, lambda rows, _: rows, end=1000, n_rows=1000, size=100,
                    order=(seed, epoch),
                )
            ]) for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
        ]  # fmt: skip
    for order in orders:
        assert sorted(order.tolist()) == list(range(1000))
    assert (orders[0] == orders[1]).all()
    for a, b in itertools.combinations(orders[1:], 2):
        assert (a != b).any()
    # A window of 100 rows has some from all over the file.
    assert all(np.ptp(orders[0][at : at + 100]) > 500 for at in range(0, 1000, 100))


def test_the_last_row_is_no_batch_of_its_own(path: Path) -> None:
    """2,001 rows in windows of 1,000, with batches that need a variance."""
    params: dict[str, Any] = {"batch_norm": True, "batch_size": 100}
    stream = Dataset.stream(path, window=1000, shuffle=False)
    streamed = _fit(pyfm.DeepFMClassifier, stream, **params)
    assert_same_model(streamed, _in_order(pyfm.DeepFMClassifier, **params))


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": {1: 3.0}},
        {"class_weight": "balanced"},
        {"negative_sampling": 0.4},
        {"negative_sampling": 0.4, "class_weight": "balanced", "label_smoothing": 0.1},
        {"min_count": 12},
        {"augmentation": Augmentation(feature_dropout=0.3)},
        {"optimizer": "ftrl"},
        {"batch_size": 64, "optimizer": "adam"},
    ],
    ids=str,
)
@pytest.mark.parametrize("window", [700, 5000])
def test_parameters(params: dict[str, Any], window: int, path: Path) -> None:
    """One window, or rows in order: as in memory."""
    whole = _fit(pyfm.FMClassifier, Dataset.from_libffm(path), **params)
    streamed = _fit(pyfm.FMClassifier, Dataset.stream(path, window=window), **params)
    np.testing.assert_array_equal(streamed._model.features_by_row, whole._model.features_by_row)
    assert streamed.n_features_seen_ == whole.n_features_seen_
    if window > len(DATA):
        assert_same_model(streamed, whole)
    else:  # another order of the same rows
        ours, theirs = (m.history_["train_logloss"][-1] for m in (streamed, whole))
        assert ours == pytest.approx(theirs, rel=0.1)


def _with(weight: Any) -> Dataset:
    return Dataset(DATA.core.with_targets(DATA.y, weight))


def test_weights_of_rows(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).random(len(DATA)).astype(np.float32)
    data = _with(weight)
    data.save(tmp_path / "rows")
    params: dict[str, Any] = {"class_weight": "balanced", "batch_size": 32}
    streamed = _fit(pyfm.FMClassifier, Dataset.stream(tmp_path / "rows"), **params)
    assert_same_model(streamed, _fit(pyfm.FMClassifier, data, **params))
    _with(np.zeros(len(DATA), np.float32)).save(tmp_path / "none")
    with pytest.raises(ValueError, match="sample_weight: expected at least one weight > 0"):
        _fit(pyfm.FMClassifier, Dataset.stream(tmp_path / "none"))


def test_evaluation(path: Path, tmp_path: Path) -> None:
    valid = write_ffm(tmp_path / "valid.ffm", DATA[:500])
    params: dict[str, Any] = {"epochs": 4, "random_state": 0, "early_stopping": True}
    params["metric"] = ["auc", "logloss"]
    whole = pyfm.FFMClassifier(**params).fit(DATA, eval_set=DATA[:500])
    streamed = pyfm.FFMClassifier(**params).fit(
        Dataset.stream(path), eval_set={"valid": Dataset.stream(valid)}
    )
    assert_same_model(streamed, whole)
    for name in ("valid_auc", "valid_logloss"):
        assert streamed.history_[name] == whole.history_[name]
    no_click = write_ffm(tmp_path / "none.ffm", DATA[np.flatnonzero(DATA.y == 0)])
    with pytest.raises(ValueError, match=r"^eval_set: expected rows of both classes"):
        pyfm.FFMClassifier(**params).fit(Dataset.stream(path), eval_set=Dataset.stream(no_click))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"class_weight": "balanced"},
        {"negative_sampling": 0.5, "batch_size": 50},
        {"min_count": 12},
        {"metric": ["auc", "logloss"], "validation_fraction": 0.37},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [pyfm.FFMClassifier, pyfm.DeepFMClassifier])
def test_early_stopping_sets_the_last_rows_apart(
    kind: Any, params: dict[str, Any], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rest teaches is the same to the bit; nothing is learned of the last rows."""
    for module in ("pyfm.data_stream.training", "pyfm.estimators.rows"):
        monkeypatch.setattr(f"{module}.ROWS", 300)
    fraction = params.get("validation_fraction", 0.1)
    end = 2001 - round(fraction * 2001)
    params = {"epochs": 4, "random_state": 0, "early_stopping": True} | params
    whole = kind(**params).fit(DATA[:end], eval_set=DATA[end:])
    streamed = kind(**params).fit(Dataset.stream(path, window=5000))
    assert_same_model(streamed, whole)
    assert streamed.best_epoch_ == whole.best_epoch_
    # The last bits of a network's scores depend on how many rows are scored at a time, and so may
    # the rank of one among the n of a class in the area under the curve: 1 / n².
    tolerance = 1e-4 if kind in DEEP else 0
    for name, column in whole.history_.items():
        if "second" not in name:
            assert streamed.history_[name] == pytest.approx(column, rel=0, abs=tolerance)
    in_windows = kind(**params).fit(Dataset.stream(path, window=200))
    np.testing.assert_array_equal(in_windows._model.features_by_row, whole._model.features_by_row)


def test_what_cannot_be_set_apart(path: Path, tmp_path: Path) -> None:
    (tmp_path / "one.ffm").write_text("1 0:1:1\n")
    message = "early_stopping: expected at least 2 rows to split, found 1: pass eval_set"
    with pytest.raises(ValueError, match=message):
        pyfm.FMRegressor(early_stopping=True).fit(Dataset.stream(tmp_path / "one.ffm"))
    path.write_text("".join(sorted(path.read_text().splitlines(keepends=True))))
    with pytest.raises(ValueError, match="validation_fraction: expected rows of both classes"):
        pyfm.FMClassifier(early_stopping=True, metric="auc").fit(Dataset.stream(path))


def test_weights_of_rows_that_are_set_apart(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).random(len(DATA)).astype(np.float32)
    _with(weight).save(tmp_path / "rows")
    params: dict[str, Any] = {"early_stopping": True, "epochs": 3, "class_weight": "balanced"}
    streamed = _fit(pyfm.FMClassifier, Dataset.stream(tmp_path / "rows"), **params)
    whole = pyfm.FMClassifier(random_state=0, **params)
    whole.fit(_with(weight)[:1801], eval_set=_with(weight)[1801:])
    assert_same_model(streamed, whole)
    assert streamed.history_["valid_logloss"] == whole.history_["valid_logloss"]
    checkpoints = [checkpoint(tmp_path / "{epoch}")]
    pyfm.FMClassifier(random_state=0, **params | {"epochs": 2}).fit(
        Dataset.stream(tmp_path / "rows"), callbacks=checkpoints
    )
    resumed = pyfm.FMClassifier(random_state=0, **params)
    resumed.fit(Dataset.stream(tmp_path / "rows"), resume_from=tmp_path / "2")
    assert_same_model(resumed, whole)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_predictions(kind: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfm.estimators.inputs.ROWS", 512)
    monkeypatch.setattr("pyfm.data_stream.pieces.ROWS", 300)
    model = kind(epochs=1, random_state=0).fit(DATA)
    stream = Dataset.stream(path)
    names = ("predict", *(("predict_proba", "decision_function") if "Cl" in kind.__name__ else ()))
    for name in names:
        ours, theirs = (getattr(model, name)(X) for X in (stream, DATA))
        np.testing.assert_array_equal(ours, theirs)
    assert model.score(stream) == model.score(DATA)
    assert caches_in(path.parent) == []


def test_warm_start_and_checkpoints(path: Path, tmp_path: Path) -> None:
    stream = Dataset.stream(path, window=300)
    whole = pyfm.FMClassifier(epochs=4, random_state=0).fit(stream)
    warm = pyfm.FMClassifier(epochs=2, random_state=0, warm_start=True).fit(stream).fit(stream)
    assert_same_model(warm, whole)
    _fit(pyfm.FMClassifier, stream, epochs=2).fit(
        stream, callbacks=[checkpoint(tmp_path / "{epoch}")]
    )
    resumed = pyfm.FMClassifier(epochs=4, random_state=0).fit(stream, resume_from=tmp_path / "2")
    assert_same_model(resumed, whole)
    other = Dataset.stream(write_ffm(tmp_path / "other.ffm", DATA[::-1]))
    with pytest.raises(ValueError, match="expected the rows, targets and weights of"):
        pyfm.FMClassifier(epochs=4, random_state=0).fit(other, resume_from=tmp_path / "2")


def test_an_interrupted_epoch_leaves_the_one_before(path: Path) -> None:
    stream = Dataset.stream(path, window=300)

    def stop(env: Any) -> None:
        if env.epoch == 2:
            raise KeyboardInterrupt

    model = pyfm.FMClassifier(epochs=5, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(stream, callbacks=[stop])
    assert_same_weights(model, _fit(pyfm.FMClassifier, stream, epochs=2))
    early = _fit(pyfm.FMClassifier, stream, epochs=1)
    calls: list[int] = []

    class InTheMiddle(pyfm.callbacks.Callback):
        def after_rows(self, n_rows: int) -> None:
            calls.append(n_rows)

    pyfm.FMClassifier(epochs=1, random_state=0).fit(stream, callbacks=[InTheMiddle()])
    assert all(0 < n <= len(DATA) for n in calls)
    assert early.n_iter_ == 1


def assert_same_weights(a: Any, b: Any) -> None:
    ours, theirs = weights_of(a), weights_of(b)
    for name in ("features", "linear", "factors", "bias"):
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": [1, 0]}, "y: expected None, since X is a stream"),
        ({"sample_weight": [1, 0]}, "sample_weight: expected None, since X is a stream"),
        ({"fields": [0, 1]}, "fields: expected None, since X is a stream"),
    ],
)
def test_what_a_stream_brings_itself(given: Any, message: str, path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        pyfm.FMClassifier().fit(Dataset.stream(path), **given)
    with pytest.raises(ValueError, match=message):
        pyfm.FMClassifier().partial_fit(Dataset.stream(path), **given)


def test_what_needs_all_rows_is_refused(path: Path) -> None:
    stream = Dataset.stream(path)
    for call in (pyfm.FMClassifier(batch_size="full").fit,
                 pyfm.FMClassifier(batch_size="full").partial_fit):  # fmt: skip
        with pytest.raises(ValueError, match="batch_size: expected a number of rows for a stream"):
            call(stream)
    bootstrap = Augmentation(bootstrap=True)
    with pytest.raises(ValueError, match="augmentation: expected one without bootstrap"):
        pyfm.FMClassifier(augmentation=bootstrap).fit(stream)


def test_targets_are_checked(path: Path, tmp_path: Path) -> None:
    (tmp_path / "three.ffm").write_text("0 0:0:1\n1 0:1:1\n2 0:2:1\n")
    (tmp_path / "half.ffm").write_text("0 0:0:1\n1 0:1:1\n0.5 0:2:1\n")
    message = r"y\[2\]: expected labels 0 and 1, or -1 and 1, or more than two integers, found 0.5"
    with pytest.raises(ValueError, match=message):
        pyfm.FMClassifier().fit(Dataset.stream(tmp_path / "half.ffm"))
    model = pyfm.FMClassifier(epochs=1, warm_start=True).fit(Dataset.stream(path))
    with pytest.raises(ValueError, match=r"rows from 0 on: y\[2\]: expected one of the classes"):
        model.fit(Dataset.stream(tmp_path / "three.ffm"))
    Dataset.from_ids([[0], [1]]).save(tmp_path / "none")
    with pytest.raises(ValueError, match="y: expected targets, found None"):
        pyfm.FMClassifier().fit(Dataset.stream(tmp_path / "none"))


def test_threads_learn_from_windows(path: Path) -> None:
    one = _fit(pyfm.FFMClassifier, Dataset.stream(path, window=500), epochs=4)
    three = _fit(pyfm.FFMClassifier, Dataset.stream(path, window=500), epochs=4, n_jobs=3)
    ours, theirs = (m.history_["train_logloss"][-1] for m in (one, three))
    assert ours == pytest.approx(theirs, abs=0.01)


def test_a_piece_of_an_epoch_is_checked_by_the_core() -> None:
    model = pyfm.FMClassifier(epochs=1).fit(DATA)._model
    position = _core.EpochPosition()
    for rows in (DATA[:1000], DATA[1000:]):
        model.train_epoch(
            rows.core, epoch=1, shuffle=True, n_threads=1, poll=None, position=position
        )
    assert position.n_rows == len(DATA)
