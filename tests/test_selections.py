"""Selections of rows: they share the features, and are for every use what a copy of them is."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import kinds
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import entries_of
from selections import LAYOUTS, N_ROWS, mapped, own_rows, rows_in

import pyfm
from pyfm import Dataset, _core
from pyfm.progress import Origin

each_layout = pytest.mark.parametrize("layout", LAYOUTS)

SOME = np.random.default_rng(2).permutation(N_ROWS)[:150]


def pair(layout: str, rows: Any = SOME, **options: Any) -> tuple[Dataset, Dataset]:
    """A selection, and the same rows in memory of their own."""
    chosen = rows_in(layout, **options)[rows]
    assert chosen.core.is_selection
    copy = own_rows(chosen)
    assert not copy.core.is_selection
    return chosen, copy


def parameters_of(model: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {"history": [model.history_.get(f"train_{name}") for name in
                                         ("logloss", "rmse")]}  # fmt: skip
    for name in ("coef_", "intercept_", "factors_"):
        if hasattr(model, name):
            parts[name] = getattr(model, name).tolist()
    return parts


@each_layout
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_selection_of_a_selection_is_numpys(layout: str, data: Any) -> None:
    whole = rows_in(layout, weights=True)
    entries, y, weight = entries_of(whole), whole.y, whole.sample_weight
    assert y is not None
    assert weight is not None
    chosen, numbers = whole, np.arange(N_ROWS)
    for _ in range(data.draw(st.integers(1, 4))):
        n = len(numbers)
        if data.draw(st.booleans()):
            start, stop = (data.draw(st.integers(0, n)) for _ in range(2))
            rows: Any = slice(start, stop)
        else:
            rows = data.draw(st.lists(st.integers(-n, n - 1), max_size=20)) if n else []
        chosen, numbers = chosen[rows], numbers[rows]
    assert entries_of(chosen) == [entries[i] for i in numbers]
    assert len(chosen) == len(numbers)
    assert chosen.nnz == sum(len(entries[i]) for i in numbers)
    if len(numbers):
        assert chosen.y is not None
        assert chosen.sample_weight is not None
        assert chosen.y.tolist() == y[numbers].tolist()
        assert chosen.sample_weight.tolist() == weight[numbers].tolist()
    assert _core.format_rows(chosen.core, "libffm") == _core.format_rows(
        own_rows(chosen).core, "libffm"
    )


@pytest.mark.parametrize("kind", kinds.ESTIMATORS)
@each_layout
def test_a_fit_is_that_of_a_copy(layout: str, kind: Any) -> None:
    chosen, copy = pair(layout, weights=True)
    fits = [kinds.small(kind, epochs=3, random_state=0).fit(rows) for rows in (chosen, copy)]
    assert parameters_of(fits[0]) == parameters_of(fits[1])
    others = rows_in(layout)[::-3]
    expected = fits[1].predict(own_rows(others))
    assert (fits[0].predict(others) == expected).all()
    assert fits[0].score(others) == fits[1].score(own_rows(others))


@each_layout
@pytest.mark.parametrize(
    "params",
    [
        {"batch_size": 16, "n_jobs": 3},
        {"batch_size": "full", "optimizer": "sgd"},
        {"early_stopping": True, "n_iter_no_change": 2, "epochs": 20},
        {"negative_sampling": 0.6, "label_smoothing": 0.1},
        {"class_weight": "balanced", "min_count": 3},
        {"augmentation": pyfm.Augmentation(feature_dropout=0.2, bootstrap=True)},
        {"learning_rate_schedule": "exponential", "dtype": "float16", "normalize": False},
    ],
    ids=lambda params: " ".join(params),
)
def test_parameters_treat_it_as_a_copy(layout: str, params: dict[str, Any]) -> None:
    chosen, copy = pair(layout, weights=True)
    valid = rows_in(layout)[1::2]
    made = [
        pyfm.FFMClassifier(random_state=0).set_params(**({"epochs": 3} | params)) for _ in range(2)
    ]
    if "early_stopping" in params:
        fits = [model.fit(rows) for model, rows in zip(made, (chosen, copy), strict=True)]
    else:
        fits = [
            model.fit(rows, eval_set=given)
            for model, rows, given in zip(
                made, (chosen, copy), (valid, own_rows(valid)), strict=True
            )
        ]
    assert parameters_of(fits[0]) == parameters_of(fits[1])
    for name in fits[0].history_:
        if "second" not in name:
            assert fits[0].history_[name] == fits[1].history_[name]


@each_layout
def test_a_stream_learns_it_as_a_copy(layout: str) -> None:
    chosen, copy = pair(layout)
    streams = [pyfm.FFMClassifier(random_state=0) for _ in range(2)]
    for start in range(0, 150, 50):
        for model, rows in zip(streams, (chosen, copy), strict=True):
            model.partial_fit(rows[start : start + 50])
    assert parameters_of(streams[0]) == parameters_of(streams[1])
    assert streams[0].progressive_logloss_ == streams[1].progressive_logloss_


def test_a_broken_call_of_a_stream_is_undone() -> None:
    """Which looks at the features of the rows, and at no others."""
    whole = rows_in("values")
    model = pyfm.FMClassifier(random_state=0, optimizer="sgd", learning_rate=0.1, normalize=False)
    model.partial_fit(whole)
    before = parameters_of(model)
    y = np.zeros(N_ROWS)
    y[0] = 1
    huge = Dataset.from_arrays(
        np.arange(N_ROWS + 1) * 2, np.tile([0, 1], N_ROWS), values=np.full(2 * N_ROWS, 1e30),
        fields=np.tile([0, 1], N_ROWS), y=y, n_features=60, n_fields=4,
    )  # fmt: skip
    with pytest.raises(ValueError, match="finite"):
        model.partial_fit(huge[[0, 1, 2]], classes=[0, 1])
    assert parameters_of(model) == before


@each_layout
@pytest.mark.parametrize("encoder", [False, True])
def test_a_file_of_it_is_that_of_a_copy(layout: str, encoder: bool, tmp_path: Path) -> None:
    chosen, copy = pair(layout, np.tile(SOME, 500), weights=True)  # more than one piece
    if encoder:
        fitted = pyfm.FieldEncoder().fit({"site": ["a", "b"]})
        chosen, copy = (Dataset(rows.core, encoder=fitted) for rows in (chosen, copy))
    chosen.save(tmp_path / "one.pyfm")
    copy.save(tmp_path / "two.pyfm")
    assert (tmp_path / "one.pyfm").read_bytes() == (tmp_path / "two.pyfm").read_bytes()
    assert entries_of(Dataset.open(tmp_path / "one.pyfm")) == entries_of(copy)


@pytest.mark.parametrize("layout", ["gaps", "values"])
@pytest.mark.parametrize("n_empty", [1, 40_000])
def test_rows_without_entries_take_nothing_from_the_others_in_a_file(
    layout: str, n_empty: int, tmp_path: Path
) -> None:
    """Whole pieces of them, too, at the beginning, in the middle and at the end."""
    core = rows_in(layout).core
    assert core.indptr is not None
    whole = Dataset.from_arrays(
        np.append(core.indptr, core.nnz),
        core.features,
        fields=core.fields,
        values=core.values,
        y=np.arange(N_ROWS + 1),
    )
    empty = [N_ROWS] * n_empty
    for rows in ([*empty, *SOME], [*SOME, *empty, *SOME], [*SOME, *empty], empty):
        chosen, copy = whole[rows], own_rows(whole[rows])
        chosen.save(tmp_path / "one.pyfm")
        copy.save(tmp_path / "two.pyfm")
        assert (tmp_path / "one.pyfm").read_bytes() == (tmp_path / "two.pyfm").read_bytes()
        assert Origin.of(chosen.core, 1, 2) == Origin.of(copy.core, 1, 2)


@each_layout
def test_a_checkpoint_of_a_copy_knows_it(layout: str, tmp_path: Path) -> None:
    for rows in (SOME, np.tile(SOME, 500)):
        chosen, copy = pair(layout, rows, weights=True)
        assert Origin.of(chosen.core, 1, 2) == Origin.of(copy.core, 1, 2)
        assert Origin.of(chosen[::-1].core, 1, 2) != Origin.of(copy.core, 1, 2)
    path = tmp_path / "checkpoint.pyfm"
    model = pyfm.FMClassifier(epochs=2, random_state=0)
    model.fit(copy, callbacks=[pyfm.callbacks.checkpoint(path)])
    resumed = pyfm.FMClassifier(epochs=4, random_state=0).fit(chosen, resume_from=path)
    whole = pyfm.FMClassifier(epochs=4, random_state=0).fit(copy)
    assert parameters_of(resumed) == parameters_of(whole)


@each_layout
def test_rows_of_a_mapped_file(layout: str, tmp_path: Path) -> None:
    whole = mapped(rows_in(layout, weights=True), tmp_path)
    copy = own_rows(whole[SOME])
    fits = [pyfm.FFMClassifier(epochs=2, random_state=0).fit(r) for r in (whole[SOME], copy)]
    assert parameters_of(fits[0]) == parameters_of(fits[1])


def test_tables_come_back_from_some_of_their_rows() -> None:
    table = {"site": ["a", "b", "a", "c"], "price": [0.5, None, 2.0, 1.0]}
    encoder = pyfm.FieldEncoder({"site": "categorical", "price": "real"}).fit(table)
    chosen = encoder.transform(table)[[3, 0, 1]]
    assert encoder.inverse_transform(chosen).to_pydict()["site"] == ["c", "a", "b"]


@each_layout
def test_other_targets_and_copies(layout: str) -> None:
    chosen, copy = pair(layout)
    y = np.arange(150)
    changed = chosen.with_targets(y, y)
    assert changed.y is not None
    assert changed[::-1].y is not None
    assert changed.y.tolist() == y.tolist()
    assert entries_of(changed) == entries_of(copy)
    assert not chosen.copy().core.is_selection
    assert entries_of(chosen.copy()) == entries_of(copy)
    for rows in (chosen, rows_in(layout)[10:20]):
        apart = rows.copy()
        assert entries_of(apart) == entries_of(rows)
        assert not np.shares_memory(apart.core.features, rows_in(layout).core.features)
        assert apart.y is not None
        assert not np.shares_memory(apart.y, rows.y)
    pickled = pickle.loads(pickle.dumps(chosen))
    assert entries_of(pickled) == entries_of(copy)
    assert not pickled.core.is_selection


def test_clicks_of_it() -> None:
    chosen, copy = pair("gaps")
    clicks, impressions = np.arange(150) % 3, np.full(150, 4)
    counted = [rows.with_clicks(clicks, impressions) for rows in (chosen, copy)]
    assert entries_of(counted[0]) == entries_of(counted[1])


def test_what_it_takes_is_not_what_the_data_take() -> None:
    whole = rows_in("values", weights=True)
    chosen = whole[[0, 1, 1]]
    assert chosen.nbytes == 3 * (8 + 4 + 4) + chosen.nnz * (4 + 2 + 4)
    assert chosen.layout == whole.layout
    assert chosen.shape == (3, whole.n_features)
    assert whole.nbytes == own_rows(whole).nbytes


def test_as_scikit_learn_selects() -> None:
    whole = rows_in("gaps")
    key: Any
    for key in ((SOME, ...), (SOME, slice(None))):
        assert entries_of(whole[key]) == entries_of(whole[SOME])
    wrong: Any
    for wrong in ((SOME, 0), (SOME, SOME), (SOME, slice(1)), (1, 2, 3), (0,)):
        with pytest.raises(IndexError, match="expected rows alone, found"):
            whole[wrong]
    with pytest.raises(TypeError, match=r"found a pyfm\.Dataset: estimators of other"):
        np.asarray(whole)


# 200,000 rows of 160 features take 122 MiB. A copy of two thirds of them would be another 81 MiB. A
# selection has 12 bytes for each row, and 8 more in the making; what scikit-learn and fits have of
# all rows (orders, classes, folds, probabilities) are at most some 10 columns of 1.5 MiB at a time,
# and a piece of a file that is written has 10 MiB. A fit of several epochs has a number for each
# entry that is stored, another 122 MiB.
PROGRAM = """
import re, sys
import numpy as np
import pyfm
from sklearn.model_selection import cross_val_score, StratifiedKFold

