"""The model behind `make_ctr`: fields, features, and a planted FFM over groups of features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Ranks = NDArray[np.int64]  # shape (n_fields, n_rows): 0 is the most frequent feature of its field

N_GROUPS = 16  # of features of one field that act alike; group 0 does nothing
INTERACTING_FIELDS = 6  # every pair of these interacts
# Standard deviations of the two parts of the score, in logits, and the share of a feature's vector
# that is the same towards every field, which is all that an FM can represent.
LINEAR_STD = 0.6
INTERACTION_STD = 1.6
FM_SHARE = 0.5
# Of the features beyond this rank most do nothing: in a log of finite length nobody could learn it.
LAST_EFFECTIVE_RANK = 20
SMALLEST_FIELD = 10
_CALIBRATION_ROWS = 1 << 14


@dataclass(frozen=True, eq=False)
class Planted:
    """Everything that the rows share; a pure function of the arguments of `plant`."""

    sizes: NDArray[np.int64]  # (n_fields,) features of each field
    offsets: NDArray[np.int64]  # (n_fields,) first id of each field
    steps: NDArray[np.int64]  # (n_fields,) the feature of rank r has the id step * r mod size
    zipf: float
    weights: Doubles  # (n_features,) linear terms, by offset + rank
    groups: NDArray[np.int64]  # (n_features,) by offset + rank
    pairs: list[tuple[int, int]]
    tables: Doubles  # (n_pairs, N_GROUPS * N_GROUPS): the inner product of the groups' vectors
    bias: float = 0.0

    def draw(self, rng: np.random.Generator, n_rows: int) -> Ranks:
        """Ranks with probability proportional to rank^-zipf, by inversion of its integral."""
        uniform = rng.random((len(self.sizes), n_rows))
        power = 1 - self.zipf
        for u, size in zip(uniform, self.sizes, strict=True):
            if power == 0:
                np.exp(u * math.log(size + 1), out=u)
            else:
                np.power(1 + u * ((size + 1.0) ** power - 1), 1 / power, out=u)
        ranks = uniform.astype(np.int64) - 1
        return np.clip(ranks, 0, self.sizes[:, None] - 1)

    def ids(self, ranks: Ranks) -> NDArray[np.uint32]:
        """Feature ids, shape (n_rows, n_fields). Frequent features are scattered over a field."""
        within = ranks * self.steps[:, None] % self.sizes[:, None]
        ids: NDArray[np.int64] = (within + self.offsets[:, None]).T
        return ids.astype(np.uint32, order="C")

    def parts(self, ranks: Ranks) -> tuple[Doubles, Doubles]:
        """The linear part and the interactions of the scores, without bias."""
        place = ranks + self.offsets[:, None]
        groups = self.groups[place]
        rows = groups * N_GROUPS
        interactions = np.zeros(ranks.shape[1])
        for (a, b), table in zip(self.pairs, self.tables, strict=True):
            interactions += table[rows[a] + groups[b]]
        return self.weights[place].sum(axis=0), interactions

    def scores(self, ranks: Ranks) -> Doubles:
        linear, interactions = self.parts(ranks)
        return linear + interactions + self.bias


def plant(
    seed: np.random.SeedSequence,
    n_fields: int,
    n_features: int,
    n_factors: int,
    ctr: float,
    zipf: float,
) -> Planted:
    rng = np.random.default_rng(seed)
    sizes = rng.permutation(field_sizes(n_fields, n_features))
    offsets = np.cumsum(sizes) - sizes
    groups = rng.integers(1, N_GROUPS, n_features)
    rank = np.arange(n_features) - np.repeat(offsets, sizes)
    groups[rng.random(n_features) * (rank + 1) > LAST_EFFECTIVE_RANK] = 0
    interacting = rng.permutation(n_fields)[:INTERACTING_FIELDS]
    pairs = list(combinations(interacting.tolist(), 2))
    planted = Planted(
        sizes=sizes,
        offsets=offsets,
        steps=np.array([_scattering_step(int(size)) for size in sizes]),
        zipf=zipf,
        weights=rng.standard_normal(n_features) * (groups > 0),
        groups=groups,
        pairs=pairs,
        tables=_pair_tables(rng, n_fields, n_factors, pairs),
    )
    return _calibrate(planted, rng, ctr)


def field_sizes(n_fields: int, n_features: int) -> NDArray[np.int64]:
    """A geometric progression from about 10 features, the sum exact, at least one each."""
    first = min(SMALLEST_FIELD, n_features // n_fields)
    low, high = 1.0, float(n_features)
    powers = np.arange(n_fields)
    for _ in range(200):
        ratio = math.sqrt(low * high)
        total = np.sum(np.exp(np.minimum(powers * math.log(ratio), 60)) * first)
        low, high = (ratio, high) if total < n_features else (low, ratio)
    sizes: NDArray[np.int64] = np.floor(first * low**powers).astype(np.int64)
    sizes[-1] += n_features - sizes.sum()
    return sizes


def _scattering_step(size: int) -> int:
    step = max(1, int(size * 0.618))
    while math.gcd(step, size) != 1:
        step += 1
    return step


def _pair_tables(
    rng: np.random.Generator, n_fields: int, n_factors: int, pairs: list[tuple[int, int]]
) -> Doubles:
    """W_ab[g] = √share S_a[g] + √(1 - share) R_ab[g]; a pair's table holds ⟨W_ab[g], W_ba[h]⟩."""
    shape = (N_GROUPS, n_factors)
    common = rng.standard_normal((n_fields, *shape))
    tables = np.empty((len(pairs), N_GROUPS * N_GROUPS))
    for i, (a, b) in enumerate(pairs):
        own = rng.standard_normal((2, *shape))
        vectors = math.sqrt(FM_SHARE) * common[[a, b]] + math.sqrt(1 - FM_SHARE) * own
        vectors[:, 0] = 0
        tables[i] = (vectors[0] @ vectors[1].T).ravel()
    return tables


def _calibrate(planted: Planted, rng: np.random.Generator, ctr: float) -> Planted:
    """Scales both parts to their standard deviations and finds the bias that gives the CTR."""
    linear, interactions = planted.parts(planted.draw(rng, _CALIBRATION_ROWS))
    linear_scale = LINEAR_STD / (linear.std() or 1)
    interaction_scale = INTERACTION_STD / (interactions.std() or 1)
    scores = linear * linear_scale + interactions * interaction_scale
    low, high = -scores.max() - 40, -scores.min() + 40
    for _ in range(60):
        bias = (low + high) / 2
        mean = np.mean(1 / (1 + np.exp(-(scores + bias))))
        low, high = (bias, high) if mean < ctr else (low, bias)
    changes: dict[str, Any] = {
        "weights": planted.weights * linear_scale,
        "tables": planted.tables * interaction_scale,
        "bias": float(low),
    }
    return Planted(**{**vars(planted), **changes})
