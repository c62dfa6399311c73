"""The search for the deep models of frappe.py and criteo.py, with one seed.

    python bench/deep_search.py frappe TRAIN VALID
    python bench/deep_search.py criteo TRAIN VALID

Files as for those scripts, whose models are the last of each list here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import curves

import pyfm
from pyfm.optim import AdaGrad, Adam, Optimizer
from pyfm.schedules import Exponential, ReduceOnPlateau


@dataclass(frozen=True)
class Frappe:
    """BARS's settings with a penalty on what a batch touches; lists change some of them."""

    model: type = pyfm.DeepFMClassifier
    l2: float = 0.05  # of the vectors
    linear_l2: float = 0.0
    deep_l2: float = 0.0
    dropout: float = 0.2
    n_factors: int = 10
    init_scale: float = 0.05
    batch_norm_inference: str = "population"

    def params(self) -> dict[str, Any]:
        return {
            "optimizer": {
                "linear": Adam(l2=self.linear_l2),
                "factors": Adam(l2=self.l2),
                "deep": Adam(l2=self.deep_l2),
            },
            "learning_rate_schedule": ReduceOnPlateau(gamma=0.1),
            "batch_norm": True,
            "dropout": self.dropout,
            "n_factors": self.n_factors,
            "init_scale": self.init_scale,
            "batch_norm_inference": self.batch_norm_inference,
            "batch_size": 4096,
            "epochs": 60,
            "patience": 4,
            "metric": ["auc", "logloss"],  # by which the rate is reduced and training stops
        }


@dataclass(frozen=True)
class Criteo:
    """Linear terms by AdaGrad, the rest by Adam; after three epochs the steps are next to none."""

    model: type = pyfm.DeepFMClassifier
    n_factors: int = 64
    init_scale: float = 0.3
    hidden: tuple[int, ...] = (64, 64, 64)
    batch_norm: bool = False
    dropout: float = 0.2
    gamma: float = 0.25
    linear: tuple[float, float] = (0.12, 1e-3)  # learning rate, L2
    accumulator: float = 1.2e-4  # of AdaGrad; 8 / 256², where 1 / 256² is like 1 row by row
    factors: tuple[float, float] = (8e-4, 1.4e-3)
    deep: tuple[float, float] = (1.2e-3, 1e-3)

    def params(self) -> dict[str, Any]:
        return self.without_network() | {
            "optimizer": self._optimizer() | {"deep": Adam(self.deep[0], l2=self.deep[1])},
            "hidden": self.hidden,
            "batch_norm": self.batch_norm,
            "dropout": self.dropout,
        }

    def without_network(self) -> dict[str, Any]:
        """Those of an FM."""
        return {
            "optimizer": self._optimizer(),
            "learning_rate_schedule": Exponential(self.gamma),
            "n_factors": self.n_factors,
            "init_scale": self.init_scale,
            "normalize": False,
            "batch_size": 256,
            "epochs": 6,
            "patience": 2,
        }

    def _optimizer(self) -> dict[str, Optimizer]:
        (rate, l2), (factors_rate, factors_l2) = self.linear, self.factors
        return {
            "linear": AdaGrad(rate, initial_accumulator=self.accumulator, l2=l2),
            "factors": Adam(factors_rate, l2=factors_l2),
        }


WIDE = pyfm.WideDeepClassifier
FRAPPE = [
    Frappe(linear_l2=0.05),
    Frappe(),
    Frappe(l2=0.01, linear_l2=0.01),
    Frappe(l2=0.2, linear_l2=0.2),
    Frappe(linear_l2=0.05, init_scale=0.001),
    Frappe(l2=0.1, linear_l2=0.1, batch_norm_inference="moving_average"),
    Frappe(l2=0.1, linear_l2=0.1, dropout=0.4),
    Frappe(l2=0.1, linear_l2=0.1, deep_l2=1e-3),
    Frappe(linear_l2=0.05, deep_l2=1e-3),
    Frappe(linear_l2=0.05, deep_l2=3e-4),
    Frappe(l2=0.15, dropout=0.3),
    Frappe(l2=0.2, dropout=0.3),
    Frappe(l2=0.15, dropout=0.3, deep_l2=1e-4),
    Frappe(l2=0.15, dropout=0.3, n_factors=16),
    Frappe(l2=0.15, dropout=0.3, n_factors=20),
    Frappe(WIDE, l2=0.1, linear_l2=0.1, dropout=0.3),
    Frappe(WIDE, l2=0.15, dropout=0.3, n_factors=20),
    Frappe(WIDE, l2=0.15, dropout=0.3, n_factors=20, deep_l2=1e-4),
    Frappe(l2=0.15, dropout=0.3, n_factors=20, deep_l2=1e-4),
]
SLOWER: dict[str, Any] = {  # where the vectors are shorter, as a first search found it
    "n_factors": 16,
    "init_scale": 0.1,
    "gamma": 0.85,
    "linear": (0.04, 8e-4),
    "accumulator": 1.5e-5,
    "factors": (5e-4, 2e-3),
}
CRITEO = [
    Criteo(**SLOWER),
    Criteo(**SLOWER, hidden=(128, 128), dropout=0.5, deep=(3.2e-4, 1e-4)),
    Criteo(**SLOWER, hidden=(128, 128), dropout=0.5, deep=(3.2e-4, 1e-4), batch_norm=True),
    Criteo(n_factors=16),
    Criteo(n_factors=32),
    Criteo(init_scale=0.1),
    Criteo(accumulator=1.5e-5),
    Criteo(linear=(0.12, 3e-3)),
    Criteo(factors=(8e-4, 5e-3)),
    Criteo(factors=(8e-4, 5e-4)),
    Criteo(gamma=0.5),
    Criteo(deep=(1.2e-3, 0.0)),
    Criteo(deep=(1.2e-3, 0.0), dropout=0.8),
    Criteo(deep=(3e-4, 0.0), dropout=0.5, batch_norm=True),
    Criteo(WIDE, deep=(3e-4, 1e-4), dropout=0.5),
    Criteo(WIDE),
    Criteo(),
]
TRIED: dict[str, Sequence[Frappe | Criteo]] = {"frappe": FRAPPE, "criteo": CRITEO}


def in_words(tried: Frappe | Criteo) -> str:
    """The model, and what is not at its default."""
    own = [f.name for f in fields(tried)[1:] if getattr(tried, f.name) != f.default]
    changes = [f"{name}={getattr(tried, name)}" for name in own]
    return ", ".join([tried.model.__name__.removesuffix("Classifier"), *changes])


def main() -> None:
    args = curves.file_parser(str(__doc__), seeds=1, either=True).parse_args()
    train, valid = curves.READERS[args.data](args.train, args.valid)
    contenders = {
        in_words(tried): curves.ours(tried.model, train, valid, args, **tried.params())
        for tried in TRIED[args.data]
    }
    found = curves.measure(contenders, args)
    curves.print_best(found)
    curves.write(found, args, f"deep_search-{args.data}.json")


if __name__ == "__main__":
    main()
