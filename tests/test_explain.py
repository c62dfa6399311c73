"""`explain`: the terms of a score against the formulas, and their sum against the score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import reference_explain as reference
from explaining import N_FEATURES, N_FIELDS, rows_of_ids, rows_with_values
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import CLASSIFIERS, ESTIMATORS, small
from sklearn.exceptions import NotFittedError

import pyfm
from pyfm import Dataset
from pyfm.explain import Explanation, Term, pairs

DATA = {"values": rows_with_values, "ids": rows_of_ids}


def assert_explains(model: Any, data: Dataset) -> None:
    """Terms are those of the formulas; their sum is the score of the core."""
    scores = model.decision_function(data) if hasattr(model, "classes_") else model.predict(data)
    rows = reference.known(model, data)
    for i, row in enumerate(rows):
        explanation = model.explain(data[i : i + 1])
        assert explanation.score == math.fsum(t.contribution for t in explanation.terms)
        sizes = [abs(term.contribution) for term in explanation.terms]
        assert sizes == sorted(sizes, reverse=True)
        # A sum of n float32 numbers is wrong by up to n roundings of the sum of their sizes; the
        # network's is a sum of sums, whose depth 64 covers.
        bound = 64 * 2**-24 * (reference.magnitude(model, row) + sum(sizes))
        assert explanation.score == pytest.approx(float(scores[i]), abs=bound)
        expected: list[Any] = [(((f, j),), term) for (f, j), term in reference.linear(model, row)]
        expected += [((a, b), term) for a, b, _, term in reference.pairs(model, row)]
        items = [
            (tuple(zip(t.fields, t.features, strict=True)), t.contribution)
            for t in explanation.terms
            if t.kind in ("linear", "pair")
        ]
        # Each x is a product that is rounded to float32, and a term has up to two of them.
        rounding = 2 * 2**-24 * reference.magnitude(model, row)
        assert _added(items) == pytest.approx(_added(expected), rel=0, abs=rounding)
        assert len(items) == len(expected)
        kinds = [t.kind for t in explanation.terms]
        assert kinds.count("bias") == int(model._spec.linear or model._spec.prior_correction != 0)
        assert kinds.count("network") == int(model._spec.tower is not None)


def _added(terms: Any) -> dict[Any, float]:
    """By their items, in either order; the same pair may occur more than once."""
    sums: dict[Any, float] = {}
    for items, term in terms:
        key = tuple(sorted(items))
        sums[key] = sums.get(key, 0.0) + term
    return sums


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_terms_are_those_of_the_formula(kind: Any, data: str, normalize: bool) -> None:
    rows = DATA[data]()
    model = small(kind, epochs=2, normalize=normalize, random_state=0).fit(rows)
    assert_explains(model, rows)


@pytest.mark.parametrize("kind", [pyfm.FMClassifier, pyfm.FFMRegressor, pyfm.DeepFMClassifier])
def test_float16_without_linear_terms(kind: Any) -> None:
    rows = rows_with_values()
    model = small(kind, epochs=2, dtype="float16", linear=False, random_state=0).fit(rows)
    assert_explains(model, rows)
    assert "bias" not in model.explain(rows[:1]).parts


def test_ffm_with_linear_terms() -> None:
    rows = rows_of_ids()
    assert_explains(pyfm.FFMClassifier(linear=True, epochs=2, random_state=0).fit(rows), rows)


@pytest.mark.parametrize("kind", [pyfm.DeepFMClassifier, pyfm.WideDeepRegressor])
@pytest.mark.parametrize("inference", ["population", "moving_average"])
def test_network_with_batch_normalization_above_some_fields(kind: Any, inference: str) -> None:
    rows = rows_with_values()
    params = {"batch_norm": True, "batch_norm_inference": inference, "residual": True}
    model = kind(
        hidden=(8, 8), deep_fields=(1, 3), dropout=0.5, epochs=2, random_state=0, **params
    ).fit(rows)
    assert_explains(model, rows)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_bias_has_the_correction_for_negative_sampling(kind: Any) -> None:
    rows = rows_of_ids(300)
    model = small(kind, epochs=1, negative_sampling=0.5, random_state=0).fit(rows)
    assert_explains(model, rows[:5])
    explanation = model.explain(rows[:1])
    probability = model.predict_proba(rows[:1])[0, 1]
    assert explanation.prediction == pytest.approx(probability, abs=1e-6)
    if kind is pyfm.FFMClassifier:
        assert explanation.parts["bias"] == pytest.approx(math.log(0.5))


def test_what_the_model_does_not_know_is_ignored_and_named() -> None:
    train = rows_with_values(seed=1)
    model = pyfm.FFMRegressor(epochs=1, random_state=0).fit(train)
    new = Dataset.from_arrays(
        [0, 5], [1, 2, 99, 3, 4], fields=[0, 1, 0, 7, 2], values=[1.0, 2.0, 3.0, 4.0, 0.0]
    )
    explanation = model.explain(new)
    assert explanation.ignored == ("0:99", "7:3")
    assert_explains(model, new)
    assert "without weights in the model: 0:99, 7:3" in repr(explanation)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_row_of_nothing_known(kind: Any) -> None:
    train = rows_of_ids()
    model = small(kind, epochs=1, random_state=0).fit(train)
    empty = Dataset.from_arrays([0, 0], np.empty(0, np.int64), n_features=9, n_fields=N_FIELDS)
    assert_explains(model, empty)
    unknown = Dataset.from_arrays([0, 1], [N_FEATURES + 5], fields=[0], n_fields=N_FIELDS)
    assert_explains(model, unknown)
    assert model.explain(unknown).ignored == (f"0:{N_FEATURES + 5}",)
    assert "Explanation: score" in repr(model.explain(unknown))
    assert "<table>" in model.explain(empty)._repr_html_()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), most=st.integers(1, 40))
def test_pairs_come_in_blocks_of_any_size(seed: int, most: int) -> None:
    rows = rows_with_values(8, seed)
    model = pyfm.FMRegressor(n_factors=4, epochs=1, random_state=0).fit(rows_with_values())
    whole = pairs._NUMBERS
    try:
        pairs._NUMBERS = 4 * most
        assert_explains(model, rows)
    finally:
        pairs._NUMBERS = whole


def test_rows_of_arrays() -> None:
    ids, y = [[0, 2], [0, 3], [1, 2], [1, 3]], [1, 0, 0, 1]
    model = pyfm.FMClassifier(epochs=20, random_state=0).fit(ids, y)
    assert model.explain([0, 2]) == model.explain([[0, 2]])
    assert model.explain(np.array([0, 2])).score == pytest.approx(
        float(model.decision_function([[0, 2]])[0]), abs=1e-6
    )
    x = np.array([[0.5, 0.0, 2.0], [1.0, 1.0, 0.0]])
    model = pyfm.FMClassifier(epochs=5, random_state=0).fit(x, [0, 1])
    names = {term.name for term in model.explain(x[0]).terms}
    assert names == {"bias", "0:0", "0:2", "0:0 × 0:2"}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sites = np.array(["a.org", "b.org", "<script>alert(1)</script>"])
    return pd.DataFrame(
        {
            "site": sites[rng.integers(0, 3, 200)],
            "ad": rng.integers(0, 7, 200),
            "price": rng.lognormal(size=200),
        }
    )


@pytest.fixture(scope="module")
def of_table(table: pd.DataFrame) -> Any:
    encoder = pyfm.FieldEncoder({"site": None, "ad": None, "price": pyfm.encode.Real()})
    clicks = (table["site"] == "a.org").to_numpy().astype(np.float32)
    data = encoder.fit_transform(table).with_targets(clicks)
    return pyfm.FFMClassifier(linear=True, epochs=3, random_state=0).fit(data)


def test_tables_have_names(table: pd.DataFrame, of_table: Any, tmp_path: Any) -> None:
    row = pd.DataFrame({"site": ["b.org"], "ad": [3], "price": [2.5]})
    explanation = of_table.explain(row)
    names = {term.name for term in explanation.terms}
    assert names == {
        "bias", "site=b.org", "ad=3", "price", "site=b.org × ad=3", "site=b.org × price",
        "ad=3 × price",
    }  # fmt: skip
    assert explanation.score == pytest.approx(float(of_table.decision_function(row)[0]), abs=1e-6)
    assert of_table.explain(pl.from_pandas(row)) == explanation
    assert of_table.explain({"site": ["b.org"], "ad": [3], "price": [2.5]}) == explanation
    assert of_table.explain(of_table._inputs.encoder.transform(row)) == explanation
    path = tmp_path / "model.pyfm"
    of_table.save(path)
    assert pyfm.load(path).explain(row) == explanation
    unknown = of_table.explain(pd.DataFrame({"site": ["new"], "ad": [3], "price": [2.5]}))
    assert any("site" in name for name in unknown.ignored)


def test_names_are_escaped_in_notebooks(table: pd.DataFrame, of_table: Any) -> None:
    row = table[table["site"].str.startswith("<")].iloc[[0]]
    explanation = of_table.explain(row)
    html = explanation._repr_html_()
    assert "<script>" not in html
    assert "site=&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert html.count("<tr>") == 1 + len(explanation.terms)
    assert "site=<script>alert(1)</script>" in repr(explanation)


def test_long_explanations_are_shown_in_short() -> None:
    terms = tuple(Term("pair", 1 / n, f"0:{n} × 1:{n}") for n in range(1, 101))
    score = math.fsum(term.contribution for term in terms)
    explanation = Explanation(score, score, None, terms, tuple(map(str, range(100))))
    lines = repr(explanation).splitlines()
    assert len(lines) == 1 + 15 + 1 + 1
    rest = math.fsum(1 / n for n in range(16, 101))
    assert lines[16] == f"{rest:+12.4f}  85 other terms together"
    assert lines[17].endswith("14 and 85 others")
    assert lines[0] == f"Explanation: score {score:+.4f} = {score:+.4f} pair"
    assert "85 other terms together" in explanation._repr_html_()
    assert explanation.parts == {"pair": score}


def test_prediction_and_label() -> None:
    ids = [[0, 2], [0, 3], [1, 2], [1, 3]]
    model = pyfm.LinearClassifier(epochs=20, random_state=0).fit(ids, ["no", "no", "yes", "yes"])
    explanation = model.explain(ids[3])
    assert explanation.label == "yes"
    assert explanation.prediction == pytest.approx(model.predict_proba(ids)[3, 1], abs=1e-6)
    assert f"P(yes) = {explanation.prediction:.4f}" in repr(explanation)
    model = pyfm.LinearRegressor(epochs=20, random_state=0).fit(ids, [0.0, 1.0, 2.0, 3.0])
    explanation = model.explain(ids[3])
    assert (explanation.label, explanation.prediction) == (None, explanation.score)


def test_refusals(table: pd.DataFrame, of_table: Any) -> None:
    rows = rows_of_ids()
    with pytest.raises(NotFittedError):
        pyfm.FMClassifier().explain(rows[:1])
    model = pyfm.FMClassifier(epochs=1).fit(rows)
    with pytest.raises(ValueError, match=r"X: expected one row, such as .*, found '60 rows'"):
        model.explain(rows)
    with pytest.raises(ValueError, match="X: expected one row"):
        model.explain(rows[:0])
    with pytest.raises(ValueError, match=r"df\.iloc\[\[i\]\] or X\[\[i\]\], found 'Series'"):
        of_table.explain(table.iloc[0])
    with pytest.raises(ValueError, match="X: expected an array of numbers"):
        of_table.explain([["a.org", 3, 2.5]])
    of_ids = pyfm.FMClassifier(epochs=1).fit([[0, 1], [1, 2]], [0, 1])
    with pytest.raises(ValueError, match="X has 3 features, but FMClassifier is expecting 2"):
        of_ids.explain([0, 1, 2])
    with pytest.raises(ValueError, match="X: expected integer ids"):
        of_ids.explain([0.5, 1.0])


def test_rows_of_too_many_pairs() -> None:
    ids = np.arange(1500)
    rows = Dataset.from_arrays([0, 1500], ids, values=np.ones(1500) * 0.1, y=[1.0])
    model = pyfm.FMRegressor(n_factors=2, epochs=1, random_state=0).fit(rows)
    with pytest.raises(ValueError, match=r"at most 1,048,576 pairs .* found '1,500 features'"):
        model.explain(rows)
    assert len(pyfm.LinearRegressor(epochs=1).fit(rows).explain(rows).terms) == 1501
    [top] = model.top_interactions(1, rows)  # needs no object for each
    v = model.factors_.astype(np.float64)
    products = np.abs(np.triu(v @ v.T, 1))
    assert abs(top.strength) == pytest.approx(products.max())


def test_weights_of_some_features() -> None:
    rows = rows_of_ids()
    model = pyfm.FFMClassifier(linear=True, epochs=1, random_state=0).fit(rows)
    ids = [7, 0, 7, N_FEATURES - 1]
    found = model.feature_weights(ids)
    assert found.linear is not None
    assert found.factors is not None
    assert (found.linear == model.coef_[ids]).all()
    assert (found.factors == model.factors_[ids]).all()
    assert pyfm.FFMClassifier(epochs=1).fit(rows).feature_weights([]).linear is None
    assert pyfm.LinearClassifier(epochs=1).fit(rows).feature_weights([0]).factors is None


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            [0, N_FEATURES],
            rf"features\[1\]: expected ids below {N_FEATURES}, .* found {N_FEATURES}",
        ),
        ([-1], r"features\[0\]: expected ids"),
        ([0.5], "features: expected ids of features: integers"),
        ([[0]], "features: expected ids of features: integers in one dimension"),
        (["site=a"], "features: expected ids of features"),
        (3, "features: expected ids of features"),
    ],
)
def test_what_is_no_id(ids: Any, message: str) -> None:
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(rows_of_ids())
    with pytest.raises(ValueError, match=message):
        model.feature_weights(ids)
