"""`deep_fields` that cannot be: parameters and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from model_files import rewrite
from test_deep_estimators import SMALL, each_kind, same
from test_deep_fields import DEEP, IDS, Y, encoded, make_table

import pyfm
from pyfm import FormatError
from pyfm.estimators.deep import DeepModel


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), r"deep_fields: expected a list or tuple of numbers or names .* found \(\)"),
        ("site", "deep_fields: expected a list or tuple of numbers or names .* found 'site'"),
        (2, "deep_fields: expected a list or tuple of numbers or names .* found 2"),
        ((0, 1.5), r"deep_fields\[1\]: expected an integer in \[0, 65535\], found 1.5"),
        ((True,), r"deep_fields\[0\]: expected an integer"),
        ((-1,), r"deep_fields\[0\]: expected an integer in \[0, 65535\], found -1"),
        ((0, 0), r"deep_fields: expected each field once, found \[0, 0\]"),
        ((0, 5), "deep_fields: expected fields of the 5 that X has, from 0 on, found 5"),
        (("site",), "deep_fields: expected numbers of fields, since names are those of tables"),
    ],
)
@each_kind
def test_wrong_fields(kind: type[DeepModel], given: Any, message: str) -> None:
    for learn in (kind.fit, kind.partial_fit):
        model = kind(**SMALL, deep_fields=given)
        with pytest.raises(ValueError, match=message):
            learn(model, IDS, Y)
        assert not hasattr(model, "history_")


def test_wrong_names() -> None:
    data = encoded(make_table())
    with pytest.raises(ValueError, match=r"expected fields of X \('site', .*'site×ad'.* found 'a"):
        pyfm.WideDeepClassifier(**SMALL, deep_fields=("a",)).fit(data)
    with pytest.raises(ValueError, match=r"each field once, found \['ad', 1\]"):
        pyfm.WideDeepClassifier(**SMALL, deep_fields=("ad", 1)).fit(data)


def test_nothing_would_see_the_others() -> None:
    with pytest.raises(ValueError, match=r"deep_fields: expected None with linear=False.*\(0, 1\)"):
        pyfm.WideDeepClassifier(**SMALL, linear=False, deep_fields=(0, 1)).fit(IDS, Y)


def test_files_of_earlier_versions(tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = pyfm.WideDeepClassifier(**SMALL).fit(IDS, Y)
    model.save(path)

    def forget(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        del metadata["spec"]["deep_fields"], metadata["params"]["deep_fields"]

    rewrite(path, forget)
    assert same(model, pyfm.load(path))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "spec.deep_fields: expected some of the fields, ascending"),
        ([1, 0, 3], "spec.deep_fields: expected some of the fields, ascending"),
        ([0, 0, 1], "spec.deep_fields: expected some of the fields, ascending"),
        ([0, 1, 2, 3, 4], "spec.deep_fields: expected some of the fields, ascending"),
        ([0, 1, 5], r"spec.deep_fields: expected an integer in \[0, 4\], found 5"),
        ([0, 1, "3"], "spec.deep_fields: expected an integer"),
        ([0, 1, 2**70], "spec.deep_fields: expected an integer"),
        ("013", "spec.deep_fields: expected list"),
        ({"0": 1}, "spec.deep_fields: expected list"),
        ([0, 1], r"tensor deep.0.weight: expected shape \(8, 12\)"),
        (None, r"tensor deep.0.weight: expected shape \(20, 12\)"),
    ],
)
def test_damaged_files(fields: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    pyfm.WideDeepClassifier(**DEEP).fit(IDS, Y).save(path, optimizer_state=True)

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        metadata["spec"]["deep_fields"] = fields

    rewrite(path, change)
    with pytest.raises(FormatError, match=message):
        pyfm.load(path)


def test_damaged_files_of_other_models(tmp_path: Path) -> None:
    path = tmp_path / "model"

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        metadata["spec"]["deep_fields"] = [0]

    for model in (pyfm.FFMClassifier(epochs=1), pyfm.DeepFMClassifier(**SMALL, linear=False)):
        model.fit(IDS, Y).save(path)
        rewrite(path, change)
        with pytest.raises(FormatError, match=r"deep_fields: expected some for deep models with l"):
            pyfm.load(path)
