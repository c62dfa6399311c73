"""Writes a data file from the buffers as they lie in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.atomic_file import destination
from pyfm.data_file.layout import (
    DTYPES,
    ENCODER,
    FIELD_ENCODER,
    header,
    metadata_text,
    padding,
)
from pyfm.dataset.contents import pieces

if TYPE_CHECKING:
    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder

# Ctrl-C is heard between pieces.
_PIECE_BYTES = 16 << 20


def write(
    core: _core.Dataset, encoder: CriteoEncoder | FieldEncoder | None, path: str | os.PathLike[str]
) -> None:
    """What ``data.save(path)`` does, which documents it."""
    sections = {name: Section.of(partial(_buffer, core, name)) for name in _stored(core)}
    if encoder is not None:
        arrays = encoder_sections(encoder)
        sections |= {name: Section.of(partial(iter, [a])) for name, a in arrays.items()}
    if core.n_rows > sum(section.nbytes for section in sections.values()):
        raise ValueError(
            f"the data set cannot be saved: expected rows with something in them, found "
            f"{core.n_rows} without fields, targets and weights"
        )
    lengths = {name: section.length for name, section in sections.items()}
    checksums = {name: section.checksum for name, section in sections.items()}
    sizes = core.n_rows, core.n_features, core.n_fields
    with destination(os.fsdecode(path)) as file:
        file.write(header(metadata_text(sizes, lengths, checksums), lengths))
        for section in sections.values():
            for piece in section.pieces():
                content = piece.view(np.uint8)
                for start in range(0, len(content), _PIECE_BYTES):
                    file.write(content[start : start + _PIECE_BYTES].data)
            file.write(bytes(padding(section.nbytes)))


@dataclass(frozen=True)
class Section:
    """An array in pieces, which can be made more than once."""

    pieces: Callable[[], Iterator[NDArray[Any]]]
    length: int
    nbytes: int
    checksum: str

    @classmethod
    def of(cls, pieces: Callable[[], Iterator[NDArray[Any]]]) -> Section:
        length = nbytes = 0
        checksum = _core.Checksum()
        for piece in pieces():
            length, nbytes = length + len(piece), nbytes + piece.nbytes
            checksum.add(piece)
        return cls(pieces, length, nbytes, f"{checksum.value:016x}")


def _stored(core: _core.Dataset) -> list[str]:
    """Names of buffers; what is stored of entries is known by rows that have some."""
    for piece in pieces(core):
        names = list(piece)
        if len(piece["features"]):
            break
    return names


def _buffer(core: _core.Dataset, name: str) -> Iterator[NDArray[Any]]:
    for piece in pieces(core):
        if name in piece:
            yield piece[name].astype(DTYPES[name], copy=False)


def encoder_sections(encoder: CriteoEncoder | FieldEncoder) -> dict[str, NDArray[Any]]:
    """The arrays that an encoder is stored as, by section."""
    from pyfm.datasets import CriteoEncoder  # which imports the data sets
    from pyfm.encode import FieldEncoder

    if type(encoder) is FieldEncoder:
        from pyfm.encode.stored_bytes import to_bytes  # which imports pyarrow

        return dict(zip(FIELD_ENCODER, to_bytes(encoder), strict=True))
    if type(encoder) is not CriteoEncoder:
        raise ValueError(
            "encoder: expected a CriteoEncoder or a FieldEncoder, which a data file holds, or "
            f"None, found {type(encoder).__name__}"
        )
    arrays = dict(zip(ENCODER, encoder.to_arrays(), strict=True))
    return {name: array.astype(DTYPES[name], copy=False) for name, array in arrays.items()}
