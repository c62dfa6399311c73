"""What the optimizers share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from pyfm.checks import check_real, refuse

# Parameters that may not be 0; all are finite and not negative.
_POSITIVE = {
    "learning_rate", "beta", "epsilon", "initial_accumulator", "clip_value", "clip_norm"
}  # fmt: skip
_BELOW_ONE = {"momentum", "rho", "beta1", "beta2"}
_MAY_BE_NONE = {"clip_value", "clip_norm"}
# What the core computes with in float32 keeps clear of its limits.
SMALLEST, LARGEST, _ALMOST_ONE = 1e-30, 1e30, 0.999999


def check(name: str, parameter: str, value: object) -> None:
    """Raises ValueError that calls the parameter `name` unless it may have the value."""
    if value is None and parameter in _MAY_BE_NONE:
        return
    positive = parameter in _POSITIVE
    number = check_real(name, value, positive=positive)
    if parameter in _BELOW_ONE and number > _ALMOST_ONE:
        refuse(name, f"a number in [0, {_ALMOST_ONE}]", value)
    if number > LARGEST or (positive and number < SMALLEST):
        refuse(name, f"a number between {SMALLEST:g} and {LARGEST:g}", value)


@dataclass(frozen=True)
class Optimizer:
    """What the optimizers share; use one of its subclasses."""

    name: ClassVar[str]
    # Parameters that may not change while a model is trained.
    fixed: ClassVar[frozenset[str]] = frozenset()
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        for parameter, value in asdict(self).items():
            check(f"{type(self).__name__}.{parameter}", parameter, value)

    def parameters(self) -> dict[str, float]:
        """By name; what is None is left out."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: float(value) for name, value in given.items()}

    def core(self) -> tuple[str, dict[str, float]]:
        """Name and parameters as the core takes them."""
        return self.name, self.parameters()

    def stays(self) -> str:
        """What another must have in common with it, in words."""
        return (", ".join(sorted(self.fixed)) or "nothing") + " unchanged"

    def may_become(self, other: object) -> bool:
        """Whether the state that this one keeps for the weights is of use to the other."""
        if not isinstance(other, Optimizer) or type(other) is not type(self):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self.fixed)