def peak():
    # Not getrusage's, which begins with that of the process that started this one.
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

rng = np.random.default_rng(0)
ids = np.empty((int(sys.argv[1]), 160), np.uint32)
for piece in np.array_split(ids, 100):  # so that the peak before is what is held
    piece[:] = rng.integers(0, 1000, piece.shape)
y = rng.integers(0, 2, len(ids)).astype(np.float32)
data = pyfm.Dataset.from_ids(ids, y)
model = pyfm.FMClassifier(epochs=1, n_factors=2, random_state=0)
def run(rows):
    chosen = rows[rng.permutation(len(rows))]
    cross_val_score(model, chosen, chosen.y, cv=StratifiedKFold(3), scoring="neg_log_loss")
    if sys.argv[2] == "copy":
        chosen.copy()
    epochs = 2 if sys.argv[2] == "numbers" else 1
    model.fit(rows).set_params(early_stopping=True, epochs=epochs).fit(rows)
    chosen.save(sys.argv[3])
run(data[:1000])
before = peak()
run(data)
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("what", "least", "most"), [("selection", 0, 60), ("copy", 60, 182), ("numbers", 122, 182)]
)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak in /proc")
def test_nothing_is_copied(what: str, least: float, most: float, tmp_path: Path) -> None:
    """And that a copy would be seen."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "200000", what, tmp_path / "rows.pyfm"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    grown = float(done.stdout)
    assert least < grown < most, grown
