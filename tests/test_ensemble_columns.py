"""`FieldColumns` beside explicit loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from selections import LAYOUTS, rows_in
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold

import pyfm
from pyfm.ensemble import FieldColumns


def first_entries(data: pyfm.Dataset) -> list[dict[int, tuple[int, float]]]:
    """By row and field: the first feature and its value."""
    core = data.core
    rows = []
    indptr = np.arange(len(data) + 1) * data.n_fields if core.indptr is None else core.indptr
    for begin, end in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True):
        row: dict[int, tuple[int, float]] = {}
        for e in range(begin, end):
            field = e - begin if core.indptr is None else 0
            if core.fields is not None:
                field = int(core.fields[e])
            value = 1.0 if core.values is None else float(core.values[e])
            row.setdefault(field, (int(core.features[e]), value))
        rows.append(row)
    return rows


def rate(rows: list[Any], y: Any, others: Any, field: int, feature: int, prior: float) -> float:
    clicks = [y[i] for i in others if field in rows[i] and rows[i][field][0] == feature]
    share = (sum(clicks) + prior * np.mean([y[i] for i in others])) / (len(clicks) + prior)
    return float(np.log(share / (1 - share)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_of_an_explicit_loop(layout: str) -> None:
    data = rows_in(layout)
    y = np.asarray(data.y)
    columns = FieldColumns(prior=3.0, cv=4)
    seen, new = columns.fit_transform(data), columns.transform(data)
    rows, n = first_entries(data), data.n_fields
    folds = list(StratifiedKFold(4).split(np.zeros(len(y)), y))
    others_of = {int(i): train for train, test in folds for i in test}
    assert seen.shape == new.shape == (len(data), n * (4 if layout == "values" else 3))
    for f in range(n):
        known = sorted({row[f][0] for row in rows if f in row})
        for i in range(0, len(rows), 13):
            found = [new[i, f + n * part] for part in range(new.shape[1] // n)]
            if f not in rows[i]:
                assert np.isnan(found).all()
                continue
            feature, value = rows[i][f]
            count = sum(f in row and row[f][0] == feature for row in rows)
            assert found[0] == known.index(feature)
            assert found[1] == pytest.approx(np.log1p(count), rel=1e-6)
            of_all = rate(rows, y, range(len(rows)), f, feature, 3.0)
            assert found[2] == pytest.approx(of_all, rel=1e-4, abs=1e-6)
            own = rate(rows, y, others_of[i], f, feature, 3.0)
            assert seen[i, f + 2 * n] == pytest.approx(own, rel=1e-4, abs=1e-6)
            if layout == "values":
                assert found[3] == np.float32(value)


def test_unknown_features() -> None:
    columns = FieldColumns(target_rates=False).fit([[0, 5], [1, 5], [1, 6]])
    found = columns.transform([[1, 9], [7, 6]])
    np.testing.assert_allclose(
        found, [[1, np.nan, np.log(3), 0], [np.nan, 1, 0, np.log(2)]], rtol=1e-6
    )


def test_refusals() -> None:
    ids = np.array([[0, 2], [1, 3]] * 10)
    with pytest.raises(NotFittedError):
        FieldColumns().transform(ids)
    with pytest.raises(ValueError, match="targets"):
        FieldColumns().fit(ids)
    with pytest.raises(ValueError, match="prior: expected a finite number > 0"):
        FieldColumns(prior=0).fit(ids, [0, 1] * 10)
    with pytest.raises(ValueError, match="target_rates: expected True or False"):
        FieldColumns(target_rates="yes").fit(ids, [0, 1] * 10)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="y: expected length 20"):
        FieldColumns().fit(ids, [0, 1])
    with pytest.raises(ValueError, match="X: expected rows of 2 fields, as in fit, found 3"):
        FieldColumns().fit(ids, [0, 1] * 10).transform([[0, 1, 2]])
