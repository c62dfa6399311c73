"""Augmentation of the rows to train on: equal to training on rows that were changed before."""

from __future__ import annotations

import itertools
import json
import math
import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path
from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, Data, make_data
from numpy.typing import NDArray
from reference_random import augmented, bootstrap_rows, random_normal, shuffled
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import pyfm
from pyfm import Augmentation, Dataset, _core

FULL = 0
BATCH_SIZES = (1, 3, FULL)
each_model = pytest.mark.parametrize("model", contract.MODELS)

# Of 5 fields: in some nothing stands for unknown features, in one what is no field's own feature.
UNKNOWN = [2, -1, 7, -1, 0]

AUGMENTATIONS: Mapping[str, Augmentation] = {
    "dropout": Augmentation(feature_dropout=0.4),
    "unknowns": Augmentation(feature_dropout=0.4, unknown=UNKNOWN),
    "noise": Augmentation(value_noise=0.3),
    "noise in some": Augmentation(value_noise=0.3, numeric_fields=[3, 1]),
    "bootstrap": Augmentation(bootstrap=True),
    "all": Augmentation(feature_dropout=0.2, unknown=UNKNOWN, value_noise=0.5, bootstrap=True),
}
each_augmentation = pytest.mark.parametrize("name", AUGMENTATIONS)

MIXED = ("values", "missing", "several", "zeros", "empty", "duplicates", "plain") * 3
PLAIN = ("plain",) * 20


def train(
    model: _core.Model,
    data: _core.Dataset,
    augmentation: Augmentation | None,
    epochs: range = range(3),
    **params: Any,
) -> list[float]:
    """Losses of the epochs."""
    options = {"shuffle": True, "n_threads": 1, "poll": None} | params
    core = augmentation.core() if augmentation else None
    return [
        model.train_epoch(data, epoch=epoch, augmentation=core, **options).loss for epoch in epochs
    ]


def places(n: int, augmentation: Augmentation, seed: int, epoch: int) -> list[int]:
    rows = bootstrap_rows(n, seed) if augmentation.bootstrap else list(range(n))
    return shuffled(rows, seed, epoch)


def explicit(data: Data, augmentation: Augmentation, seed: int, epoch: int) -> Data:
    """The rows of an epoch, one after the other."""
    changes = asdict(augmentation)
    del changes["bootstrap"]
    order = places(len(data.rows), augmentation, seed, epoch)
    rows = [
        augmented(data.rows[i], place, seed=seed, epoch=epoch, **changes)
        for place, i in enumerate(order)
    ]
    weight = None if data.weight is None else [data.weight[i] for i in order]
    return Data(rows, [data.y[i] for i in order], weight, data.n_features, data.n_fields)


def met(data: Data, augmentation: Augmentation, seed: int) -> set[int]:
    """Features that training may meet."""
    found = {j for i in places(len(data.rows), augmentation, seed, 0) for _, j, _ in data.rows[i]}
    if augmentation.feature_dropout and augmentation.unknown is not None:
        found |= {j for j in augmentation.unknown if j >= 0}
    return found


def assert_same_weights(found: _core.Model, expected: _core.Model, tolerance: float = 0) -> None:
    """Of the features that the first has met."""
    if found.bias is not None and expected.bias is not None:
        np.testing.assert_allclose(found.bias, expected.bias, rtol=tolerance, atol=tolerance)
    for part in contract.PARTS:
        if contract.table(found, part) is not None:
            a, b = (model.weights(part, found.features) for model in (found, expected))
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# --- the oracle -----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("kinds", [MIXED, PLAIN], ids=["mixed", "plain"])
@each_augmentation
@each_model
def test_training_is_that_on_changed_rows(
    model: str, name: str, kinds: tuple[str, ...], batch_size: int, level: str
) -> None:
    augmentation = AUGMENTATIONS[name]
    data = make_data(kinds, 5, weighted=True)
    if kinds is PLAIN and augmentation.value_noise:
        augmentation = replace(augmentation, value_noise=0.0)
    case = Case(model, "adagrad", n_fields=5, normalize=True)
    found, expected = case.core(), case.started()
    layout = "one_per_field" if kinds is PLAIN else "csr"
    losses = train(found, data.core(layout), augmentation, batch_size=batch_size)
    assert set(found.features.tolist()) == met(data, augmentation, case.seed)
    for epoch in range(3):
        rows = explicit(data, augmentation, case.seed, epoch).core()
        once = range(epoch, epoch + 1)
        (loss,) = train(expected, rows, None, once, shuffle=False, batch_size=batch_size)
        assert losses[epoch] == pytest.approx(loss, rel=1e-6)
    # The rows are the same but for the last bit of a noise, if the compiler contracts a product and
    # a sum; such a bit stays about one in each step.
    assert_same_weights(found, expected, 1e-6 if augmentation.value_noise else 0)


