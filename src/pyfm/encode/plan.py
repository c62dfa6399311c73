"""Which columns become fields, and how: what the user said, and defaults by type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pyfm.checks import refuse
from pyfm.encode.arrow import arrow, is_list, is_moment
from pyfm.encode.kinds import (
    Categorical,
    Cross,
    Date,
    Kind,
    Multi,
    as_kind,
)
from pyfm.encode.numeric_kinds import Buckets
from pyfm.encode.tokens import token_type

# The kinds of columns for which nothing else is said, by the type of their values.
DEFAULTS: dict[str, Kind] = {
    "string": Categorical(),
    "category": Categorical(),
    "integer": Categorical(),
    "boolean": Categorical(),
    "float": Buckets("quantile"),
    "date": Date(),
    "list": Multi(),
}


class Settings(NamedTuple):
    """The parameters of an encoder, checked."""

    columns: dict[str, Kind | None] | None  # None: all; a column of kind None has its default
    defaults: dict[str, Kind]
    remainder: str
    crosses: tuple[Cross, ...]
    target: str | None
    sample_weight: str | None

    @classmethod
    def of(
        cls,
        columns: Any,
        defaults: Any,
        remainder: Any,
        crosses: Any,
        target: Any,
        sample_weight: Any,
    ) -> Settings:
        if remainder not in ("drop", "default"):
            refuse("remainder", "'drop' or 'default'", remainder)
        for name, given in (("target", target), ("sample_weight", sample_weight)):
            if given is not None and not isinstance(given, str):
                refuse(name, "the name of a column, or None", given)
        settings = cls(
            _columns(columns), _defaults(defaults), remainder, _crosses(crosses), target,
            sample_weight,
        )  # fmt: skip
        for name in (target, sample_weight):
            if settings.columns and name in settings.columns:
                refuse("columns", f"columns without {name!r}, which is no feature", name)
        if not settings.columns and columns is not None and remainder == "drop":
            refuse("columns", "at least one column, or remainder='default'", columns)
        return settings

    @property
    def takes_all(self) -> bool:
        return self.columns is None or self.remainder == "default"

    def kinds(self, types: Mapping[str, Any]) -> dict[str, Kind]:
        """Of the columns that become fields, in the order of the columns or the table."""
        chosen = dict(self.columns or {})
        for name in chosen:
            if name not in types:
                refuse("columns", f"columns of the table ({_listed(types)})", name)
        for role in ("target", "sample_weight"):
            name = getattr(self, role)
            if name is not None and name not in types:  # else what is meant would be a feature
                refuse(role, f"a column of the table ({_listed(types)}), at least in fit", name)
        weights = {kind.weights for kind in chosen.values() if isinstance(kind, Multi)}
        apart = {self.target, self.sample_weight} | weights
        if self.takes_all:
            chosen |= {name: None for name in types if name not in chosen and name not in apart}
        return {
            name: self.defaults[dtype_of(name, types[name])] if kind is None else kind
            for name, kind in chosen.items()
        }


def dtype_of(name: str, type_: Any) -> str:
    """The name among `DEFAULTS` of a column's type."""
    types = arrow().types
    if types.is_dictionary(type_):
        return "category"
    if types.is_floating(type_):
        return "float"
    if types.is_integer(type_):
        return "integer"
    if types.is_boolean(type_):
        return "boolean"
    if is_moment(type_):
        return "date"
    if is_list(type_):
        return "list"
    token_type(name, type_)  # refuses other types
    return "string"


def _columns(given: Any) -> dict[str, Kind | None] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        refuse("columns", "a dict of kinds by column, a list of columns, or None", given)
    kinds = given if isinstance(given, Mapping) else dict.fromkeys(given)
    for name in kinds:
        if not isinstance(name, str):
            refuse("columns", "names that are strings", name)
    if len(kinds) < len(list(given)):
        refuse("columns", "different names", given)
    return {
        name: None if kind is None else as_kind(f"columns[{name!r}]", kind)
        for name, kind in kinds.items()
    }


def _defaults(given: Any) -> dict[str, Kind]:
    if given is None:
        return DEFAULTS
    if not isinstance(given, Mapping) or not set(given) <= set(DEFAULTS):
        refuse("defaults", f"a dict of kinds with names among {', '.join(DEFAULTS)}", given)
    return DEFAULTS | {name: as_kind(f"defaults[{name!r}]", kind) for name, kind in given.items()}


def _crosses(given: Any) -> tuple[Cross, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        refuse("crosses", "a list of names that are crossed, such as ('site', 'ad')", given)
    crosses = tuple(one if isinstance(one, Cross) else Cross(one) for one in given)
    if len({cross.columns for cross in crosses}) < len(crosses):
        refuse("crosses", "different ones", [cross.columns for cross in crosses])
    return crosses


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
