"""The network of a deep model, as its estimator describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from pyfm import _core
from pyfm.checks import check_bool, check_choice, check_int, check_real, refuse

ACTIVATIONS = ("relu", "leaky_relu", "elu", "prelu", "gelu", "sigmoid", "tanh")
INFERENCES = ("population", "moving_average")
_MAX_LAYERS, _MAX_WIDTH = 100, 2**16


@dataclass(frozen=True)
class Tower:
    """Parameters of the estimators, of the same names, checked."""

    hidden: tuple[int, ...]
    activation: str
    batch_norm: bool
    batch_norm_inference: str
    dropout: float
    residual: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Tower:
        """Raises ValueError that names the parameter, what it takes, and what was found."""
        dropout = check_real("dropout", params["dropout"])
        if dropout >= 1:
            refuse("dropout", "a number in [0, 1)", params["dropout"])
        return cls(
            hidden=_widths(params["hidden"]),
            activation=check_choice("activation", params["activation"], ACTIVATIONS),
            batch_norm=check_bool("batch_norm", params["batch_norm"]),
            batch_norm_inference=check_choice(
                "batch_norm_inference", params["batch_norm_inference"], INFERENCES
            ),
            dropout=dropout,
            residual=check_bool("residual", params["residual"]),
        )

    def core(self, n_in: int) -> _core.Tower:
        """For an input of so many numbers."""
        return _core.Tower(
            n_in=n_in,
            hidden=list(self.hidden),
            activation=self.activation,
            batch_norm=self.batch_norm,
            inference=self.batch_norm_inference,
            dropout=self.dropout,
            residual=int(self.residual),
        )


def _widths(hidden: object) -> tuple[int, ...]:
    given = (hidden,) if isinstance(hidden, Integral) else hidden
    expected = f"a tuple or list of up to {_MAX_LAYERS} widths of layers"
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > _MAX_LAYERS:
        refuse("hidden", expected, hidden)
    return tuple(check_int(f"hidden[{i}]", width, 1, _MAX_WIDTH) for i, width in enumerate(given))
