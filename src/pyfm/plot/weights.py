"""How weights are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_int, refuse
from pyfm.plot.axes import axes_or_new, check_model, color_of, documented, legend, light_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyfm.estimators.model_spec import Part
    from pyfm.explain.model import Explained

_NUMBERS = 2**22  # weights that are held at a time (16 MiB)


@documented
def weight_histogram(
    model: Any, *, part: str | None = None, bins: int = 60, ax: Axes | None = None
) -> Axes:
    """Histogram of the weights, of each part of the model: linear weights, factors, network.

    Weights are those of all features that have any, and of all classes, read piece by piece. Counts
    are on a logarithmic scale. How many are exactly 0, as L1 makes them, is said in the legend.

    Parameters
    ----------
    model : fitted estimator
    part : {"linear", "factors", "deep"}, optional
        None: all parts.
    bins : int in [1, 10000], default=60
        Of equal width, between the extremes of all parts.
    {ax}

    Raises
    ------
    ValueError
        For a part that the model does not have, and a model without weights.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> model = pyfm.FMRegressor(n_factors=4, random_state=0).fit([[0, 2], [1, 2]], [0.5, 1.5])
    >>> ax = pyfm.plot.weight_histogram(model)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['linear: 3', 'factors: 12']
    """
    check_model(model)
    bins = check_int("bins", bins, 1, 10_000)
    explained: Explained = model._all_weights()
    parts = explained.spec.parts
    if part is not None and part not in parts:
        refuse("part", f"one of {', '.join(map(repr, parts))}, or None", part)
    chosen = [name for name in parts if part in (None, name)]
    extremes = [(w.min(), w.max()) for name in chosen for w in _weights(explained, name) if w.size]
    if not extremes:
        refuse("model", "a model with weights", "one that has met no feature")
    low, high = min(e[0] for e in extremes), max(e[1] for e in extremes)
    edges = np.histogram_bin_edges([], bins, (float(low), float(high)))
    ax = axes_or_new(ax)
    for number, name in enumerate(chosen):
        counts, n, n_zeros = np.zeros(bins), 0, 0
        for w in _weights(explained, name):
            counts += np.histogram(w, edges)[0]
            n, n_zeros = n + w.size, n_zeros + w.size - int(np.count_nonzero(w))
        zeros = f", {n_zeros:,} of them 0" if n_zeros else ""
        ax.stairs(
            counts, edges, color=color_of(number), linewidth=1.5, label=f"{name}: {n:,}{zeros}"
        )
    ax.set_yscale("log")
    ax.set_ylim(bottom=0.5)
    ax.set(xlabel="weight", ylabel="weights per bin")
    light_grid(ax)
    legend(ax)
    return ax


def _weights(explained: Explained, part: Part) -> Iterator[NDArray[Any]]:
    """All weights of a part, some at a time."""
    if part == "deep":
        for name in explained.spec.network_shapes()[0]:
            yield explained.model.network_weights(name).ravel()
        return
    features = explained.model.features.astype(np.int64)
    size = max(1, _NUMBERS // explained.numbers_per_feature)
    for start in range(0, len(features), size):
        ids = features[start : start + size]
        yield explained.model.weights(part, ids.astype(np.uint32)).ravel()
