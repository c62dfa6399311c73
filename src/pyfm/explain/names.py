"""What features and fields are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyfm.explain.model import Ints

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder


def feature_names(encoder: FieldEncoder | None, fields: Ints, features: Ints) -> list[str]:
    """As in "site=a.org" where an encoder knows them, else "field:feature", as libffm writes.

    A field of -1 is not known, either: then it is the number of the feature.
    """
    names = [
        f"{f}:{j}" if f >= 0 else f"{j}"
        for f, j in zip(fields.tolist(), features.tolist(), strict=True)
    ]
    if encoder is None:
        return names
    from pyfm.encode.decoding import features_of

    known = encoder._fitted().fields
    for field in known:
        codes = field.blocks.codes(features)
        places = np.flatnonzero(codes >= 0)
        for place, found in zip(
            places.tolist(), features_of(known, field, codes[places]), strict=True
        ):
            names[place] = str(found)
    return names


def field_names(encoder: FieldEncoder | None, fields: Ints) -> list[str]:
    """The encoder's, or "field 0" and so on."""
    known = encoder.field_names_ if encoder is not None else ()
    return [known[f] if f < len(known) else f"field {f}" for f in fields.tolist()]


def fields_of(encoder: FieldEncoder, features: Ints) -> Ints:
    """The field of each feature; -1 of those that the encoder does not know."""
    found = np.full(len(features), -1, np.int64)
    for f, field in enumerate(encoder._fitted().fields):
        found[field.blocks.codes(features) >= 0] = f
    return found
