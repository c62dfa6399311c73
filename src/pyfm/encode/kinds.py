"""What a column is: how its values become features. Small immutable objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyfm.checks import check_choice, check_int, refuse
from pyfm.encode.numeric_kinds import Buckets, Real

# Least and greatest number of each part; years are those that occur.
PARTS: dict[str, tuple[int, int] | None] = {
    "minute": (0, 59),
    "hour": (0, 23),
    "weekday": (0, 6),
    "day": (1, 31),
    "week": (1, 53),
    "month": (1, 12),
    "quarter": (1, 4),
    "year": None,
}


@dataclass(frozen=True)
class Categorical:
    """Each value is a feature: strings, bytes, integers, booleans.

    Besides, the field has a feature for missing values, and one for unknown values, which those
    that are too rare share.

    Parameters
    ----------
    min_count : int >= 1, default=1
        Values get a feature of their own once they have occurred in so many rows.
    max_size : int >= 1, optional
        At most so many values get one, the most frequent (among equals, the first).

    Examples
    --------
    >>> import pyfm
    >>> table = {"site": ["a.org", "b.org", "a.org", None]}
    >>> encoder = pyfm.FieldEncoder({"site": pyfm.encode.Categorical(min_count=2)}).fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['site=<missing>', 'site=<unknown>', 'site=a.org']
    """

    min_count: int = 1
    max_size: int | None = None

    def __post_init__(self) -> None:
        check_int("min_count", self.min_count, 1)
        if self.max_size is not None:
            check_int("max_size", self.max_size, 1)


@dataclass(frozen=True)
class Hashed:
    """Values share ``2**n_bits`` features, by their hashes; nothing is kept of the values.

    Besides, the field has a feature for missing values. Strings, bytes, integers and booleans. The
    attribute ``collisions_`` of the encoder says how many share theirs.

    Parameters
    ----------
    n_bits : int in [1, 31], default=20
    seed : int in [0, 2**63 - 1], default=0
        Of the hash. Another one lets other values collide.

    Examples
    --------
    >>> import pyfm
    >>> encoder = pyfm.FieldEncoder({"user": pyfm.encode.Hashed(n_bits=10)})
    >>> encoder.fit({"user": ["u1", "u2", "u3"]}).n_features_
    1025
    """

    n_bits: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        check_int("n_bits", self.n_bits, 1, 31)
        check_int("seed", self.seed, 0, 2**63 - 1)


@dataclass(frozen=True)
class Multi:
    """Several values a row, each a feature of the one field: lists, or strings to be split.

    A missing list has the feature for missing values, and an empty one none.

    Parameters
    ----------
    each : Categorical or Hashed, default=Categorical()
        What the values are.
    separator : str, optional
        What stands between the values of a string; an empty string has none. None: the column holds
        lists.
    weights : str, optional
        Name of a column with a number for each value, lists of them, or strings with the same
        separator: the values of the features. None: all 1.
    weight_separator : str, optional
        What stands between a value and its weight, as ":" in "red:0.5|blue:2"; one without has 1.

    Examples
    --------
    >>> import pyfm
    >>> encoder = pyfm.FieldEncoder({"tags": pyfm.encode.Multi(separator="|")})
    >>> data = encoder.fit_transform({"tags": ["red|blue", "red", ""]})
    >>> data.core.indptr.tolist(), data.core.features.tolist()
    ([0, 2, 3, 3], [2, 3, 2])
    """

    each: Categorical | Hashed = Categorical()
    separator: str | None = None
    weights: str | None = None
    weight_separator: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.each, Categorical | Hashed):
            refuse("each", "Categorical or Hashed", self.each)
        for name in ("separator", "weights", "weight_separator"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                refuse(name, "a string that is not empty, or None", value)
        if self.weight_separator is not None and self.weights is not None:
            refuse("weights", "None with a weight_separator", self.weights)


@dataclass(frozen=True)
class Date:
    """Dates and times by their parts, each of which is a field of its own.

    Parts of times with a zone are those of the clocks there.

    Parameters
    ----------
    parts : sequence of str, optional
        Of "minute", "hour", "weekday" (Monday is 0), "day", "week", "month", "quarter", "year".
        None: ("hour", "weekday"), of dates ("weekday",), of times of the day ("hour",).
    format : str, optional
        As of `time.strptime`, for columns of strings, or of integers such as 14102100 by
        "%y%m%d%H".

    Examples
    --------
    >>> import pyfm
    >>> date = pyfm.encode.Date(["hour", "weekday"], format="%Y-%m-%d %H:%M")
    >>> encoder = pyfm.FieldEncoder({"at": date}).fit({"at": ["2014-10-21 09:30"]})
    >>> encoder.field_names_
    ('at:hour', 'at:weekday')
    """

    parts: Any = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.parts is not None:
            if isinstance(self.parts, str) or not isinstance(self.parts, Sequence):
                refuse("parts", "a sequence of different parts", self.parts)
            for part in self.parts:
                check_choice("parts", part, tuple(PARTS))
            if not self.parts or len(set(self.parts)) != len(self.parts):
                refuse("parts", "a sequence of different parts", self.parts)
            object.__setattr__(self, "parts", tuple(self.parts))
        if self.format is not None and (not isinstance(self.format, str) or not self.format):
            refuse("format", "a format of time.strptime, or None", self.format)


@dataclass(frozen=True)
class Cross:
    """Pairs (or more) of values that come together, as a field of its own.

    Parameters
    ----------
    columns : sequence of at least two str
        Names of fields with one feature a row, that is of any kind but `Real` and `Multi`. Of a
        `Date` the fields are called "column:part".
    each : Hashed or Categorical, default=Hashed()
        What the pairs are. With Categorical, `fit` reads the table twice.

    Examples
    --------
    >>> import pyfm
    >>> cross = pyfm.encode.Cross(["site", "ad"], pyfm.encode.Categorical())
    >>> encoder = pyfm.FieldEncoder(crosses=[cross]).fit({"site": ["a", "b"], "ad": ["x", "y"]})
    >>> encoder.get_feature_names_out()[-2:].tolist()
    ['site×ad=(a, x)', 'site×ad=(b, y)']
    """

    columns: Any
    each: Categorical | Hashed = Hashed()

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or not isinstance(self.columns, Sequence):
            refuse("crosses", "sequences of names of fields", self.columns)
        columns = tuple(self.columns)
        if not all(isinstance(name, str) for name in columns):
            refuse("crosses", "sequences of names of fields", columns)
        if len(columns) < 2 or len(set(columns)) != len(columns):
            refuse("crosses", "at least two different fields", columns)
        object.__setattr__(self, "columns", columns)
        if not isinstance(self.each, Categorical | Hashed):
            refuse("each", "Categorical or Hashed", self.each)

    @property
    def name(self) -> str:
        return "×".join(self.columns)


Kind = Categorical | Hashed | Buckets | Real | Multi | Date

KINDS: dict[str, Any] = {
    "categorical": Categorical,
    "hashed": Hashed,
    "buckets": Buckets,
    "real": Real,
    "multi": Multi,
    "date": Date,
}


def as_kind(name: str, given: Any) -> Kind:
    """The kind that an object is or a name stands for."""
    if isinstance(given, Kind):
        return given
    if not isinstance(given, str) or given not in KINDS:
        known = ", ".join(map(repr, KINDS))
        refuse(name, f"one of {known}, or an object from pyfm.encode", given)
    kind: Kind = KINDS[given]()
    return kind
