"""`pyfm.encode`: what each kind of column makes of its values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pyfm
from pyfm.datasets.criteo_text import bucket
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi, Real


def encoded(kind: Any, values: Any, **params: Any) -> tuple[pyfm.FieldEncoder, Any]:
    encoder = pyfm.FieldEncoder({"x": kind}, **params)
    return encoder, encoder.fit_transform({"x": values})


def names(kind: Any, values: Any) -> list[str]:
    """The name of each row's feature."""
    encoder, data = encoded(kind, values)
    known = encoder.get_feature_names_out()
    return [known[j].removeprefix("x=") for j in data.core.features.tolist()]


def test_categories_by_first_row() -> None:
    assert names("categorical", ["b", "a", None, "b"]) == ["b", "a", "<missing>", "b"]
    _, data = encoded("categorical", ["b", "a", None, "b"])
    assert data.core.features.tolist() == [2, 3, 0, 2]
    assert data.layout == "one_per_field"
    assert data.n_features == 4


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, -3, 7], ["7", "-3", "7"]),
        ([True, None, False], ["True", "<missing>", "False"]),
        (np.array([2**64 - 1, 5], np.uint64), ["18446744073709551615", "5"]),
        ([1.0, float("nan"), 2.0], ["1", "<missing>", "2"]),  # integers with gaps, in pandas
        ([b"\xff\0", b"", None], ["b'\\xff\\x00'", "b''", "<missing>"]),
        (["", "a\0b", "ö" * 400], ["", "a\0b", "ö" * 400]),
        (np.array(["u", "vw"]), ["u", "vw"]),
        (pa.array(["u", None, "vw"]).dictionary_encode(), ["u", "<missing>", "vw"]),
        (pa.DictionaryArray.from_arrays([0, 1, 2, 2], pa.array(["v", None, "v"])),
         ["v", "<missing>", "v", "v"]),
        (pa.array(["u", "v"], pa.string_view()), ["u", "v"]),
        (pa.array([b"u", b"v"], pa.binary(1)), ["b'u'", "b'v'"]),
    ],
)  # fmt: skip
def test_categories_of_every_type(values: Any, expected: list[str]) -> None:
    assert names("categorical", values) == expected


def test_min_count_and_max_size() -> None:
    values = ["a", "b", "b", "c", "c", "c", "d", "d"]
    assert names(Categorical(min_count=2), values)[:3] == ["<unknown>", "b", "b"]
    encoder, _ = encoded(Categorical(max_size=2), values)
    assert encoder.get_feature_names_out()[2:].tolist() == ["x=b", "x=c"]  # of b and d the first
    unknown = encoder.transform({"x": ["d", "e", "c"]})
    assert unknown.core.features.tolist() == [1, 1, 3]


def test_long_vocabularies_are_looked_up() -> None:
    values = [f"value {i}" for i in range(30_000)]
    encoder, data = encoded("categorical", values)
    assert data.core.features.tolist() == list(range(2, 30_002))
    others = encoder.transform({"x": [f"value {i}" for i in range(29_990, 30_010)]})
    assert others.core.features.tolist() == [*range(29_992, 30_002), *[1] * 10]


def test_hashes_depend_on_value_and_seed_alone() -> None:
    values = ["a", None, "b", "a"]
    encoder, data = encoded(Hashed(n_bits=16), values)
    ids = data.core.features.tolist()
    assert encoder.n_features_ == 2**16 + 1
    assert ids[1] == 0
    assert ids[0] == ids[3] != ids[2]
    again = pyfm.FieldEncoder({"x": Hashed(n_bits=16)}).fit({"x": ["other"]})
    assert again.transform({"x": values}).core.features.tolist() == ids
    _, seeded = encoded(Hashed(n_bits=16, seed=1), values)
    assert seeded.core.features.tolist() != ids
    # For ever the same: model files rely on it.
    assert ids == [56552, 0, 15227, 56552]


def test_collisions() -> None:
    encoder, data = encoded(Hashed(n_bits=12), [f"v{i}" for i in range(5000)])
    found = encoder.collisions_["x"]
    assert abs(found.n_values - 5000) < 5000 * 0.08  # five standard errors
    assert found.n_ids == 4096
    _, counts = np.unique(data.core.features, return_counts=True)
    share = 1 - np.sum(counts == 1) / 5000
    assert abs(found.share - share) < 0.05
    few, _ = encoded(Hashed(), ["a", "b", "a"])
    assert few.collisions_["x"].n_values == 2


