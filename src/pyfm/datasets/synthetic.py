"""`make_ctr`: clicks whose probabilities are known."""

from __future__ import annotations

import numpy as np

from pyfm.checks import check_fraction, check_int, check_real
from pyfm.dataset import Dataset
from pyfm.datasets.planted import plant

_CHUNK_ROWS = 1 << 13


def make_ctr(
    n_rows: int,
    *,
    n_fields: int = 39,
    n_features: int = 1_280_000,
    n_factors: int = 4,
    ctr: float = 0.25,
    zipf: float = 1.1,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> tuple[Dataset, float]:
    """Categorical rows of Criteo's shape, clicked according to a planted FFM.

    Each row has one feature per field. Fields differ in size, from 10 features to a large share of
    all, and within a field the feature of rank r comes up with probability proportional to r^-zipf.
    A click is drawn with the probability sigmoid(bias + linear terms + field-aware interactions):
    an FM learns more than a linear model, an FFM more than an FM, and nothing beats the Bayes
    log-loss. Most rare features have no effect on clicks.

    The planted model depends only on the seed and the other arguments, not on `n_rows`, and the
    rows of a short call are the first rows of a longer one. For training and validation rows that
    share the truth, make them in one call and slice.

    Parameters
    ----------
    n_rows : int
    n_fields : int, default 39
    n_features : int, default 1,280,000
        Of all fields together, at least `n_fields`.
    n_factors : int, default 4
        Length of the planted vectors.
    ctr : float, default 0.25
        Expected share of clicks, in (0, 1).
    zipf : float, default 1.1
        Exponent of the distribution of features within a field, >= 0.
    random_state : int, Generator, RandomState or None
        Seed; None: a different data set each time.

    Returns
    -------
    data : Dataset
        Layout "one_per_field", labels 0 and 1.
    bayes_logloss : float
        Mean entropy, in nats, of the rows' true click probabilities: the expected log-loss of a
        model that knows them.

    Raises
    ------
    ValueError
        Names the argument that is out of range.

    Examples
    --------
    >>> from pyfm.datasets import make_ctr
    >>> data, bayes_logloss = make_ctr(1200, n_fields=5, n_features=100, random_state=0)
    >>> train, valid = data[:1000], data[1000:]
    >>> bool(0 < bayes_logloss < 0.5624)  # log-loss of the base rate 0.25
    True
    """
    n_rows = check_int("n_rows", n_rows, 1)
    n_fields = check_int("n_fields", n_fields, 1, 1 << 16)
    n_features = check_int("n_features", n_features, n_fields, 1 << 32)
    n_factors = check_int("n_factors", n_factors, 1)
    entropy = _entropy(random_state)
    planted = plant(
        np.random.SeedSequence(entropy, spawn_key=(0,)),
        n_fields,
        n_features,
        n_factors,
        check_fraction("ctr", ctr),
        check_real("zipf", zipf),
    )
    ids = np.empty((n_rows, n_fields), np.uint32)
    y = np.empty(n_rows, np.float32)
    entropies = 0.0
    for chunk, begin in enumerate(range(0, n_rows, _CHUNK_ROWS)):
        rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(1, chunk)))
        ranks = planted.draw(rng, _CHUNK_ROWS)
        clicks = rng.random(_CHUNK_ROWS)
        end = min(begin + _CHUNK_ROWS, n_rows)
        kept = slice(end - begin)
        ids[begin:end] = planted.ids(ranks[:, kept])
        scores = planted.scores(ranks[:, kept])
        probability = 1 / (1 + np.exp(-scores))
        y[begin:end] = clicks[kept] < probability
        entropies += float(np.sum(np.logaddexp(0, scores) - probability * scores))
    return Dataset.from_ids(ids, y, n_features=n_features), entropies / n_rows


def _entropy(random_state: int | np.random.Generator | np.random.RandomState | None) -> int:
    if random_state is None:
        entropy = np.random.SeedSequence().entropy
        assert isinstance(entropy, int)  # what SeedSequence() draws from the system
        return entropy
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(1 << 63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(1 << 31))
    return check_int("random_state", random_state, 0)
