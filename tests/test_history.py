"""`history_`: a dict of lists that is also a table."""

from __future__ import annotations

import copy
import json
import pickle
from itertools import pairwise
from pathlib import Path

import pytest

import pyfm
from pyfm.history import History


@pytest.fixture(scope="module")
def model() -> pyfm.FMClassifier:
    rows, _ = pyfm.datasets.make_ctr(1500, n_fields=4, n_features=60, random_state=0)
    return pyfm.FMClassifier(epochs=4, random_state=0).fit(rows[:1000], eval_set=rows[1000:])


def test_is_a_dict_of_lists(model: pyfm.FMClassifier, tmp_path: Path) -> None:
    history = model.history_
    assert isinstance(history, dict)
    assert history == dict(history)
    assert json.loads(json.dumps(history)) == history
    for twin in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):
        assert isinstance(twin, History)
        assert (twin, twin.best_epoch) == (history, model.best_epoch_)
    model.save(tmp_path / "model.pyfm")
    loaded = pyfm.load(tmp_path / "model.pyfm").history_
    assert (repr(loaded), loaded.best_epoch) == (repr(history), model.best_epoch_)


def test_text_marks_the_best_epoch(model: pyfm.FMClassifier) -> None:
    head, *lines, foot = repr(model.history_).splitlines()
    assert head.split() == list(model.history_)
    assert foot == "* best epoch"
    assert [line[0] for line in lines] == [
        "*" if epoch == model.best_epoch_ else " " for epoch in range(1, 5)
    ]
    assert len({len(line) for line in (head, *lines)}) == 1  # right-aligned
    assert f"{model.history_['valid_logloss'][2]:.5f}" in lines[2].split()


def test_html_marks_the_best_epoch(model: pyfm.FMClassifier) -> None:
    html = model.history_._repr_html_()
    assert html.count("<tr") == 5
    best = html.split('<tr title="best epoch">')[1].split("</tr>")[0]
    values = [column[model.best_epoch_ - 1] for column in model.history_.values()]
    assert best.count("<th ") == len(values)
    assert f">{values[0]:.0f}</th>" in best


@pytest.mark.parametrize("best", [0, 1, 10, 11, 50, 90, 91, 100])
def test_long_histories_are_shown_in_part(best: int) -> None:
    history = History({"epoch": list(range(1, 101)), "train_rmse": [0.5] * 100}, best)
    _, *lines = repr(history).splitlines()
    shown = [int(line[1:].split()[0]) for line in lines if line[1:].split()[0].isdigit()]
    assert shown == sorted({*range(1, 11), *range(91, 101), *([best] if best else [])})
    gaps = sum(b > a + 1 for a, b in pairwise(shown))
    assert sum(line.strip() == "…" for line in lines) == gaps
    assert [line for line in lines if line.startswith("* ") and "best" not in line] == (
        [line for line in lines if line[1:].split()[0] == str(best)] if best else []
    )
    html = history._repr_html_()
    assert html.count("<tr") == 1 + len(shown) + gaps


def test_names_are_escaped() -> None:
    history = History({"epoch": [1], "<b>_logloss": [0.5]})
    assert "&lt;b&gt;_logloss" in history._repr_html_()


def test_of_nothing() -> None:
    assert repr(History()) == "History: no epochs"
    assert "no epochs" in History()._repr_html_()
    assert "epoch" in repr(History({"epoch": []}))


def test_of_a_stream_marks_nothing() -> None:
    model = pyfm.LinearClassifier(random_state=0)
    for label in (0, 1):
        model.partial_fit([[label, 2]], [label], classes=[0, 1])
    assert "*" not in repr(model.history_)
    assert len(repr(model.history_).splitlines()) == 3