def test_log2_buckets_are_those_of_criteo() -> None:
    x = np.array([*range(-2, 5), 10, 99, 100_000, 2**40])
    encoder, data = encoded(Buckets("log2"), x)
    ids = data.core.features
    expected = np.unique(bucket(x), return_inverse=True)[1]
    assert (np.unique(ids, return_inverse=True)[1] == expected).all()
    assert names(Buckets("log2"), [2, 3, -100, None, 1.5, -1.5]) == [
        "2", "ln²:1", "-ln²:21", "<missing>", "1", "-2",
    ]  # fmt: skip
    assert encoder.transform({"x": [10**9]}).core.features.tolist() == [1]  # unknown


def test_rare_log2_buckets_share_a_feature() -> None:
    encoder, data = encoded(Buckets("log2", min_count=2), [1, 1, 2, 500, 501, -9, None])
    assert encoder.get_feature_names_out().tolist() == [
        "x=<missing>", "x=<unknown>", "x=1", "x=ln²:38",
    ]  # fmt: skip
    assert data.core.features.tolist() == [2, 2, 1, 3, 3, 1, 0]


def test_quantiles() -> None:
    encoder, data = encoded(Buckets("quantile", 4), np.arange(100.0))
    counts = np.bincount(data.core.features)
    assert counts[0] == 0
    assert (np.abs(counts[1:] - 25) <= 1).all()
    assert encoder.get_feature_names_out()[1:3].tolist() == ["x=[-inf, 25)", "x=[25, 50)"]


def test_quantiles_of_a_sample() -> None:
    x = np.random.default_rng(0).permutation(200_000).astype(float)
    encoder, data = encoded(Buckets("quantile", 8), x)
    counts = np.bincount(data.core.features)[1:]
    assert encoder.n_features_ == 9
    # A share p of a sample of n has the standard error √(p (1-p) / n) < 0.0014; four of them, twice
    assert (np.abs(counts / 200_000 - 1 / 8) < 0.011).all()


def test_quantiles_of_mostly_equal_numbers() -> None:
    x = [0.0] * 90 + [1.0] * 10
    encoder, data = encoded("buckets", x)
    assert len(set(data.core.features.tolist())) == 2
    assert encoder.n_features_ <= 4


def test_uniform_buckets() -> None:
    assert names(Buckets("uniform", 2), [0, 4, 5, 10]) == [
        "[-inf, 5)", "[-inf, 5)", "[5, inf)", "[5, inf)",
    ]  # fmt: skip
    _, data = encoded(Buckets("uniform"), [3.0, 3.0])
    assert data.core.features[0] == data.core.features[1]


def test_given_edges() -> None:
    found = names(Buckets([0, 2.5]), [-1, 0, 2.4, 2.5, None, 99])
    assert found == [
        "[-inf, 0)", "[0, 2.5)", "[0, 2.5)", "[2.5, inf)", "<missing>", "[2.5, inf)",
    ]  # fmt: skip


def test_real_numbers() -> None:
    encoder, data = encoded("real", [1.0, None, 3.0, 5.0])
    assert data.core.features.tolist() == [1, 0, 1, 1]
    deviation = float(np.std([1, 3, 5]))
    np.testing.assert_allclose(data.core.values, [-2 / deviation, 1, 0, 2 / deviation])
    assert data.layout == "one_per_field"
    assert encoder.get_feature_names_out().tolist() == ["x=<missing>", "x"]
    _, plain = encoded(Real(standardize=False), [1, 0, 2.5])
    assert plain.core.values.tolist() == [1, 0, 2.5]
    _, constant = encoded("real", [7, 7])
    assert constant.core.values.tolist() == [0, 0]


def test_lists() -> None:
    encoder, data = encoded("multi", [["a", "b"], [], None, ["b"]])
    assert data.core.indptr.tolist() == [0, 2, 2, 3, 4]
    assert data.core.features.tolist() == [2, 3, 0, 3]
    assert encoder.inverse_transform(data)["x"].to_pylist() == [["a", "b"], [], None, ["b"]]
    _, hashed = encoded(Multi(Hashed(8)), [[5, 6], [5]])
    assert hashed.core.features[0] == hashed.core.features[2]


