"""Slow, obvious twins of the explanations: all pairs of entries, from the weights in float64."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations, permutations
from typing import Any

import numpy as np
from rows import entries_of

from pyfm import Dataset

Item = tuple[int, int]  # field, feature
Known = list[tuple[int, int, float]]  # field, feature, value times scale


def known(model: Any, data: Dataset) -> list[Known]:
    """The entries of each row that the model has weights for, scaled as it does."""
    spec = model._spec
    weights = [getattr(model, n) for n in ("coef_", "factors_") if hasattr(model, n)]
    rows = []
    for row in entries_of(data):
        length = math.sqrt(sum(x * x for _, _, x in row)) if spec.normalize else 1.0
        scale = float(np.float32(1 / length)) if length else 1.0
        rows.append(
            [
                (f, j, x * scale)
                for f, j, x in row
                if j < model.n_features_in_ and x != 0
                if not spec.has_fields or f < model.n_fields_
                if any(np.any(of[j]) for of in weights)
            ]
        )
    return rows


def product(model: Any, a: Item, b: Item) -> float:
    """⟨v_i, v_j⟩, of FFM ⟨w_{i, f_j}, w_{j, f_i}⟩."""
    (f, i), (g, j) = a, b
    v = model.factors_.astype(np.float64)
    return float(v[i, g] @ v[j, f]) if v.ndim == 3 else float(v[i] @ v[j])


def pairs(model: Any, row: Known) -> list[tuple[Item, Item, float, float]]:
    """Both items, the product of their vectors, and the term."""
    if model._spec.kind not in ("fm", "ffm", "deepfm"):
        return []
    deep = model._spec.deep_fields
    row = [entry for entry in row if deep is None or entry[0] in deep]
    found = []
    for (f, i, x), (g, j, z) in combinations(row, 2):
        of = product(model, (f, i), (g, j))
        found.append(((f, i), (g, j), of, of * x * z))
    return found


def linear(model: Any, row: Known) -> list[tuple[Item, float]]:
    if not model._spec.linear:
        return []
    return [((f, j), float(model.coef_[j]) * x) for f, j, x in row]


def magnitude(model: Any, row: Known) -> float:
    """Of the sums that the core makes: all terms, and the squares that its formulas cancel."""
    total = sum(abs(term) for _, term in linear(model, row)) + 1
    total += sum(abs(term) for *_, term in pairs(model, row))
    if hasattr(model, "factors_"):
        v = model.factors_.astype(np.float64)
        total += sum(x * x * float((v[j] ** 2).sum()) for _, j, x in row)
    return total


def by_rows(
    model: Any, data: Dataset, weight: Any, by: str
) -> dict[tuple[Any, Any], tuple[float, float, int]]:
    """Of each pair of items or fields: mean |contribution|, strength, count."""
    total: dict[Any, float] = defaultdict(float)
    products: dict[Any, list[tuple[float, float]]] = defaultdict(list)
    for row, w in zip(known(model, data), weight, strict=True):
        in_row: dict[Any, float] = defaultdict(float)
        for a, b, of, term in pairs(model, row):
            key: Any = tuple(sorted((a, b) if by == "feature" else (a[0], b[0])))
            if by == "feature":
                total[key] += w * abs(term)
                products[key].append((1.0, of))
            else:
                in_row[key] += term
                products[key].append((w, abs(of)))
        for key, term in in_row.items():
            total[key] += w * abs(term)
    return {
        key: (
            total[key] / sum(weight),
            sum(w * p for w, p in found) / max(sum(w for w, _ in found), 1e-300),
            len(found),
        )
        for key, found in products.items()
    }


def shapley(model: Any, row: Known) -> list[float]:
    """Of each entry, by the definition: what it adds, on average over all orders of the entries."""

    def score(entries: Known) -> float:
        terms = [term for _, term in linear(model, entries)]
        return sum(terms) + sum(term for *_, term in pairs(model, entries))

    values = [0.0] * len(row)
    orders = list(permutations(range(len(row))))
    for order in orders:
        for at, i in enumerate(order):
            before = [row[e] for e in order[:at]]
            values[i] += (score([*before, row[i]]) - score(before)) / len(orders)
    return values
