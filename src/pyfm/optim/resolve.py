"""From what an estimator is given to optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyfm.checks import check_choice, refuse
from pyfm.optim.adagrad import AdaGrad
from pyfm.optim.adam import Adam
from pyfm.optim.base import Optimizer, check
from pyfm.optim.ftrl import FTRL
from pyfm.optim.momentum import Momentum, Nesterov
from pyfm.optim.rmsprop import RMSProp
from pyfm.optim.sgd import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind for kind in (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, FTRL)
}


def resolve(optimizer: object, parameter: str = "optimizer", /, **given: float | None) -> Optimizer:
    """The optimizer that an estimator's parameters describe.

    `parameter` is what the user calls `optimizer`. `given` are the estimator's own learning_rate,
    l1 and l2; None leaves the optimizer's default.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    if isinstance(optimizer, Optimizer):
        if changes:
            name, value = next(iter(changes.items()))
            raise ValueError(
                f"{name}={value!r} is given together with the optimizer object {optimizer!r}: "
                f"set it on the object, {type(optimizer).__name__}({name}={value!r}, …), "
                f"and leave {name}=None"
            )
        return optimizer
    if not isinstance(optimizer, str):
        names = ", ".join(map(repr, OPTIMIZERS))
        refuse(parameter, f"one of {names} or an object from pyfm.optim", optimizer)
    kind = OPTIMIZERS[check_choice(parameter, optimizer, list(OPTIMIZERS))]
    for name, value in changes.items():
        check(name, name, value)
    return kind(**changes)


def resolve_parts(
    optimizer: object, parts: Sequence[str], **given: float | None
) -> dict[str, Optimizer]:
    """The optimizer of each part that a model has: one for all, or a mapping from parts."""
    if not isinstance(optimizer, Mapping):
        return dict.fromkeys(parts, resolve(optimizer, **given))
    if set(optimizer) != set(parts):
        expected = "{" + ", ".join(f"{part!r}: …" for part in parts) + "}"
        refuse("optimizer", f"one for each part that this model has, {expected}", optimizer)
    return {part: resolve(optimizer[part], f"optimizer[{part!r}]", **given) for part in parts}
