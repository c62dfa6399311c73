"""Baggings as folders: the same predictions, whole or not at all, nothing believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import pyfm
from pyfm.ensemble import BaggingClassifier, BaggingRegressor

ROWS, _ = pyfm.datasets.make_ctr(300, n_fields=3, n_features=30, random_state=0)


def bag(**params: Any) -> BaggingClassifier:
    fm = pyfm.FMClassifier(epochs=1, random_state=7)
    return BaggingClassifier(fm, **({"n_estimators": 3, "random_state": 0} | params)).fit(ROWS)


def test_round_trip(tmp_path: Path) -> None:
    fitted = bag(average="logit", max_samples=0.5, n_jobs=2)
    fitted.save(tmp_path / "bag")
    loaded = pyfm.load(tmp_path / "bag")
    np.testing.assert_array_equal(loaded.predict_proba(ROWS), fitted.predict_proba(ROWS))
    assert loaded.classes_.tolist() == fitted.classes_.tolist()
    assert loaded.estimator.get_params() == fitted.estimator.get_params()
    for name, value in fitted.get_params(deep=False).items():
        if name != "estimator":
            assert getattr(loaded, name) == value
    one = pyfm.load(tmp_path / "bag" / "member-1.pyfm")
    np.testing.assert_array_equal(
        one.predict_proba(ROWS), fitted.estimators_[1].predict_proba(ROWS)
    )
    np.testing.assert_array_equal(loaded.fit(ROWS).predict_proba(ROWS), fitted.predict_proba(ROWS))


def test_tables_and_labels_of_any_kind(tmp_path: Path) -> None:
    table = {"site": ["a", "b", "c", "a"] * 20, "ad": [1, 2, 2, 1] * 20}
    y = ["no", "yes", "yes", "no"] * 20
    fitted = BaggingClassifier(pyfm.LinearClassifier(), n_estimators=2, random_state=0)
    fitted.fit(table, y).save(tmp_path / "bag")
    loaded = pyfm.load(tmp_path / "bag")
    assert loaded.predict(table).tolist() == fitted.predict(table).tolist()
    assert loaded.feature_names_in_.tolist() == ["site", "ad"]
    regressor = BaggingRegressor(pyfm.LinearRegressor(), n_estimators=2, random_state=0)
    regressor.fit(table, np.arange(80.0)).save(tmp_path / "regressor")
    found = pyfm.load(str(tmp_path / "regressor")).predict(table)
    np.testing.assert_array_equal(found, regressor.predict(table))


def test_an_ensemble_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "bag"
    bag(n_estimators=5).save(target)
    small = bag(n_estimators=2)
    small.save(target)
    assert sorted(p.name for p in target.iterdir()) == [
        "ensemble.json", "member-0.pyfm", "member-1.pyfm",
    ]  # fmt: skip
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(OSError, match="a new or empty folder, or one of an ensemble"):
        small.save(other)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="saved to a folder"):
        small.save(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        small.save(tmp_path / "none" / "bag")
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bag", "file", "other"]


def test_a_save_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = bag()
    fitted.save(tmp_path / "bag")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyfm.FMClassifier, "save", full)
    with pytest.raises(OSError, match="No space"):
        bag(n_estimators=1).save(tmp_path / "bag")
    assert [p.name for p in tmp_path.iterdir()] == ["bag"]
    np.testing.assert_array_equal(
        pyfm.load(tmp_path / "bag").predict_proba(ROWS), fitted.predict_proba(ROWS)
    )


def test_not_fitted(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        BaggingClassifier().save(tmp_path / "bag")
    assert not list(tmp_path.iterdir())


def spoil(folder: Path, **changes: Any) -> None:
    file = folder / "ensemble.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format_version: expected 1"),
        ({"class": "Popen"}, "class: expected one of BaggingClassifier, BaggingRegressor"),
        ({"class": ["BaggingClassifier"]}, "ensemble.json"),
        ({"class": "BaggingRegressor"}, "params: expected the entries"),
        ({"params": 3}, "params: expected the entries"),
        ({"estimator": {"n_jobs": 1}}, "estimator: expected the entries"),
        ({"estimator": {"n_jobs": 0, "random_state": 1}}, "n_jobs: expected a number of threads"),
        ({"n_members": True}, "n_members: expected an integer >= 1"),
        ({"n_members": 4}, "expected 4 members, found 3"),
        ({"n_members": 10**30}, "found 3"),
    ],
)
def test_damaged_metadata(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    bag().save(tmp_path / "bag")
    spoil(tmp_path / "bag", **changes)
    with pytest.raises(pyfm.FormatError, match=message):
        pyfm.load(tmp_path / "bag")


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, "\0", "null"])
def test_no_metadata(tmp_path: Path, text: str) -> None:
    bag().save(tmp_path / "bag")
    (tmp_path / "bag" / "ensemble.json").write_text(text)
    with pytest.raises(pyfm.FormatError, match=r"ensemble\.json"):
        pyfm.load(tmp_path / "bag")


def test_other_folders_and_members(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"with ensemble\.json in it"):
        pyfm.load(tmp_path)
    bag().save(tmp_path / "bag")
    member = tmp_path / "bag" / "member-1.pyfm"
    pyfm.FMClassifier(epochs=1).fit(ROWS[:, ...]).save(member)
    pyfm.load(tmp_path / "bag")  # of the same kind and inputs
    pyfm.LinearClassifier().fit(ROWS).save(member)
    with pytest.raises(pyfm.FormatError, match=r"member-1\.pyfm: expected a classifier with"):
        pyfm.load(tmp_path / "bag")
    pyfm.FMClassifier(epochs=1).fit([[0, 1], [1, 2]] * 9, ["a", "b"] * 9).save(member)
    with pytest.raises(pyfm.FormatError, match=r"member-1\.pyfm: expected a classifier with"):
        pyfm.load(tmp_path / "bag")
    member.write_bytes(b"\0" * 100)
    with pytest.raises(pyfm.FormatError, match=r"member-1\.pyfm"):
        pyfm.load(tmp_path / "bag")
    member.rename(tmp_path / "bag" / "member-9.pyfm")
    with pytest.raises(FileNotFoundError):
        pyfm.load(tmp_path / "bag")
