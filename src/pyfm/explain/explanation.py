"""`Explanation`: the terms of one score, to compute with and to read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

_SHOWN = 15  # terms, of which a printed explanation names the largest


class Term(NamedTuple):
    """One term of a score.

    Attributes
    ----------
    kind : {"bias", "linear", "pair", "network"}
    contribution : float
        What it adds to the score.
    name : str
        "site=a.org × ad=7"; without an encoder "0:17 × 3:42", where numbers are field:feature.
    fields : tuple of int
        The field of the feature, or of both; of others none.
    features : tuple of int
        Likewise.
    """

    kind: str
    contribution: float
    name: str
    fields: tuple[int, ...] = ()
    features: tuple[int, ...] = ()


@dataclass(frozen=True, repr=False)
class Explanation:
    """All terms of the score of one row; `explain` of the estimators makes them.

    Printed, and in notebooks, it shows the largest terms.

    Attributes
    ----------
    score : float
        ``math.fsum`` of all contributions: their exact sum, rounded once. `decision_function` adds
        in float32, in another order, and differs by its rounding.
    prediction : float
        Of classifiers the probability of `label`; of regressors the score.
    label : str or None
        The class that the score speaks of: the second of two, of more the `output`; None of
        regressors.
    terms : tuple of Term
        The largest first, by their absolute contribution.
    ignored : tuple of str
        Features of the row for which the model has no weights, or only zeros.
    """

    score: float
    prediction: float
    label: str | None
    terms: tuple[Term, ...]
    ignored: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, float]:
        """The sum of the terms of each kind: "bias", "linear", "pair", "network"."""
        kinds = ("bias", "linear", "pair", "network")
        found = {kind: [t.contribution for t in self.terms if t.kind == kind] for kind in kinds}
        return {kind: math.fsum(values) for kind, values in found.items() if values}

    @property
    def _head(self) -> str:
        parts = " ".join(f"{value:+.4f} {kind}" for kind, value in self.parts.items())
        probability = f"; P({self.label}) = {self.prediction:.4f}" if self.label is not None else ""
        return f"score {self.score:+.4f} = {parts or 'no terms'}{probability}"

    def _rows(self) -> list[tuple[float, str]]:
        """The largest terms, and the sum of the others."""
        shown = [(term.contribution, term.name) for term in self.terms[:_SHOWN]]
        rest = [term.contribution for term in self.terms[_SHOWN:]]
        if rest:
            shown.append((math.fsum(rest), f"{len(rest):,} other terms together"))
        return shown

    @property
    def _tail(self) -> str:
        more = f" and {len(self.ignored) - _SHOWN} others" if len(self.ignored) > _SHOWN else ""
        return f"without weights in the model: {', '.join(self.ignored[:_SHOWN])}{more}"

    def __repr__(self) -> str:
        lines = [f"Explanation: {self._head}"]
        lines += [f"{contribution:+12.4f}  {name}" for contribution, name in self._rows()]
        return "\n".join([*lines, self._tail] if self.ignored else lines)

    def _repr_html_(self) -> str:
        """For notebooks: a bar to the right raises the score, one to the left lowers it."""
        rows = self._rows()
        largest = max((abs(contribution) for contribution, _ in rows), default=0) or 1.0
        body = "".join(
            f'<tr><td style="text-align: right">{contribution:+.4f}</td>'
            f'<td style="text-align: left">{_bar(contribution / largest)}</td>'
            f'<td style="text-align: left">{escape(name)}</td></tr>'
            for contribution, name in rows
        )
        tail = f"<p>{escape(self._tail)}</p>" if self.ignored else ""
        return (
            f"<div><p>{escape(self._head)}</p><table><thead><tr><th>contribution</th><th></th>"
            f"<th>term</th></tr></thead><tbody>{body}</tbody></table>{tail}</div>"
        )


def _bar(share: float) -> str:
    """Of 120 pixels, around the middle; blue upwards, orange downwards."""
    width = round(abs(share) * 60)
    left, color = (60, "#0072b2") if share >= 0 else (60 - width, "#d55e00")
    return (
        f'<div style="margin-left: {left}px; width: {width}px; height: 0.8em; '
        f'background: {color}"></div>'
    )
