"""`make_ctr` and `read_criteo`."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyfm._core import FormatError
from pyfm.dataset import Dataset
from pyfm.datasets import make_ctr, read_criteo
from pyfm.datasets.planted import field_sizes


def logloss_of_rate(y: Any) -> float:
    rate = float(np.mean(y))
    return float(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate))


def test_rows_of_criteos_shape() -> None:
    data, bayes_logloss = make_ctr(20_000, random_state=0)
    assert (data.n_rows, data.n_fields, data.n_features) == (20_000, 39, 1_280_000)
    assert data.layout == "one_per_field"
    assert data.y is not None
    assert set(data.y.tolist()) == {0.0, 1.0}
    assert float(data.y.mean()) == pytest.approx(0.25, abs=0.02)
    assert 0.3 < bayes_logloss < logloss_of_rate(data.y) - 0.1


def test_fields_own_ranges_of_ids_and_a_few_are_frequent() -> None:
    data, _ = make_ctr(5000, n_fields=8, n_features=20_000, random_state=3)
    ids = data.core.features.reshape(-1, 8)
    lows, highs = ids.min(axis=0), ids.max(axis=0)
    assert (highs[:-1] < lows[1:]).all()
    for column in ids.T:
        _, counts = np.unique(column, return_counts=True)
        # P(rank 1) is about 1 / H with H = Σ r^-1.1 < 10.6 for any field.
        assert counts.max() > 0.05 * len(column)


@pytest.mark.parametrize(("n_fields", "n_features"), [(39, 1_280_000), (1, 7), (5, 5), (3, 100)])
def test_field_sizes_add_up(n_fields: int, n_features: int) -> None:
    sizes = field_sizes(n_fields, n_features)
    assert len(sizes) == n_fields
    assert sizes.sum() == n_features
    assert sizes.min() >= 1


def same_rows(a: Dataset, b: Dataset) -> bool:
    return np.array_equal(a.core.features, b.core.features) and np.array_equal(
        np.asarray(a.y), np.asarray(b.y)
    )


def test_a_short_call_is_the_beginning_of_a_long_one() -> None:
    long, _ = make_ctr(20_000, n_fields=4, n_features=500, random_state=1)
    short, _ = make_ctr(9_000, n_fields=4, n_features=500, random_state=1)
    assert same_rows(short, long[:9_000])
    other, _ = make_ctr(9_000, n_fields=4, n_features=500, random_state=2)
    assert not same_rows(short, other)


def test_random_states() -> None:
    def rows(seed: Any) -> Dataset:
        return make_ctr(100, n_fields=3, n_features=30, random_state=seed)[0]

    assert not same_rows(rows(None), rows(None))
    for kind in (np.random.default_rng, np.random.RandomState):
        assert same_rows(rows(kind(5)), rows(kind(5)))
        generator = kind(5)
        assert not same_rows(rows(generator), rows(generator))


@pytest.mark.parametrize("ctr", [0.02, 0.5, 0.9])
def test_the_base_rate_is_matched(ctr: float) -> None:
    data, _ = make_ctr(30_000, n_fields=10, n_features=1000, ctr=ctr, random_state=0)
    assert data.y is not None
    # Six standard errors of the sample, and of the 16,384 rows that set the bias.
    assert float(data.y.mean()) == pytest.approx(ctr, abs=6 * np.sqrt(0.25 / 10_000))


@pytest.mark.parametrize("zipf", [0, 1, 2.5])
@pytest.mark.parametrize("n_fields", [1, 2, 45])
def test_extreme_shapes(zipf: float, n_fields: int) -> None:
    data, bayes_logloss = make_ctr(
        300, n_fields=n_fields, n_features=50, n_factors=1, zipf=zipf, random_state=0
    )
    assert data.n_fields == n_fields
    assert 0 < bayes_logloss < 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_rows": 0}, "n_rows: expected an integer >= 1, found 0"),
        ({"n_fields": 0}, "n_fields: expected an integer in"),
        ({"n_features": 4}, "n_features: expected an integer in"),
        ({"n_factors": 0}, "n_factors: expected"),
        ({"ctr": 1}, "ctr: expected"),
        ({"zipf": -1}, "zipf: expected"),
        ({"random_state": -1}, "random_state: expected"),
    ],
)
def test_wrong_arguments(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"n_rows": 10, "n_fields": 5, "n_features": 50, **change}
    with pytest.raises(ValueError, match=message):
        make_ctr(**arguments)


def line(label: str, integers: Sequence[Any], categories: Sequence[str]) -> str:
    columns = [label, *map(str, integers), *categories]
    return "\t".join(columns + [""] * (40 - len(columns)))


def criteo_file(path: Path, lines: Sequence[str], end: str = "\n") -> Path:
    path.write_bytes((end.join(lines) + end).encode())
    return path


# Four lines alike, so that their values are kept, and one of rare values.
COMMON = line("1", [1, 5, "", -1] + [0] * 9, ["0a1b2c3d"] * 25)
RARE = line("0", [2, 100, 3, -2] + [0] * 9, ["ffffffff"] * 25 + ["00000000"])


def test_read_criteo(tmp_path: Path) -> None:
    data = read_criteo(criteo_file(tmp_path / "train.txt", [COMMON] * 4 + [RARE]))
    assert data.layout == "one_per_field"
    assert (data.n_rows, data.n_fields) == (5, 39)
    assert data.n_features == 39 * 2  # one value of each field is kept, one id is for the rest
    ids = data.core.features.reshape(5, 39)
    assert (ids[:4] == np.arange(39) * 2 + 1).all()
    same = [f for f in range(39) if ids[4, f] == ids[0, f]]
    assert same == list(range(4, 13))  # the nine zeros
    assert data.y is not None
    assert data.y.tolist() == [1, 1, 1, 1, 0]


def test_a_pipe_is_not_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe: expected a file, which can be read twice"):
        read_criteo(tmp_path / "pipe")


def test_integers_above_2_share_buckets(tmp_path: Path) -> None:
    # floor(ln(x)²): 3 → 1, 4 → 1, 5 → 2, 100 → 21, 101 → 21. 1 and 2 are no buckets.
    numbers = ["3", "4", "5", "100", "101", "1", "2", "-1", ""]
    lines = [line("0", [x] * 13, ["00000000"] * 26) for x in numbers for _ in range(4)]
    data = read_criteo(criteo_file(tmp_path / "train.txt", lines))
    first = data.core.features.reshape(-1, 39)[::4, 0].tolist()
    assert first[0] == first[1]
    assert first[3] == first[4]
    assert len(set(first)) == 7


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_encoder_maps_other_files(tmp_path: Path, end: str) -> None:
    train = read_criteo(criteo_file(tmp_path / "train.txt", [COMMON] * 4 + [RARE]))
    assert train.encoder is not None
    encoder = pickle.loads(pickle.dumps(train[2:])).encoder
    valid = read_criteo(
        criteo_file(tmp_path / "valid.txt", [RARE, COMMON, RARE], end), encoder=encoder
    )
    assert valid.encoder is encoder
    assert valid[1:].encoder is encoder
    assert np.array_equal(valid.core.features[39:78], train.core.features[:39])
    assert np.array_equal(valid.core.features[:39], train.core.features[-39:])
    assert valid.n_features == train.n_features


def test_archives_and_many_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lines = [
        line(
            str(rng.integers(2)),
            rng.integers(-2, 1000, 13).tolist(),
            [f"{x:08x}" for x in rng.zipf(1.5, 26) % (1 << 32)],
        )
        for _ in range(300)
    ]
    path = criteo_file(tmp_path / "train.txt", lines)
    whole = read_criteo(path)
    monkeypatch.setattr("pyfm.datasets.criteo_text._BYTES_PER_CHUNK", 1000)
    monkeypatch.setattr("pyfm.dataset.compression.BLOCK_BYTES", 777)
    assert same_rows(read_criteo(path), whole)
    archive = tmp_path / "train.txt.gz"
    archive.write_bytes(gzip.compress(path.read_bytes()[:-1]))
    assert same_rows(read_criteo(archive), whole)


TABS = "\t" * 39


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (TABS[1:], r"2:39: expected 40 columns separated by tabs .* found 39"),
        (TABS + "\t", r"2:41: expected 40 columns .* found 41"),
        ("", r"2:1: expected 40 columns .* found 1"),
        (TABS, "2:1: expected a label, 0 or 1, found ''"),
        ("2" + TABS, "2:1: expected a label, 0 or 1, found '2'"),
        ("01" + TABS, "2:1: expected a label, 0 or 1, found '01'"),
        (line("0", ["x"], []), "2:3: expected an integer of at most 15 digits .* found 'x'"),
        (line("0", ["", "-"], []), "2:4: expected an integer .* found '-'"),
        (line("0", ["1.5"], []), "2:3: expected an integer .* found '1.5'"),
        (line("0", ["1" * 16], []), "2:3: expected an integer .* found '1{16}'"),
        (line("1", [1] * 13, ["0a1b2c3"]), "2:29: expected 8 hexadecimal digits .* '0a1b2c3'"),
        (line("1", [1] * 13, ["0a1b2c3g"]), "2:29: expected 8 hexadecimal .* '0a1b2c3g'"),
        (line("1", [""] * 13, [""] * 25 + ["abc"]), "2:41: expected 8 hexadecimal .* 'abc'"),
    ],
)
def test_malformed_lines(tmp_path: Path, bad: str, message: str) -> None:
    path = criteo_file(tmp_path / "bad.txt", [COMMON, bad])
    with pytest.raises(FormatError, match=rf"bad\.txt:{message}"):
        read_criteo(path)


def test_files_without_lines(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.touch()
    with pytest.raises(FormatError, match=r"empty\.txt:1:1: expected at least one line"):
        read_criteo(path)
    with pytest.raises(FileNotFoundError):
        read_criteo(tmp_path / "missing.txt")
