"""Several scores of a row, the softmax loss: training, scores and state equal the oracle."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import contract
import numpy as np
import pytest
from contract import Case, Data, assert_weights_close, make_data, train
from reference_softmax import SoftmaxReference, softmax_loss

from pyfm import _core

MIXED = ("values", "missing", "several", "plain", "several", "missing", "plain")
N_CLASSES = 4

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)


def case_of(model: str, optimizer: str = "sgd", n_outputs: int = N_CLASSES, **more: object) -> Case:
    return Case(model, optimizer, loss="softmax", n_outputs=n_outputs, **more)  # type: ignore[arg-type]


@cache
def data_of(kinds: tuple[str, ...], n_fields: int, n_classes: int = N_CLASSES) -> Data:
    data = make_data(kinds, n_fields, weighted=True)
    y = [float(i * 7 % 5 % n_classes) for i in range(len(kinds))]
    return Data(data.rows, y, data.weight, data.n_features, data.n_fields)


def oracle(case: Case, start: _core.Model | None = None) -> SoftmaxReference:
    start = start or case.started()
    return SoftmaxReference([case.reference(start, c) for c in range(case.n_outputs)])


@cache
def expectation(case: Case, data: Data, batch_size: int) -> tuple[SoftmaxReference, float]:
    """The oracle after two passes over the rows, and the mean loss of the second."""
    reference = oracle(case)
    for of_class in reference.classes:
        of_class.forget(contract.unmet(case, data))
    n, weight = len(data.rows), list(data.weight or ())
    losses: list[float] = []
    for _ in range(2):
        losses = []
        for begin, end in pairwise([*range(0, n, batch_size), n]):
            rows, y, w = data.rows[begin:end], data.y[begin:end], weight[begin:end]
            if batch_size == 1:
                losses.append(reference.update(rows[0], y[0], w[0]))
            else:
                losses += reference.update_batch(rows, y, w)
    return reference, float(np.average(losses, weights=weight))


def check_training(case: Case, data: Data, batch_size: int, layout: str = "csr") -> None:
    model = case.core()
    loss = train(model, data.core(layout), epochs=2, batch_size=batch_size)
    expected, expected_loss = expectation(case, data, batch_size)
    assert loss == pytest.approx(expected_loss, rel=1e-5, abs=1e-6)
    for c, of_class in enumerate(expected.classes):
        assert_weights_close(model, of_class, c)


@pytest.mark.parametrize("batch_size", [1, 3])
@each_optimizer
@each_model
def test_every_size(model: str, optimizer: str, batch_size: int, level: str) -> None:
    for n_factors in contract.N_FACTORS if model != "linear" else (1,):
        case = case_of(model, optimizer, n_fields=5, n_factors=n_factors)
        check_training(case, data_of(MIXED, 5), batch_size)
        check_training(case, data_of(("plain",) * 6, 5), batch_size, "one_per_field")


@pytest.mark.parametrize("batch_size", [1, 3, 100])
@pytest.mark.parametrize("n_classes", [2, 3, 17])
@pytest.mark.parametrize("linear", [False, True])
@each_model
def test_numbers_of_classes(
    model: str, linear: bool, n_classes: int, batch_size: int, level: str
) -> None:
    case = case_of(model, "adagrad", n_classes, n_fields=4, linear=linear, normalize=True)
    check_training(case, data_of(MIXED, 4, n_classes), batch_size)


@pytest.mark.parametrize("params", [contract.PROXIMAL, contract.CLIPPED], ids=["value", "norm"])
@pytest.mark.parametrize("batch_size", [1, 3])
@each_optimizer
@each_model
def test_l1_and_clipping(
    model: str, optimizer: str, batch_size: int, params: tuple[tuple[str, float], ...], level: str
) -> None:
    """The norm is that of the weights of each class by themselves."""
    check_training(
        case_of(model, optimizer, n_fields=5, params=params), data_of(MIXED, 5), batch_size
    )


@each_model
def test_scores_and_probabilities(model: str, level: str) -> None:
    case = case_of(model, n_fields=5, n_factors=7)
    core, data = case.filled(), data_of(contract.ROW_KINDS, 5)
    reference = oracle(case, core)
    found = core.decision_function(data.core(), n_threads=2)
    assert found.shape == (len(data.rows), N_CLASSES)
    for scores, row in zip(found, data.rows, strict=True):
        tolerance = max(contract.score_tolerance(of, row) for of in reference.classes)
        np.testing.assert_allclose(scores, reference.scores(row), rtol=0, atol=tolerance)
    probabilities = core.predict(data.core(), n_threads=2)
    exp = np.exp(found.astype(np.float64) - found.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, exp / exp.sum(axis=1, keepdims=True), rtol=1e-12)


@each_model
def test_sgd_follows_the_slope(model: str, level: str) -> None:
    """That of the loss, by finite differences of the oracle's."""
    rate, step, weight, y = 0.5, 1e-5, 1.5, 2.0
    params = (("learning_rate", rate), ("l2", 0.0))
    case = case_of(model, n_factors=3, params=params)
    row = contract.make_row("several", 3, np.random.default_rng(5))
    start, core = case.started(), case.core()
    train(core, Data([row], [y], [weight], case.n_features, 3).core())
    reference = oracle(case, start)
    met = {j for _, j, _ in row}
    for c, of_class in enumerate(reference.classes):
        before, after = (
            contract.weights_of(contract.weights(m), c, N_CLASSES) for m in (start, core)
        )
        for name in ("bias", "linear", "factors"):
            if getattr(before, name) is None:
                continue
            table = getattr(of_class, name)
            for at in np.ndindex(table.shape):
                if name != "bias" and at[0] not in met:
                    continue
                original = table[at]
                losses = []
                for there in (original + step, original - step):
                    table[at] = there
                    losses.append(weight * softmax_loss(reference.scores(row), y))
                table[at] = original
                slope = (losses[0] - losses[1]) / (2 * step)
                taken = (getattr(before, name)[at] - getattr(after, name)[at]) / rate
                assert taken == pytest.approx(slope, rel=1e-5, abs=2e-6), (c, name, at)


