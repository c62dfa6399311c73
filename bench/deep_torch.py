"""DeepFM in PyTorch as well as it can be written for a CPU: the peer of bench/deep.py.

Vectors and linear weights lie in one embedding table with sparse gradients, so that a step touches
the rows of the batch and nothing else; dense layers and batch normalization are PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class DeepFM(nn.Module):
    def __init__(
        self, n_features: int, n_fields: int, k: int, hidden: Sequence[int], batch_norm: bool
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(n_features, k + 1, sparse=True)
        nn.init.uniform_(self.table.weight, -0.05 / k**0.5, 0.05 / k**0.5)
        self.bias = nn.Parameter(torch.zeros(1))
        layers: list[nn.Module] = []
        width = n_fields * k
        for size in hidden:
            layers.append(nn.Linear(width, size, bias=not batch_norm))
            layers += [nn.BatchNorm1d(size)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            width = size
        self.tower = nn.Sequential(*layers, nn.Linear(width, 1))
        self.k = k

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = self.table(ids)
        vectors = rows[..., : self.k]
        total = vectors.sum(1)
        pairs = 0.5 * (total.square().sum(1) - vectors.square().sum((1, 2)))
        score = self.bias + rows[..., self.k].sum(1) + pairs
        return score + self.tower(vectors.flatten(1))[:, 0]


class Trainer:
    """Adagrad on everything: the one of PyTorch's optimizers that steps sparse rows alone."""

    def __init__(self, model: DeepFM, learning_rate: float) -> None:
        self.model = model
        sparse = [model.table.weight]
        dense = [p for name, p in model.named_parameters() if name != "table.weight"]
        self.steps = [
            torch.optim.Adagrad(sparse, lr=learning_rate, initial_accumulator_value=1e-6),
            torch.optim.Adagrad(
                dense, lr=learning_rate, initial_accumulator_value=1e-6, foreach=True
            ),
        ]

    def epoch(self, ids: NDArray[np.int64], y: NDArray[np.float32], batch: int, seed: int) -> float:
        """The mean loss of an epoch over shuffled rows."""
        self.model.train()
        order = torch.from_numpy(np.random.default_rng(seed).permutation(len(y)))
        all_ids, all_y = torch.from_numpy(ids), torch.from_numpy(y)
        loss_of = nn.BCEWithLogitsLoss()
        total = 0.0
        for begin in range(0, len(y), batch):
            rows = order[begin : begin + batch]
            loss = loss_of(self.model(all_ids[rows]), all_y[rows])
            for step in self.steps:
                step.zero_grad(set_to_none=True)
            loss.backward()
            for step in self.steps:
                step.step()
            total += float(loss.detach()) * len(rows)
        return total / len(y)

    @torch.inference_mode()
    def predict(self, ids: NDArray[np.int64], batch: int) -> NDArray[np.float32]:
        self.model.eval()
        pieces = [
            torch.sigmoid(self.model(torch.from_numpy(ids[begin : begin + batch])))
            for begin in range(0, len(ids), batch)
        ]
        found: NDArray[np.float32] = torch.cat(pieces).numpy()
        return found
