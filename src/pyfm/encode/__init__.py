"""Columns of tables as fields: what kinds of columns there are, for `pyfm.FieldEncoder`."""

from pyfm.encode.decoding import Feature
from pyfm.encode.encoder import FieldEncoder
from pyfm.encode.kinds import Categorical, Cross, Date, Hashed, Multi
from pyfm.encode.numeric_kinds import Buckets, Real
from pyfm.encode.sketch import Collisions

__all__ = [
    "Buckets",
    "Categorical",
    "Collisions",
    "Cross",
    "Date",
    "Feature",
    "FieldEncoder",
    "Hashed",
    "Multi",
    "Real",
]