@each_model
def test_a_bootstrap_sample_is_a_selection_of_rows(model: str, level: str) -> None:
    data = make_data(MIXED, 5, weighted=True).core()
    case = Case(model, "adagrad", n_fields=5)
    rows = np.array(bootstrap_rows(data.n_rows, case.seed))
    for batch_size in BATCH_SIZES:
        found, expected = case.core(), case.core()
        losses = train(found, data, Augmentation(bootstrap=True), batch_size=batch_size)
        assert losses == train(expected, data.take(rows), None, batch_size=batch_size)
        np.testing.assert_array_equal(found.features, expected.features)
        assert_same_weights(found, expected)


# --- what is drawn --------------------------------------------------------------------------------
# One step of gradient descent along all rows of a linear model with weights 0 on targets of -1: the
# weight of a feature is the sum of its values, for a suitable learning rate. With a feature of its
# own for each entry, it is what became of the entry.


def observed(
    augmentation: Augmentation,
    n_rows: int,
    n_fields: int,
    value: float = 1.0,
    seed: int = 3,
    epoch: int = 0,
) -> NDArray[np.float64]:
    """What becomes of the entries, each a feature of its own, in the order of the data."""
    n = n_rows * n_fields
    data = _core.Dataset(
        indptr=None,
        features=np.arange(n, dtype=np.uint32),
        fields=None,
        values=np.full(n, value, np.float32),
        y=np.full(n_rows, -1, np.float32),
        weight=None,
        n_rows=n_rows,
        n_features=n,
        n_fields=n_fields,
    )
    step = ("sgd", {"learning_rate": float(n_rows), "l1": 0.0, "l2": 0.0})
    model = _core.Model(
        kind="linear",
        loss="squared",
        n_features=n,
        n_fields=n_fields,
        n_factors=0,
        linear=True,
        normalize=False,
        init_scale=0.0,
        dtype="float32",
        seed=seed,
        linear_optimizer=step,
        factor_optimizer=None,
    )
    train(model, data, augmentation, range(epoch, epoch + 1), shuffle=False, batch_size=FULL)
    return -model.weights("linear").astype(np.float64)


def binomial_bound(n: int, p: float) -> float:
    """Five standard deviations of a share."""
    return 5 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.95])
def test_the_share_that_is_dropped(p: float) -> None:
    kept = observed(Augmentation(feature_dropout=p), 4000, 5) != 0
    assert 1 - kept.mean() == pytest.approx(p, abs=binomial_bound(20_000, p))
    by_field = 1 - kept.reshape(-1, 5).mean(axis=0)
    assert by_field == pytest.approx([p] * 5, abs=binomial_bound(4000, p))
    # Neighbours, in a row and in a field, know nothing of each other.
    grid = kept.reshape(-1, 5)
    for a, b in ((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])):
        both = (~a & ~b).mean()
        assert both == pytest.approx(p * p, abs=binomial_bound(a.size, p * p))


