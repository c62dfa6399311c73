"""`FieldEncoder.partial_fit`: vocabularies grow, and ids stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from encoding import buffers
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfm
from pyfm.encode import Categorical, Cross, Hashed

HOURS: list[dict[str, list[Any]]] = [
    {"site": ["a", "b", "a"], "price": [1.0, 2.0, 3.0], "user": ["u", "v", "w"]},
    {"site": ["c", None, "b"], "price": [9.0, None, 2.5], "user": ["u", "x", "x"]},
    {"site": ["d", "c", "a"], "price": [None, None, None], "user": [None, "y", "z"]},
]
KINDS: dict[str, Any] = {"site": "categorical", "price": "real", "user": Hashed(6)}


def encoder() -> pyfm.FieldEncoder:
    return pyfm.FieldEncoder(KINDS, crosses=[Cross(["site", "user"], Categorical())])


def test_ids_stay() -> None:
    grown = encoder()
    names: list[str] = []
    rows: list[dict[str, Any]] = []
    for hour in HOURS:
        grown.partial_fit(hour)
        now = grown.get_feature_names_out().tolist()
        assert now[: len(names)] == names
        names = now
        rows.append(buffers(grown.transform(hour)))
    for hour, before in zip(HOURS, rows, strict=True):
        before["sizes"] = (3, grown.n_features_, 4)
        assert buffers(grown.transform(hour)) == before
    assert [name for name in names if name.startswith("site=")] == [
        "site=<missing>", "site=<unknown>", "site=a", "site=b", "site=c", "site=d",
    ]  # fmt: skip


def test_numbers_stay() -> None:
    grown = encoder().partial_fit(HOURS[0])
    before = buffers(grown.transform(HOURS[0]))["values"]
    assert buffers(grown.partial_fit(HOURS[1]).transform(HOURS[0]))["values"] == before


def test_one_call_is_fit() -> None:
    whole = {name: [value for hour in HOURS for value in hour[name]] for name in KINDS}
    assert buffers(encoder().partial_fit(whole).transform(whole)) == buffers(
        encoder().fit_transform(whole)
    )


def test_collisions_are_counted_on() -> None:
    grown = pyfm.FieldEncoder({"user": Hashed(6)})
    for hour in HOURS:
        grown.partial_fit(hour)
    assert grown.collisions_["user"].n_values == 6


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40),
    st.integers(1, 4),
    st.integers(1, 10),
)
def test_rare_values_are_counted_on(values: list[str], min_count: int, size: int) -> None:
    kind = Categorical(min_count)
    whole = pyfm.FieldEncoder({"x": kind}).fit({"x": values})
    grown = pyfm.FieldEncoder({"x": kind})
    for at in range(0, len(values), size):
        grown.partial_fit({"x": values[at : at + size]})
    names = grown.get_feature_names_out().tolist()
    assert sorted(names) == sorted(whole.get_feature_names_out().tolist())
    frequent = {value for value in values if values.count(value) >= min_count}
    assert set(names) == {"x=<missing>", "x=<unknown>", *(f"x={value}" for value in frequent)}


def test_full_vocabularies_stay() -> None:
    grown = pyfm.FieldEncoder({"x": Categorical(max_size=2)})
    grown.partial_fit({"x": ["a", "b", "b"]}).partial_fit({"x": ["c"] * 5})
    assert grown.get_feature_names_out().tolist()[2:] == ["x=a", "x=b"]


def test_long_streams_are_merged() -> None:
    """Also beyond what is held before counts are merged."""
    values = np.arange(200_000).astype(str)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(200_000), 2))
    data = pyfm.FieldEncoder({"x": Categorical(2)}).fit_transform({"x": values[order]})
    assert data.n_features == 200_002
    _, first = np.unique(order, return_index=True)
    assert (data.core.features[np.sort(first)] == np.arange(2, 200_002)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": ["new", "e"], "price": [1.0, np.inf], "user": ["n", "n"]},
        {"site": ["new"], "price": [1.0]},
        {"site": ["new"], "price": ["1"], "user": ["n"]},
    ],
)
def test_what_fails_leaves_no_trace(wrong: Any) -> None:
    grown = encoder().partial_fit(HOURS[0])
    names = grown.get_feature_names_out().tolist()
    for call in (grown.partial_fit, grown.fit):
        with pytest.raises(ValueError, match="column"):
            call(wrong)
        assert grown.get_feature_names_out().tolist() == names


def test_parameters_stay() -> None:
    grown = encoder().partial_fit(HOURS[0])
    with pytest.raises(ValueError, match=r"^remainder: expected 'drop', as in the first call"):
        grown.set_params(remainder="default").partial_fit(HOURS[1])
    assert grown.set_params(crosses=()).fit(HOURS[1]).field_names_ == ("site", "price", "user")