def test_lists_beside_other_columns() -> None:
    table = {"a": ["u", "v", "u"], "x": [[1, 2], [], [2]], "b": [0.5, 1.5, None]}
    kinds: Any = {"a": "categorical", "x": "multi", "b": Real(standardize=False)}
    data: Any = pyfm.FieldEncoder(kinds).fit_transform(table)
    assert data.core.indptr.tolist() == [0, 4, 6, 9]
    assert data.core.fields.tolist() == [0, 1, 1, 2, 0, 2, 0, 1, 2]
    assert data.core.features.tolist() == [2, 6, 7, 9, 3, 9, 2, 7, 8]
    assert data.core.values.tolist() == [1, 1, 1, 0.5, 1, 1.5, 1, 1, 1]


def test_split_strings() -> None:
    _, data = encoded(Multi(separator="|"), ["a|b", "", None, "b"])
    assert data.core.indptr.tolist() == [0, 2, 2, 3, 4]
    assert data.core.features.tolist() == [2, 3, 0, 3]


def test_weights_in_strings() -> None:
    kind = Multi(separator="|", weight_separator=":")
    encoder, data = encoded(kind, ["a:0.5|b:2", "u:v:3", "b", None])
    assert data.core.values.tolist() == [0.5, 2, 3, 1, 1]
    assert encoder.inverse_transform(data)["x"].to_pylist() == [["a", "b"], ["u:v"], ["b"], None]


@pytest.mark.parametrize(
    ("tags", "weights", "separator"),
    [
        ([["a", "b"], None, ["b"], []], [[0.5, 2], [9.0], [3], []], None),
        (["a|b", None, "b", ""], ["0.5|2", None, "3", ""], "|"),
    ],
)
def test_weights_in_a_column(tags: Any, weights: Any, separator: str | None) -> None:
    kind = Multi(separator=separator, weights="w")
    data: Any = pyfm.FieldEncoder({"x": kind}).fit_transform({"x": tags, "w": weights})
    assert data.core.indptr.tolist() == [0, 2, 3, 4, 4]
    assert data.core.features.tolist() == [2, 3, 0, 3]
    assert data.core.values.tolist() == [0.5, 2, 1, 3]


def test_parts_of_dates() -> None:
    times = [dt.datetime(2024, 2, 29, 23, 59), None, dt.datetime(2025, 1, 6, 0, 0)]
    parts = ["minute", "hour", "weekday", "day", "week", "month", "quarter", "year"]
    encoder, data = encoded(Date(parts), times)
    found = encoder.inverse_transform(data).to_pydict()
    assert found == {
        "x:minute": [59, None, 0],
        "x:hour": [23, None, 0],
        "x:weekday": [3, None, 0],
        "x:day": [29, None, 6],
        "x:week": [9, None, 2],
        "x:month": [2, None, 1],
        "x:quarter": [1, None, 1],
        "x:year": [2024, None, 2025],
    }
    assert encoder.field_names_ == tuple(found)
    later = encoder.transform({"x": [dt.datetime(2030, 12, 31)]})
    assert encoder.inverse_transform(later)["x:year"].to_pylist() == [None]  # unknown
    assert encoder.inverse_transform(later)["x:month"].to_pylist() == [12]


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([dt.datetime(2024, 1, 1)], ("x:hour", "x:weekday")),
        ([dt.date(2024, 1, 1)], ("x:weekday",)),
        ([dt.time(5, 30)], ("x:hour",)),
        (pa.array([0], pa.date64()), ("x:weekday",)),
    ],
)
def test_parts_by_default(values: Any, parts: tuple[str, ...]) -> None:
    assert pyfm.FieldEncoder().fit({"x": values}).field_names_ == parts


def test_parts_are_those_of_the_zone() -> None:
    noon = pa.array([dt.datetime(2024, 7, 1, 12)], pa.timestamp("s", "Asia/Kolkata"))
    encoder, data = encoded(Date(["hour", "minute"]), noon)
    assert encoder.inverse_transform(data).to_pydict() == {"x:hour": [17], "x:minute": [30]}