def test_epochs_and_seeds_draw_anew() -> None:
    dropout = Augmentation(feature_dropout=0.5)
    draws = [
        observed(dropout, 1000, 5, seed=seed, epoch=epoch) != 0
        for seed, epoch in itertools.product((3, 4), (0, 1, 2))
    ]
    for a, b in itertools.combinations(draws, 2):
        assert (a & b).mean() == pytest.approx(0.25, abs=binomial_bound(5000, 0.25))
    np.testing.assert_array_equal(observed(dropout, 1000, 5, seed=3, epoch=2) != 0, draws[2])


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_noise_is_normal_and_relative(sigma: float) -> None:
    x = observed(Augmentation(value_noise=sigma), 4000, 5, value=8.0)
    z = (x / 8 - 1) / sigma
    n = z.size  # five standard deviations of each estimate
    assert z.mean() == pytest.approx(0, abs=5 / math.sqrt(n))
    assert z.std() == pytest.approx(1, abs=5 / math.sqrt(2 * n))
    assert (z**3).mean() == pytest.approx(0, abs=5 * math.sqrt(15 / n))
    assert (z**4).mean() == pytest.approx(3, abs=5 * math.sqrt(96 / n))
    for k in (1, 2):
        assert (np.abs(z) < k).mean() == pytest.approx(
            math.erf(k / math.sqrt(2)), abs=binomial_bound(n, 0.5)
        )
    assert not observed(Augmentation(value_noise=sigma), 100, 5, value=0.0).any()


def test_noise_of_numeric_fields_only() -> None:
    x = observed(Augmentation(value_noise=0.5, numeric_fields=[0, 3]), 200, 5).reshape(-1, 5)
    np.testing.assert_allclose(x[:, [1, 2, 4]], 1, rtol=1e-6)
    assert (np.abs(x[:, [0, 3]] - 1) > 1e-4).mean() > 0.99


def test_huge_noise_stays_finite() -> None:
    x = observed(Augmentation(value_noise=1e30), 100, 5, value=1e30)
    assert np.isfinite(x).all()


def test_unknowns_take_the_place_of_what_is_dropped() -> None:
    """With the value 1, whatever the value was."""
    unknown = [0, -1, 2, 3, 4]  # the features of the first row's entries
    augmentation = Augmentation(feature_dropout=0.3, unknown=unknown)
    plain = observed(Augmentation(feature_dropout=0.3), 400, 5, value=2.0).reshape(-1, 5)
    x = observed(augmentation, 400, 5, value=2.0).reshape(-1, 5)
    np.testing.assert_allclose(x[1:], plain[1:], rtol=1e-6)
    dropped = (plain == 0).sum(axis=0) * np.array([1, 0, 1, 1, 1])
    np.testing.assert_allclose(x[0], plain[0] + dropped, rtol=1e-6)


def test_how_often_a_bootstrap_sample_holds_each_row() -> None:
    n = 4000
    counts = np.rint(observed(Augmentation(bootstrap=True), n, 1)).astype(int)
    expected = Counter(bootstrap_rows(n, seed=3))
    assert counts.tolist() == [expected[i] for i in range(n)]
    share = 1 - math.exp(-1)  # the limit of 1 - (1 - 1/n)^n; 63.2 %
    assert (counts > 0).mean() == pytest.approx(share, abs=binomial_bound(n, share))
    for k in range(4):  # multiplicities are Poisson
        p = math.exp(-1) / math.factorial(k)
        assert (counts == k).mean() == pytest.approx(p, abs=binomial_bound(n, p))
    later = observed(Augmentation(bootstrap=True), n, 1, epoch=5)
    np.testing.assert_array_equal(np.rint(later), counts)  # one sample for all epochs
    other = observed(Augmentation(bootstrap=True), n, 1, seed=4)
    assert (np.rint(other) != counts).any()


def test_the_oracle_of_normal_numbers() -> None:
    z = np.array([random_normal(5, i) for i in range(20_000)])
    assert abs(z.mean()) < 5 / math.sqrt(z.size)
    assert abs(z.std() - 1) < 5 / math.sqrt(2 * z.size)


