"""The strongest interactions of all features that a model has weights for, without any rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pyfm.checks import refuse
from pyfm.encode.multi import Elements
from pyfm.explain.interactions import Interaction
from pyfm.explain.model import Explained, Floats, Ints
from pyfm.explain.names import feature_names, field_names, fields_of
from pyfm.explain.sums import largest

_BLOCK = 2048  # features whose products with as many others are computed at a time (32 MiB)
_MOST_PAIRS = 10**11  # some minutes


@dataclass(frozen=True)
class _Group:
    """Features of one field."""

    field: int  # -1: not known
    features: Ints


@dataclass(frozen=True)
class _Side:
    """Features of a group as they meet those of another, those with the longest vectors first."""

    explained: Explained
    against: int  # the field of the others
    features: Ints
    norms: Floats

    @classmethod
    def of(cls, explained: Explained, group: _Group, against: int) -> _Side:
        side = cls(explained, against, group.features, np.empty(0))
        blocks = [np.sqrt((block**2).sum(axis=1)) for block in side.blocks()]
        norms = np.concatenate([np.empty(0), *blocks])
        order = np.argsort(-norms, kind="stable")
        return cls(explained, against, group.features[order], norms[order])

    def block(self, start: int) -> Floats:
        """Vectors in float64, shape (n, n_factors)."""
        found = self.explained.factors(self.features[start : start + _BLOCK])
        vectors = found[:, self.against] if found.ndim == 3 else found
        return vectors.astype(np.float64)

    def blocks(self) -> Iterator[Floats]:
        return map(self.block, range(0, len(self.features), _BLOCK))


def strongest_features(explained: Explained, n: int) -> list[Interaction]:
    """The pairs of features with the largest |⟨v_i, v_j⟩|.

    Exact: |⟨v_i, v_j⟩| <= |v_i| |v_j|, so that blocks of shorter vectors need not be looked at once
    n stronger pairs are known.
    """
    groups = _groups(explained)
    pairs = list(_group_pairs(explained, groups))
    _check_size(pairs, "the strongest of all")
    best: Floats = np.empty((0, 5))  # product, both features, both fields
    for a, b in pairs:
        left, right = _Side.of(explained, a, b.field), _Side.of(explained, b, a.field)
        for i in range(0, len(left.features), _BLOCK):
            if _is_weaker(left.norms[i] * right.norms[:1], best, n):
                break
            vectors = left.block(i)
            for j in range(i if a is b else 0, len(right.features), _BLOCK):
                if _is_weaker(left.norms[i] * right.norms[j : j + 1], best, n):
                    break
                products = vectors @ right.block(j).T
                if a is b and i == j:  # each pair once, and none of a feature with itself
                    products[np.tril_indices_from(products)] = 0
                best = _better(best, products, (left, i, a.field), (right, j, b.field), n)
    features, fields = best[:, 1:3].astype(np.int64), best[:, 3:5].astype(np.int64)
    names = [feature_names(explained.encoder, fields[:, s], features[:, s]) for s in (0, 1)]
    return [
        Interaction(
            name=f"{names[0][at]} × {names[1][at]}",
            strength=float(best[at, 0]),
            contribution=None,
            occurrences=None,
            fields=tuple(fields[at].tolist()),
            features=tuple(features[at].tolist()),
        )
        for at in range(len(best))
    ]


def strongest_fields(explained: Explained, n: int | None) -> list[Interaction]:
    """The pairs of fields by the mean |⟨v_i, v_j⟩| over all pairs of their features."""
    if explained.encoder is None:
        _refuse_without_fields()
    pairs = [(a, b) for a, b in _group_pairs(explained, _groups(explained)) if _n_pairs(a, b)]
    _check_size(pairs, "the mean over all")
    means = []
    for a, b in pairs:
        left, right = _Side.of(explained, a, b.field), _Side.of(explained, b, a.field)
        total = sum(float(np.abs(x @ y.T).sum()) for x in left.blocks() for y in right.blocks())
        if a is b:
            itself = sum(float((x * x).sum()) for x in left.blocks())
            total = (total - itself) / 2
        means.append(total / _n_pairs(a, b))
    fields = np.array([(a.field, b.field) for a, b in pairs], np.int64).reshape(-1, 2)
    names = [field_names(explained.encoder, fields[:, s]) for s in (0, 1)]
    return [
        Interaction(
            f"{names[0][at]} × {names[1][at]}", means[at], None, None, tuple(fields[at].tolist())
        )
        for at in largest(np.array(means), n).tolist()
    ]


def _groups(explained: Explained) -> list[_Group]:
    features = explained.model.features.astype(np.int64)
    if explained.encoder is None:
        if explained.spec.kind == "ffm":
            _refuse_without_fields()
        return [_Group(-1, features)]
    field = fields_of(explained.encoder, features)
    known = set(np.unique(field).tolist()) - {-1}
    if explained.is_deep:  # others have no vectors
        known &= set(explained.spec.input_fields)
    return [_Group(f, features[field == f]) for f in sorted(known)]


def _refuse_without_fields() -> None:
    expected = (
        "rows, which say what field a feature is in, since the model has no encoder that does"
    )
    refuse("X", expected, None)


def _group_pairs(explained: Explained, groups: list[_Group]) -> Iterator[tuple[_Group, _Group]]:
    """Those whose features may meet: with an encoder most fields have one feature a row."""
    fields = explained.encoder._fitted().fields if explained.encoder else None
    for at, a in enumerate(groups):
        if fields is None or isinstance(fields[a.field].reader, Elements):
            yield a, a
        for b in groups[at + 1 :]:
            yield a, b


def _n_pairs(a: _Group, b: _Group) -> int:
    n, m = len(a.features), len(b.features)
    return n * (n - 1) // 2 if a is b else n * m


def _check_size(pairs: list[tuple[_Group, _Group]], what: str) -> None:
    n_pairs = sum(_n_pairs(a, b) for a, b in pairs)
    if n_pairs > _MOST_PAIRS:
        expected = f"rows, since {what} {n_pairs:.2g} pairs of features would take hours to find"
        refuse("X", expected, None)


def _is_weaker(bound: Floats, best: Floats, n: int) -> bool:
    """Whether all products up to a bound, which is rounded, are less than the n best."""
    return len(best) == n and bool(bound[0] * (1 + 1e-9) < abs(best[-1, 0]))


def _better(
    best: Floats,
    products: Floats,
    left: tuple[_Side, int, int],
    right: tuple[_Side, int, int],
    n: int,
) -> Floats:
    """The n best of those and these, the strongest first; products of 0 are no interactions."""
    strength = np.abs(products)
    least = abs(best[-1, 0]) if len(best) == n else 0.0
    rows, columns = np.nonzero(strength > least)
    if len(rows) > n:
        kept = np.argpartition(-strength[rows, columns], n - 1)[:n]
        rows, columns = rows[kept], columns[kept]
    found = np.empty((len(rows), 5))
    found[:, 0] = products[rows, columns]
    (a, i, field_a), (b, j, field_b) = left, right
    found[:, 1], found[:, 2] = a.features[i + rows], b.features[j + columns]
    found[:, 3], found[:, 4] = field_a, field_b
    both = np.concatenate([best, found])
    return both[largest(np.abs(both[:, 0]), n)]