def test_dates_in_strings_and_integers() -> None:
    encoder, data = encoded(Date(["hour"], format="%Y-%m-%d %H:%M"), ["2014-10-21 09:30", None])
    assert encoder.inverse_transform(data)["x:hour"].to_pylist() == [9, None]
    encoder, data = encoded(Date(["hour", "day"], format="%y%m%d%H"), [14102123])
    assert encoder.inverse_transform(data).to_pydict() == {"x:hour": [23], "x:day": [21]}


TABLE = {"site": ["a", "b", "a", None], "ad": [1, 1, 2, 2], "hour": [0.5, 1.5, 0.5, None]}


def test_crosses() -> None:
    encoder = pyfm.FieldEncoder(crosses=[Cross(["site", "ad"], Categorical())]).fit(TABLE)
    data = encoder.transform(TABLE)
    assert encoder.field_names_ == ("site", "ad", "hour", "site×ad")
    of_cross = data.core.features.reshape(4, 4)[:, 3]
    assert of_cross.tolist() == list(range(of_cross[0], of_cross[0] + 4))
    feature = encoder.lookup(int(of_cross[3]))
    assert [one.value for one in feature.value] == [None, 2]
    assert str(feature) == "site×ad=(<missing>, 2)"
    new = encoder.transform({"site": ["b"], "ad": [2], "hour": [0.5]}).core.features[3]
    assert encoder.lookup(int(new)).is_unknown


def test_hashed_crosses_of_three() -> None:
    encoder = pyfm.FieldEncoder(crosses=[("site", "ad", "hour")]).fit(TABLE)
    of_cross = encoder.transform(TABLE).core.features.reshape(4, 4)[:, 3]
    assert len(set(of_cross.tolist())) == 4
    assert encoder.collisions_["site×ad×hour"].n_values == 4
    assert str(encoder.lookup(int(of_cross[0]))).startswith("site×ad×hour=#")


def test_kinds_by_type() -> None:
    table = {"s": ["a", "b"], "i": [3, 400], "f": [0.5, 1.5], "d": [dt.date(2024, 1, 1)] * 2}
    defaults = {"integer": Buckets("log2"), "string": Hashed(4), "float": "real", "date": "date"}
    encoder = pyfm.FieldEncoder(defaults=defaults).fit(table)
    assert encoder.n_features_ == 17 + 4 + 2 + 8


def test_which_columns() -> None:
    table = {"a": [1, 2], "b": [3, 4], "c": [5, 6]}
    assert pyfm.FieldEncoder(["c", "a"]).fit(table).field_names_ == ("c", "a")
    assert pyfm.FieldEncoder({"b": None}).fit(table).field_names_ == ("b",)
    rest = pyfm.FieldEncoder({"b": "real"}, remainder="default", target="c").fit(table)
    assert rest.field_names_ == ("b", "a")
    assert rest.feature_names_in_.tolist() == ["b", "a"]
    assert rest.n_features_in_ == 2


def test_targets_and_weights() -> None:
    table = {"a": ["u", "v"], "click": [1, 0], "w": [2.0, 0.5]}
    encoder = pyfm.FieldEncoder(target="click", sample_weight="w").fit(table)
    data = encoder.transform(table)
    assert data.y is not None
    assert data.sample_weight is not None
    assert (data.y.tolist(), data.sample_weight.tolist()) == ([1, 0], [2, 0.5])
    assert encoder.transform({"a": ["u"]}).y is None


def test_names_and_lookups_agree() -> None:
    table = TABLE | {"tags": [["p"], [], ["q", "p"], None]}
    encoder = pyfm.FieldEncoder({"site": "categorical", "ad": Hashed(3), "hour": "real",
                                 "tags": "multi"}, crosses=[Cross(["site", "ad"])])  # fmt: skip
    encoder.set_params(crosses=[Cross(["site", "ad"], Hashed(4))]).fit(table)
    names = encoder.get_feature_names_out()
    assert len(names) == len(set(names)) == encoder.n_features_
    assert [str(encoder.lookup(j)) for j in range(encoder.n_features_)] == names.tolist()