def tables(model: _core.Model) -> list[np.ndarray]:
    found = [model.bias, contract.table(model, "linear"), contract.table(model, "factors")]
    return [w.copy() for w in found if w is not None]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_batches_give_the_same_bits_on_any_number_of_threads(
    model: str, optimizer: str, dtype: str, level: str
) -> None:
    case, data = case_of(model, optimizer, n_fields=5, dtype=dtype), data_of(MIXED * 30, 5).core()
    models = [case.core() for _ in range(3)]
    for n_threads, core in zip((1, 2, 5), models, strict=True):
        contract.epochs(core, data, 2, n_threads=n_threads, batch_size=50)
    for other in models[1:]:
        for a, b in zip(tables(models[0]), tables(other), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_model
def test_several_threads_reach_nearly_the_same_loss(model: str, dtype: str) -> None:
    """As in test_contract_threads.py: every row of the tables is hot."""
    data = data_of((*contract.KINDS * 509, "plain"), 5).core()
    case = case_of(model, "adagrad", n_fields=5, dtype=dtype)
    one = contract.epochs(case.core(), data, 5)[-1]
    several = contract.epochs(case.core(), data, 5, n_threads=3)[-1]
    assert several == pytest.approx(one, rel=0.05)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adagrad"])
def test_two_classes_of_a_linear_model_are_the_logistic_loss_at_twice_the_rate(
    optimizer: str, level: str
) -> None:
    """softmax(s)_1 = sigmoid(s_1 - s_0), whose slopes are g and -g: the difference of the weights
    moves by both, where a step goes with the gradient. AdaGrad's G is that of either class."""
    data = data_of(MIXED * 10, 5, 2).core()
    rate = ("learning_rate", 0.05)
    softmax = case_of(
        "linear", optimizer, 2, n_fields=5, params=(*contract.UNREGULARIZED, rate)
    ).core()
    logistic = Case(
        "linear",
        optimizer,
        n_fields=5,
        params=(*contract.UNREGULARIZED, ("learning_rate", 0.1)),
    ).core()
    for batch_size in (1, 8):
        losses = [train(m, data, epochs=3, batch_size=batch_size) for m in (softmax, logistic)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
        scores = softmax.decision_function(data, n_threads=1)
        expected = logistic.decision_function(data, n_threads=1)
        np.testing.assert_allclose(scores[:, 1] - scores[:, 0], expected, rtol=1e-4, atol=2e-5)


# --- tables and state -----------------------------------------------------------------------------


@each_optimizer
@each_model
def test_weights_and_state_go_in_and_out(model: str, optimizer: str) -> None:
    """A model with the weights and the state of another trains on to the same bits."""
    case, data = case_of(model, optimizer, n_fields=5, n_factors=5), data_of(MIXED * 5, 5).core()
    trained, copy = case.core(), case.core()
    train(trained, data)
    features = trained.features_by_row
    copy.add_rows(features)
    parts: list[contract.Part] = ["linear"] if model == "linear" else ["linear", "factors"]
    for part in parts:
        n = (len(features), N_CLASSES)
        weights = trained.weights(part, features)
        assert weights.shape[:2] == n
        copy.set_weights(part, weights, features)
    for part in parts:
        state = trained.state(part, features)
        slots = contract.CATALOG["slots"][optimizer]
        assert state.shape == (len(features), slots, N_CLASSES, *trained.weights(part).shape[2:])
        copy.set_state(part, state, features)
    assert copy.bias is not None
    assert trained.bias_state is not None
    copy.bias[...] = trained.bias
    copy.set_bias_state(trained.bias_state)
    assert train(trained, data) == train(copy, data)
    for a, b in zip(tables(trained), tables(copy), strict=True):
        np.testing.assert_array_equal(a, b)


@each_model
def test_a_snapshot_brings_the_weights_back(model: str) -> None:
    case, data = case_of(model, "adagrad", n_fields=5), data_of(MIXED * 5, 5).core()
    core, snapshot = case.core(), _core.Snapshot()
    train(core, data)
    core.save(snapshot)
    before = tables(core)
    np.testing.assert_array_equal(snapshot.bias, before[0])
    train(core, data)
    assert not np.array_equal(before[0], tables(core)[0])
    np.testing.assert_array_equal(core.weights("linear", None, snapshot), before[1])
    core.restore(snapshot)
    for a, b in zip(tables(core), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_model
def test_where_a_stream_is_cut_makes_no_difference(
    model: str, dtype: str, batch_size: int, level: str
) -> None:
    case, data = case_of(model, "adagrad", n_fields=5, dtype=dtype), data_of(MIXED * 8, 5).core()
    whole, cut = case.core(), case.core()
    scores, _ = whole.learn(data, n_threads=1, batch_size=batch_size)
    pieces = [
        cut.learn(data.slice(begin, end), n_threads=1, batch_size=batch_size)[0]
        for begin, end in pairwise([0, 4, 20, data.n_rows])
    ]
    assert scores.shape == (data.n_rows, N_CLASSES)
    np.testing.assert_array_equal(np.concatenate(pieces), scores)
    for a, b in zip(tables(whole), tables(cut), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_stream_that_diverges_is_undone() -> None:
    case, data = case_of("fm", "adagrad", n_fields=5), data_of(MIXED * 8, 5).core()
    core = case.core()
    core.learn(data, n_threads=1, batch_size=1)
    before = tables(core)
    state = core.bias_state
    huge = data.with_targets(data.y, np.full(data.n_rows, 1e38, np.float32))
    _, stats = core.learn(huge, n_threads=1, batch_size=1)
    assert not stats.finite
    assert stats.undone
    for a, b in zip(tables(core), before, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(core.bias_state, state)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "logistic"}, "loss: expected 'softmax' for several scores and nothing else"),
        ({"n_outputs": 1}, "loss: expected 'softmax' for several scores and nothing else"),
        ({"n_outputs": 0}, r"n_outputs: expected an integer in \[1, 65536\], found 0"),
        ({"n_outputs": 65_537}, r"n_outputs: expected an integer in \[1, 65536\]"),
        ({"loss": "hinge"}, "loss: expected one of"),
    ],
)
def test_specs_that_make_no_model(changes: dict[str, object], message: str) -> None:
    case = Case(**({"model": "fm", "loss": "softmax", "n_outputs": 3} | changes))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        case.core()


@pytest.mark.parametrize("y", [-1.0, 4.0, 0.5, 1e30])
def test_targets_that_are_no_class(y: float) -> None:
    data = data_of(MIXED, 5)
    core = Data(data.rows, [*data.y[:-1], y], data.weight, 15, 5).core()
    message = r"y\[6\]: the softmax loss expects classes 0 to 3, found"
    with pytest.raises(ValueError, match=message):
        train(case_of("fm", n_fields=5).core(), core)
