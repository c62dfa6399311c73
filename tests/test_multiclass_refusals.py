"""More than two classes: what is refused, and how it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from multiclass import IDS, Y, each_kind, made
from sklearn.multiclass import OneVsRestClassifier

import pyfm
from pyfm import Dataset


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metric": "auc"}, "metric: expected 'logloss' or 'accuracy', since y has 4 classes, fou"),
        ({"metric": ["logloss", "brier"]}, "metric: expected .*, since y has 4 classes, found 'br"),
        ({"negative_sampling": 0.5}, "negative_sampling: expected 1, since y has 4 classes"),
        ({"label_smoothing": 0.1}, "label_smoothing: expected 0, since y has 4 classes"),
        ({"class_weight": {9: 1.0}}, r"class_weight: expected weights of the classes \[0, 1, 2, 3"),
    ],
)
@each_kind
def test_what_knows_two_classes_only(kind: Any, params: dict[str, Any], message: str) -> None:
    for call in (made(kind, **params).fit, made(kind, **params).partial_fit):
        with pytest.raises(ValueError, match=message):
            call(IDS, Y)
    made(kind, **params | {"class_weight": None}).fit(IDS, Y > 1)


@pytest.mark.parametrize("kind", [pyfm.DeepFMClassifier, pyfm.WideDeepClassifier])
def test_deep_models_know_two_classes(kind: Any) -> None:
    message = r"y: expected two classes, found 4 classes: \[0, 1, 2, 3\].*OneVsRestClassifier"
    for call in (kind(hidden=(4,)).fit, kind(hidden=(4,)).partial_fit):
        with pytest.raises(ValueError, match=message):
            call(IDS, Y)
    rest = OneVsRestClassifier(kind(hidden=(4,), random_state=0)).fit(IDS, Y)
    assert rest.predict_proba(IDS).shape == (400, 4)


@each_kind
def test_hostile_labels(kind: Any) -> None:
    model = made(kind)
    with pytest.raises(
        ValueError, match=r"eval_set: y\[0\]: expected one of the 4 classes 0, 1, 2"
    ):
        model.fit(IDS, Y, eval_set=(IDS, Y + 4))
    with pytest.raises(ValueError, match=r"y\[3\]: expected one of the 4 classes .*, found nan"):
        model.fit(IDS, Y, eval_set=(IDS[:4], [0, 1, 2, np.nan]))
    for labels in (["a", "b", "c", "d"], [None, 1, 2, 3], [b"a", b"b", b"c", b"d"]):
        with pytest.raises(ValueError, match=r"eval_set: y.*: expected"):
            model.fit(IDS, Y, eval_set=(IDS[:4], np.array(labels)))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(IDS, np.where(Y == 0, np.nan, Y))
    with pytest.raises(ValueError, match="expected two classes or more, found 1 class"):
        model.fit(IDS, np.zeros(400, int))
    assert not hasattr(model, "classes_")
    model.set_params(warm_start=True).fit(IDS, Y)
    with pytest.raises(ValueError, match=r"y\[0\]: expected one of the 4 classes 0, 1, 2, 3, foun"):
        model.fit(IDS, Y + 10)
    model.fit(IDS, np.minimum(Y, 2))  # fewer are no others
    assert model.classes_.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"classes: expected None or \[0, 1, 2, 3\], those of the"):
        model.partial_fit(IDS, Y, classes=[0, 1, 2])


def test_as_many_classes_as_rows_need_memory() -> None:
    many = np.arange(70_000)
    with pytest.raises(ValueError, match="y: expected at most 65536 classes, found 70000"):
        pyfm.LinearClassifier().fit(Dataset.from_ids(many[:, None], many))
    wide = Dataset.from_ids(np.arange(39 * 2500).reshape(2500, 39), np.arange(2500) % 400)
    message = "97500 features x 400 classes x 39 fields x 1024 factors needs .* GB"
    with pytest.raises(MemoryError, match=message):
        pyfm.FFMClassifier(n_factors=1024).fit(wide)


def test_labels_of_a_dataset_are_integers() -> None:
    with pytest.raises(ValueError, match=r"y\[1\]: expected labels 0 and 1, .*, found 0.5"):
        pyfm.FMClassifier().fit(Dataset.from_ids(IDS[:3], [0, 0.5, 1]))


def test_a_model_that_diverges_names_no_targets() -> None:
    """Numbers of classes are no large targets."""
    y = np.arange(400) % 40
    with pytest.raises(ValueError, match="the learning_rate is too large"):
        made(pyfm.FMClassifier, optimizer="sgd", learning_rate=1e25).fit(IDS, y)
