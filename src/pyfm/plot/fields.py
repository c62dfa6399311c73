"""Vectors of fields: how they interact, and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.plot.axes import COLORS, axes_or_new, check_model, documented, light_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyfm.explain.model import Explained

_MOST_NAMES = 60  # along an axis; of more fields only some are named


@documented
def field_interactions(
    model: Any,
    X: Any = None,
    *,
    sample_weight: Any = None,
    output: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Heat map of the mean |⟨v_i, v_j⟩| of features of each two fields.

    The numbers are the `strength` of ``model.top_interactions(None, X, by="field")``. Field pairs
    that never meet are left white.

    Parameters
    ----------
    model : fitted FM, FFM or DeepFM
        Of FFM, the vectors are those for the other field.
    X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns), optional
        Rows as in `fit`: each pair of features counts as often as they hold it. None: all pairs of
        features count once, which takes an encoder, that knows their fields.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows; None: those of the Dataset, or all 1.
    output : label, optional
        Of more than two classes, each of which has vectors of its own: the one to draw.
    {ax}

    Raises
    ------
    ValueError
        As `top_interactions`.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=100, random_state=0)
    >>> model = pyfm.FFMClassifier(epochs=2, random_state=0).fit(rows)
    >>> ax = pyfm.plot.field_interactions(model, rows)
    >>> ax.images[0].get_array().shape
    (4, 4)
    """
    check_model(model)
    found = model.top_interactions(None, X, by="field", sample_weight=sample_weight, output=output)
    if not found:
        refuse("X", "rows with two features that the model knows", "none")
    n_fields = 1 + max(max(interaction.fields) for interaction in found)
    strength = np.full((n_fields, n_fields), np.nan)
    for interaction in found:
        f, g = interaction.fields
        strength[f, g] = strength[g, f] = interaction.strength
    names = _names(model, np.arange(n_fields))
    side = min(12.0, max(4.5, 2.0 + 0.19 * n_fields))
    ax = axes_or_new(ax, side + 1.0, side)
    image = ax.imshow(strength, cmap="cividis", vmin=0, interpolation="nearest")
    step = -(-n_fields // _MOST_NAMES)
    places = range(0, n_fields, step)
    size = 9 if n_fields <= 15 else 7 if n_fields <= 30 else 6
    shown = [names[f] for f in places]
    ax.set_xticks(places, shown, rotation=90, fontsize=size)
    ax.set_yticks(places, shown, fontsize=size)
    ax.set(xlabel="field", ylabel="field")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
    bar.set_label("mean |⟨v$_i$, v$_j$⟩| (unit of the score)")
    return ax


@documented
def factor_norms(model: Any, X: Any = None, *, output: Any = None, ax: Axes | None = None) -> Axes:
    """How long the vectors of each field are: boxes of |v_j| over its features.

    Boxes reach from the first to the third quartile, with the median inside, whiskers from the 5th
    to the 95th percentile. Of FFM, the length is that of all vectors of the feature together.

    Parameters
    ----------
    model : fitted FM, FFM, DeepFM or Wide & Deep
    X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns), optional
        Rows as in `fit`: their features, each once, and their fields. None: all features that have
        weights; their fields are known with an encoder only, otherwise there is one box.
    output : label, optional
        Of more than two classes, each of which has vectors of its own: the one to draw.
    {ax}

    Raises
    ------
    ValueError
        For models without vectors, rows unlike those of `fit`, and an `output` that is none.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=100, random_state=0)
    >>> model = pyfm.FMClassifier(epochs=2, random_state=0).fit(rows)
    >>> ax = pyfm.plot.factor_norms(model, rows)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0', '1', '2', '3']
    """
    check_model(model)
    explained: Explained = model._explained(output)
    if explained.spec.kind == "linear":
        refuse("model", "a model with vectors, such as an FM", type(model).__name__)
    fields, features = _features(model, explained, X)
    if not len(features):
        refuse("X", "rows with features that the model knows", "none")
    from pyfm.explain.importance import norms_of

    norms = norms_of(explained, features, ("factors",))
    kinds = np.unique(fields)
    names = _names(model, kinds) if kinds[-1] >= 0 else ["all features"]
    spread = np.array([np.percentile(norms[fields == f], [5, 25, 50, 75, 95]) for f in kinds]).T
    low, first, median, third, high = spread
    at = np.arange(len(kinds))
    ax = axes_or_new(ax, 6.0, min(14.0, max(2.5, 1.2 + 0.2 * len(kinds))))
    ax.hlines(at, low, high, color=COLORS[0], linewidth=1)
    ax.barh(at, third - first, 0.6, first, color=COLORS[5], edgecolor=COLORS[0], zorder=2)
    ax.vlines(median, at - 0.3, at + 0.3, color=COLORS[6], linewidth=1.5, zorder=3)
    size = 9 if len(kinds) <= 30 else 7
    step = -(-len(kinds) // _MOST_NAMES)
    ax.set_yticks(range(0, len(kinds), step), names[::step], fontsize=size)
    ax.set_ylim(len(kinds) - 0.4, -0.6)  # the first field on top
    ax.set_xlim(left=0)
    ax.set(xlabel="length of a feature's vectors, |v$_j$|", ylabel="field")
    light_grid(ax)
    return ax


def _features(
    model: Any, explained: Explained, X: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fields and features, each once; fields of -1 are not known."""
    from pyfm.explain.entries import blocks_of_entries
    from pyfm.explain.names import fields_of

    if X is not None:
        items = np.empty(0, np.int64)
        for entries in blocks_of_entries(explained, model._rows_in_memory(X)):
            at = entries.with_vectors
            items = np.union1d(items, entries.field[at] << 32 | entries.feature[at])
        return items >> 32, items & 0xFFFFFFFF
    features = explained.model.features.astype(np.int64)
    if explained.encoder is None:
        return np.full(len(features), -1), features
    fields = fields_of(explained.encoder, features)
    return fields[fields >= 0], features[fields >= 0]


def _names(model: Any, fields: NDArray[np.int64]) -> list[str]:
    """Of fields, not so long that they fill the picture; their numbers where they have no names."""
    encoder = model._inputs.encoder
    if encoder is None:
        return list(map(str, fields.tolist()))
    from pyfm.explain.names import field_names

    return [n if len(n) <= 20 else f"{n[:10]}…{n[-9:]}" for n in field_names(encoder, fields)]
