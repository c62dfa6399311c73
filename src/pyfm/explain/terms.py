"""The terms of one row."""

from __future__ import annotations

import math

from pyfm import _core
from pyfm.checks import refuse
from pyfm.explain.entries import entries_of
from pyfm.explain.explanation import Explanation, Term
from pyfm.explain.model import Explained
from pyfm.explain.names import feature_names
from pyfm.explain.network import network_scores
from pyfm.explain.pairs import pairs_of
from pyfm.prediction import predictions

_MOST_PAIRS = 2**20  # of which each is an object: some 300 MB


def explain(explained: Explained, row: _core.Dataset, label: str | None) -> Explanation:
    """Of a data set with one row."""
    entries = entries_of(explained, row, 0, 1)
    n = len(entries.with_vectors)
    if explained.has_pairs and n * (n - 1) // 2 > _MOST_PAIRS:
        expected = f"a row with at most {_MOST_PAIRS:,} pairs of features, each of which is a term"
        refuse("X", expected, f"{n:,} features")
    names = feature_names(explained.encoder, entries.field, entries.feature)
    fields, features = entries.field.tolist(), entries.feature.tolist()
    terms = []
    if explained.spec.linear or explained.spec.prior_correction:
        terms.append(Term("bias", explained.intercept, "bias"))
    if explained.spec.linear:
        found = (explained.linear(entries.feature) * entries.x).tolist()
        terms += [
            Term("linear", contribution, name, (f,), (j,))
            for contribution, name, f, j in zip(found, names, fields, features, strict=True)
        ]
    for pairs in pairs_of(explained, entries):
        places = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
        for contribution, (a, b) in zip(pairs.contribution.tolist(), places, strict=True):
            both = (fields[a], fields[b]), (features[a], features[b])
            terms.append(Term("pair", contribution, f"{names[a]} × {names[b]}", *both))
    if explained.is_deep:
        terms.append(Term("network", float(network_scores(explained, entries)[0]), "network"))
    terms.sort(key=lambda term: -abs(term.contribution))
    score = math.fsum(term.contribution for term in terms)
    unknown = entries.unknown_field, entries.unknown_feature
    return Explanation(
        score=score,
        prediction=score if label is None else _probability(explained, row, score),
        label=label,
        terms=tuple(terms),
        ignored=tuple(feature_names(explained.encoder, *unknown)),
    )


def _probability(explained: Explained, row: _core.Dataset, score: float) -> float:
    """Of the class that the score speaks of; of more than two, the other scores matter as well."""
    if explained.spec.n_outputs > 1:
        found = predictions(explained.model, row, 0.0, explained.n_threads)
        return float(found[0, explained.output])
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
