"""Which fields the vectors of a deep model are of; the others are for its linear terms alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyfm.checks import check_int, refuse

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder
    from pyfm.encode.fields import Field

_MOST_FIELDS = 2**16


@dataclass(frozen=True)
class DeepFields:
    """The parameter `deep_fields`, checked as far as it can be without data."""

    given: tuple[int | str, ...] | None = None
    without_crosses: bool = False  # of an encoder, where nothing is given

    @classmethod
    def of(cls, params: Mapping[str, Any], kind: str) -> DeepFields:
        """Raises ValueError that names the parameter, what it takes, and what was found."""
        given = params["deep_fields"]
        if given is None:
            return cls(None, without_crosses=kind == "wide_deep" and bool(params["linear"]))
        expected = "a list or tuple of numbers or names of fields, at least one, or None"
        if not isinstance(given, list | tuple) or not given:
            refuse("deep_fields", expected, given)
        if not params["linear"]:
            refuse(
                "deep_fields",
                "None with linear=False, since other fields are for the linear terms alone",
                given,
            )
        fields = tuple(
            field
            if isinstance(field, str)
            else check_int(f"deep_fields[{i}]", field, 0, _MOST_FIELDS - 1)
            for i, field in enumerate(given)
        )
        return cls(fields)

    def resolve(self, n_fields: int, encoder: FieldEncoder | None) -> tuple[int, ...] | None:
        """Their numbers, ascending; None: all.

        Raises ValueError for what is no field of such data, and for one that comes twice.
        """
        known: Sequence[Field] = encoder._fitted().fields if encoder else ()
        if self.given is None:
            crosses = self.without_crosses and any(field.is_cross for field in known)
            found = [f for f, of in enumerate(known) if not of.is_cross] if crosses else []
            return tuple(found) or None
        found = []
        for field in self.given:
            found += _numbers(field, n_fields, known)
        if len(set(found)) < len(found):
            refuse("deep_fields", "each field once", list(self.given))
        return None if len(found) == n_fields else tuple(sorted(found))


def _numbers(field: int | str, n_fields: int, known: Sequence[Field]) -> list[int]:
    """Of a field, or of all that are read from a column."""
    if not isinstance(field, str):
        if field >= n_fields:
            refuse("deep_fields", f"fields of the {n_fields} that X has, from 0 on", field)
        return [field]
    if not known:
        expected = "numbers of fields, since names are those of tables and of their encoders"
        refuse("deep_fields", expected, field)
    found = [f for f, of in enumerate(known) if field in (of.name, *of.columns[:1])]
    if not found:
        names = ", ".join(repr(of.name) for of in known[:20])
        refuse("deep_fields", f"fields of X ({names}{', …' if len(known) > 20 else ''})", field)
    return found
