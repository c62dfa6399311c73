"""What a column of numbers is, see kinds.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pyfm.checks import check_bool, check_choice, check_int, refuse

BUCKETS = ("quantile", "uniform", "log2")
_DEFAULT_BUCKETS = 32
MAX_BUCKETS = 1 << 16


@dataclass(frozen=True)
class Buckets:
    """Numbers by the interval that they fall into, which is a feature; missing is another.

    Parameters
    ----------
    by : "quantile", "uniform", "log2" or a sequence of increasing floats, default="quantile"
        "quantile": intervals with about as many values of the training rows each. Exact for up to
        131,072 values, otherwise from a sample of so many. "uniform": intervals of equal width,
        from the least to the greatest value. "log2": floor(ln(x)²) above 2, floor(x) up to 2, and
        the same for negative numbers below -2: the buckets of the winners of Criteo's Kaggle
        competition [1]_; those that occur get a feature each, and the others one in common. Floats:
        the edges; edge e belongs to the interval above it.
    n_buckets : int in [2, 65536], optional
        Of "quantile" and "uniform"; None: 32. Equal quantiles become one.
    min_count : int >= 1, default=1
        Of "log2": buckets get a feature of their own once they have occurred in so many rows.

    References
    ----------
    .. [1] Y. Juan, Y. Zhuang, W.-S. Chin, C.-J. Lin, "Field-aware Factorization Machines for CTR
       Prediction", RecSys 2016.

    Examples
    --------
    >>> import pyfm
    >>> encoder = pyfm.FieldEncoder({"price": pyfm.encode.Buckets([1.0, 10.0])})
    >>> encoder.fit({"price": [0.5, 3.0, None]}).get_feature_names_out().tolist()
    ['price=<missing>', 'price=[-inf, 1)', 'price=[1, 10)', 'price=[10, inf)']
    """

    by: Any = "quantile"
    n_buckets: int | None = None
    min_count: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.by, str):
            check_choice("by", self.by, BUCKETS)
        else:
            object.__setattr__(self, "by", _edges(self.by))
        if self.n_buckets is not None:
            check_int("n_buckets", self.n_buckets, 2, MAX_BUCKETS)
            if self.by not in ("quantile", "uniform"):
                refuse("n_buckets", f"None with by={self.by!r}", self.n_buckets)
        check_int("min_count", self.min_count, 1)
        if self.min_count > 1 and self.by != "log2":
            refuse("min_count", f"1 with by={self.by!r}", self.min_count)

    @property
    def size(self) -> int:
        return self.n_buckets or _DEFAULT_BUCKETS


def _edges(given: Any) -> tuple[float, ...]:
    expected = f"one of {', '.join(map(repr, BUCKETS))}, or increasing finite edges"
    try:
        edges = tuple(float(edge) for edge in given)
    except (TypeError, ValueError):
        refuse("by", expected, given)
    increasing = all(a < b for a, b in pairwise(edges))
    if not 0 < len(edges) < MAX_BUCKETS or not all(map(math.isfinite, edges)) or not increasing:
        refuse("by", expected, given)
    return edges


@dataclass(frozen=True)
class Real:
    """One feature whose value is the number itself; where it is missing, another one of value 1.

    Parameters
    ----------
    standardize : bool, default=True
        Subtract the mean of the training rows and divide by their standard deviation. `partial_fit`
        keeps those of its first call.

    Examples
    --------
    >>> import pyfm
    >>> encoder = pyfm.FieldEncoder({"age": pyfm.encode.Real()})
    >>> encoder.fit_transform({"age": [20, 30, 40]}).core.values.round(2).tolist()
    [-1.22..., 0.0, 1.22...]
    """

    standardize: bool = True

    def __post_init__(self) -> None:
        check_bool("standardize", self.standardize)