# --- threads and the absence of effects -----------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_augmentation
@each_model
def test_batches_are_the_same_bits_on_any_number_of_threads(
    model: str, name: str, dtype: str
) -> None:
    if model == "linear" and dtype == "float16":
        return  # linear weights are always float32
    data = make_data(MIXED * 20, 5, weighted=True).core()
    case = Case(model, "adagrad", n_fields=5, dtype=dtype)
    alone = case.core()
    losses = train(alone, data, AUGMENTATIONS[name], batch_size=100)
    for n_threads in range(2, 9):
        several = case.core()
        again = train(several, data, AUGMENTATIONS[name], batch_size=100, n_threads=n_threads)
        assert again == losses
        np.testing.assert_array_equal(several.features, alone.features)
        assert_same_weights(several, alone)


@pytest.mark.parametrize("n_threads", [2, 4, 8])
def test_threads_without_locks_drop_the_same_features(n_threads: int) -> None:
    """Each entry is a feature of its own: its weight moves unless it is dropped."""
    n_rows, n_fields = 3000, 3
    features = np.arange(n_rows * n_fields).reshape(-1, n_fields)
    data = contract.id_data(features, np.ones(n_rows), features.size)
    case = Case("linear", "sgd", n_fields=features.size // contract.FEATURES_PER_FIELD)
    patterns = []
    for n in (1, n_threads):
        model = case.core()
        train(model, data, Augmentation(feature_dropout=0.3), range(2), n_threads=n)
        patterns.append(model.weights("linear") != 0)
    np.testing.assert_array_equal(*patterns)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@each_model
def test_off_is_no_augmentation(model: str, batch_size: int) -> None:
    data = make_data(MIXED, 5).core()
    models = [Case(model, "adagrad", n_fields=5).core() for _ in range(3)]
    unused = Augmentation(unknown=UNKNOWN, numeric_fields=[1])
    for m, augmentation in zip(models, (None, Augmentation(), unused), strict=True):
        train(m, data, augmentation, batch_size=batch_size)
        np.testing.assert_array_equal(m.features, models[0].features)
        assert_same_weights(m, models[0])


# --- estimators -----------------------------------------------------------------------------------

ESTIMATORS: list[Any] = [
    pyfm.LinearClassifier,
    pyfm.FMClassifier,
    pyfm.FFMClassifier,
    pyfm.LinearRegressor,
    pyfm.FMRegressor,
    pyfm.FFMRegressor,
]
each_estimator = pytest.mark.parametrize("kind", ESTIMATORS)

ROWS, _ = pyfm.datasets.make_ctr(2000, n_fields=6, n_features=300, random_state=0)
TRAIN, VALID = ROWS[:1500], ROWS[1500:]
STRONG = Augmentation(feature_dropout=0.3, bootstrap=True)


def fitted(kind: Any, data: Any = TRAIN, **params: Any) -> Any:
    return kind(**({"epochs": 4, "random_state": 0} | params)).fit(data)


@each_estimator
def test_estimators_augment_and_none_does_not(kind: Any) -> None:
    plain, loss = fitted(kind), f"train_{kind._metrics[0]}"
    off = fitted(kind, augmentation=Augmentation())
    np.testing.assert_array_equal(off.predict(VALID), plain.predict(VALID))
    model = fitted(kind, augmentation=STRONG)
    assert model.history_[loss] != plain.history_[loss]
    again = fitted(kind, augmentation=STRONG)
    np.testing.assert_array_equal(again.predict(VALID), model.predict(VALID))
    other = fitted(kind, augmentation=STRONG, random_state=1)
    assert other.history_[loss] != model.history_[loss]


def test_rows_to_validate_on_are_left_alone() -> None:
    model = pyfm.FFMClassifier(
        epochs=3, augmentation=Augmentation(feature_dropout=0.9), random_state=0
    ).fit(TRAIN, eval_set={"valid": VALID, "train rows": TRAIN})
    for name, rows in (("valid", VALID), ("train rows", TRAIN)):
        assert rows.y is not None
        proba = model.predict_proba(rows)[:, 1]
        found = pyfm.metrics.logloss(rows.y, proba)
        assert model.history_[f"{name}_logloss"][-1] == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("batch_size", [1, 64])
@each_estimator
def test_two_fits_are_one(kind: Any, batch_size: int) -> None:
    params = {"augmentation": STRONG, "batch_size": batch_size}
    once = fitted(kind, epochs=6, **params)
    twice = fitted(kind, epochs=3, warm_start=True, **params).fit(TRAIN)
    np.testing.assert_array_equal(twice.predict(VALID), once.predict(VALID))


def test_augmentation_may_change_between_fits() -> None:
    """Rows that the sample did not hold get their features' weights when they take part."""
    features = np.arange(600).reshape(-1, 2)
    data = Dataset.from_ids(features, np.arange(300) % 2)
    model = fitted(pyfm.FMClassifier, data, augmentation=STRONG, warm_start=True, epochs=1)
    assert model._model.features.size < 600
    assert (model.factors_ == 0).all(axis=1).any()
    model.set_params(augmentation=None).fit(data)
    assert model._model.features.size == 600


def test_features_outside_the_sample_stay_0() -> None:
    features = np.arange(400).reshape(-1, 1)
    model = fitted(
        pyfm.FMRegressor,
        Dataset.from_ids(features, np.ones(400)),
        augmentation=Augmentation(bootstrap=True),
    )
    share = (model.factors_ != 0).any(axis=1).mean()
    assert share == pytest.approx(0.632, abs=binomial_bound(400, 0.632))


def test_a_refusal_leaves_a_fitted_model_resumable() -> None:
    once = fitted(pyfm.FMClassifier, epochs=2)
    model = fitted(pyfm.FMClassifier, epochs=1, warm_start=True)
    model.set_params(augmentation=Augmentation(value_noise=0.1))
    with pytest.raises(ValueError, match="value_noise"):
        model.fit(TRAIN)
    model.set_params(augmentation=None).fit(TRAIN)
    np.testing.assert_array_equal(model.predict(VALID), once.predict(VALID))


def test_class_weights_sampling_and_smoothing_come_first() -> None:
    model = fitted(
        pyfm.FFMClassifier,
        augmentation=STRONG,
        class_weight="balanced",
        negative_sampling=0.5,
        label_smoothing=0.1,
    )
    assert np.isfinite(model.predict_proba(VALID)).all()


def test_numeric_columns() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    noise = Augmentation(value_noise=0.2)
    model = pyfm.LinearRegressor(augmentation=noise, random_state=0, epochs=3).fit(X, y)
    plain = pyfm.LinearRegressor(random_state=0, epochs=3).fit(X, y)
    assert (model.coef_ != plain.coef_).all()


# --- the parameter --------------------------------------------------------------------------------


def test_equal_frozen_plain() -> None:
    one = Augmentation(unknown=np.array([1, -1], np.int64), numeric_fields=np.array([0], np.uint16))
    two = Augmentation(unknown=[1, -1], numeric_fields=(0,))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Augmentation()
    assert eval(repr(one)) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert json.loads(json.dumps(asdict(one)))["unknown"] == [1, -1]
    with pytest.raises(FrozenInstanceError):
        one.bootstrap = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        Augmentation(0.1)  # type: ignore[call-arg]


@each_estimator
def test_clone_and_parameters(kind: Any) -> None:
    model = kind(augmentation=STRONG)
    assert clone(model).augmentation == STRONG
    assert clone(fitted(kind, augmentation=STRONG)).get_params()["augmentation"] == STRONG
    assert "feature_dropout=0.3" in repr(model)
    assert kind().get_params()["augmentation"] is None


def test_grid_search() -> None:
    ids, y = ROWS.core.features.reshape(ROWS.n_rows, -1).astype(np.int64), ROWS.y
    grid = {"augmentation": [None, Augmentation(feature_dropout=0.1), STRONG]}
    model = pyfm.FMClassifier(epochs=2, random_state=0)
    search = GridSearchCV(model, grid, cv=3, scoring="neg_log_loss").fit(ids, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


@pytest.mark.parametrize(
    "augmentation",
    [None, Augmentation(), STRONG, Augmentation(feature_dropout=0.2, unknown=[0, 1, 2, 3, -1, 5])],
)
def test_model_files_keep_it(augmentation: Augmentation | None, tmp_path: Path) -> None:
    model = fitted(pyfm.FFMClassifier, augmentation=augmentation)
    model.save(tmp_path / "model")
    copy = pyfm.load(tmp_path / "model")
    assert copy.augmentation == augmentation
    np.testing.assert_array_equal(copy.predict_proba(VALID), model.predict_proba(VALID))
    np.testing.assert_array_equal(copy.fit(TRAIN).predict(VALID), model.predict(VALID))
    pickled = pickle.loads(pickle.dumps(model))
    assert pickled.augmentation == augmentation


# --- refusals -------------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
OUT_OF_RANGE = [
    *(("feature_dropout", p, r"between 0 and 1, 1 excluded") for p in (1, -0.1, NAN, 2, "x", None)),
    *(("value_noise", s, r"a finite number >= 0") for s in (-0.1, NAN, INF, "x", None, 10**400)),
    ("value_noise", 1e31, r"a number <= 1e\+30"),
    *(("bootstrap", b, "True or False") for b in (2, None, "yes")),
    *(
        ("unknown", u, r"one or more integers in \[-1, 4294967296\)")
        for u in ([-2], [2**32], [2**70], [1.5], [True], [[1]], [[1], [1, 2]], [], "1", 3, [None])
    ),
    *(
        ("numeric_fields", f, r"one or more integers in \[0, 65536\)")
        for f in ([-1], [2**16], [0.5], [[0]], [], 0, np.array(0))
    ),
]


@pytest.mark.parametrize(("name", "value", "expected"), OUT_OF_RANGE)
def test_parameters_out_of_range(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"Augmentation\.{name}: expected .*{expected}.*, found "):
        Augmentation(**{name: value})


@pytest.mark.parametrize("value", [0.1, "dropout", {"feature_dropout": 0.1}, Augmentation, True])
@each_estimator
def test_other_types(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"augmentation: expected a pyfm\.Augmentation or None"):
        kind(augmentation=value).fit(TRAIN)


UNFIT = [
    (Augmentation(unknown=[0] * 5), r"unknown: expected a feature for each of the 6 .*, found 5"),
    (Augmentation(unknown=[0] * 7), r"unknown: expected a feature for each of the 6 .*, found 7"),
    (
        Augmentation(unknown=[0, 0, 0, TRAIN.n_features, 0, 0]),
        rf"unknown\[3\]: expected a feature in \[0, {TRAIN.n_features}\), or -1 .*, found",
    ),
    (Augmentation(numeric_fields=[1, 6]), r"numeric_fields: expected fields in \[0, 6\), found 6"),
    (Augmentation(value_noise=0.1), r"value_noise: expected 0 for rows of features without val"),
]


@pytest.mark.parametrize(("augmentation", "message"), UNFIT)
@each_estimator
def test_what_does_not_suit_the_rows(kind: Any, augmentation: Augmentation, message: str) -> None:
    model = kind(augmentation=augmentation)
    with pytest.raises(ValueError, match=rf"Augmentation\.{message}"):
        model.fit(TRAIN)
    assert not hasattr(model, "history_")


def test_the_core_checks_for_itself() -> None:
    model, data = Case("ffm", n_fields=5).core(), make_data(PLAIN, 5).core()
    good = {
        "feature_dropout": 0.1,
        "unknown": [],
        "value_noise": 0.0,
        "numeric_fields": [],
        "bootstrap": False,
    }
    for name, value in (
        ("feature_dropout", 1.0),
        ("feature_dropout", NAN),
        ("value_noise", -1.0),
        ("value_noise", INF),
        ("unknown", [15] * 5),
        ("unknown", [0]),
        ("numeric_fields", [5]),
    ):
        bad = _core.Augmentation(**(good | {name: value}))  # type: ignore[arg-type]
        for train_or_start in (
            lambda bad=bad: model.initialize(data, n_threads=1, augmentation=bad),
            lambda bad=bad: model.train_epoch(
                data, epoch=0, shuffle=True, n_threads=1, poll=None, augmentation=bad
            ),
        ):
            with pytest.raises(ValueError, match=rf"Augmentation\.{name}.*: expected"):
                train_or_start()
