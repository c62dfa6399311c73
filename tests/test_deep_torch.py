"""Twenty steps of deep models beside PyTorch's, from the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm.optim import SGD

torch = pytest.importorskip("torch", reason="PyTorch is a peer to compare with, no dependency")

N_FIELDS, K, BATCH, ETA = 5, 4, 64, 0.2


def tower(hidden: tuple[int, ...], batch_norm: bool, residual: bool) -> Any:
    nn = torch.nn

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inner: Any, n_in: int, n_out: int) -> None:
            super().__init__()
            self.inner = inner
            same = n_in == n_out
            self.projection = nn.Identity() if same else nn.Linear(n_in, n_out, bias=False)

        def forward(self, x: Any) -> Any:
            return self.projection(x) + self.inner(x)

    layers: list[Any] = []
    width = N_FIELDS * K
    for size in hidden:
        block = [nn.Linear(width, size, bias=not batch_norm)]
        block += [nn.BatchNorm1d(size)] if batch_norm else []
        hidden_layer = nn.Sequential(*block, nn.ReLU())
        layers.append(Residual(hidden_layer, width, size) if residual else hidden_layer)
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 1))


class Twin:
    """Takes the weights of a fitted model, and learns on."""

    def __init__(self, model: Any, interacts: bool, **network: Any) -> None:
        def parameter(x: np.ndarray) -> Any:
            return torch.nn.Parameter(torch.tensor(x))

        self.interacts = interacts
        self.linear, self.bias = parameter(model.coef_), parameter(model.intercept_)
        self.factors = parameter(model.factors_)
        self.tower = tower(**network)
        self.names = [name for name in model.network_ if name.split(".")[-1] in NAMES]
        for name, own in zip(self.names, self.tower.parameters(), strict=True):
            w = model.network_[name]
            own.data = torch.tensor(w.T.copy() if own.ndim == 2 else w[0])
        weights = [self.linear, self.bias, self.factors, *self.tower.parameters()]
        self.steps = torch.optim.SGD(weights, lr=ETA)

    def learn(self, ids: np.ndarray, y: np.ndarray) -> float:
        rows = torch.tensor(ids)
        vectors = self.factors[rows]
        score = self.bias + self.linear[rows].sum(1) + self.tower(vectors.flatten(1))[:, 0]
        if self.interacts:
            total = vectors.sum(1)
            score = score + 0.5 * ((total**2).sum(1) - (vectors**2).sum((1, 2)))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, torch.tensor(y))
        self.steps.zero_grad()
        loss.backward()
        self.steps.step()
        return float(loss.detach())

    def weights(self) -> dict[str, np.ndarray]:
        found = {"coef_": self.linear, "intercept_": self.bias, "factors_": self.factors}
        found |= dict(zip(self.names, self.tower.parameters(), strict=True))
        return {name: w.detach().numpy() for name, w in found.items()}


NAMES = ("weight", "bias", "gamma", "beta")


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", [pyfm.DeepFMClassifier, pyfm.WideDeepClassifier])
def test_twenty_steps(kind: Any, batch_norm: bool, residual: bool) -> None:
    rows, _ = pyfm.datasets.make_ctr(20 * BATCH, n_fields=N_FIELDS, n_features=60, random_state=0)
    ids = rows.core.features.reshape(-1, N_FIELDS).astype(np.int64)
    y = np.asarray(rows.y)
    shape: dict[str, Any] = {"hidden": (16, 16), "batch_norm": batch_norm, "residual": residual}
    params = shape | {
        "n_factors": K, "batch_size": BATCH, "init_scale": 1.0, "random_state": 0,
        "optimizer": SGD(1e-30, l2=0.0),
    }  # fmt: skip
    model = kind(**params)
    model.partial_fit(rows, classes=[0, 1])  # all features get their rows, and hardly move
    twin = Twin(model, kind is pyfm.DeepFMClassifier, **shape)
    model.set_params(optimizer=SGD(ETA, l2=0.0))
    for step in range(20):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        twin_loss = twin.learn(ids[batch], y[batch])
        model.partial_fit(rows[batch])
        loss = model.history_["progressive_logloss"][-1]
        if not batch_norm:  # which predicts by other statistics than it learns by
            assert loss == pytest.approx(twin_loss, abs=1e-4), step
    ours = {name: getattr(model, name) for name in ("coef_", "intercept_", "factors_")}
    ours |= {name: model.network_[name] for name in twin.names}
    for name, w in twin.weights().items():
        found = ours[name]
        if found.ndim == 2 and name not in ("coef_", "factors_"):
            found = found.T if w.ndim == 2 else found[0]
        np.testing.assert_allclose(found, w, atol=1e-4, err_msg=name)
