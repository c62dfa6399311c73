"""What a data file is made of.

A safetensors file, little-endian, of one-dimensional tensors, which are the sections:

- ``indptr`` int64, ``features`` uint32, ``fields`` uint16, ``values``, ``y`` and ``weight``
  float32: the buffers of the data set; those that are implied are absent (see data/dataset.h);
- ``encoder.tokens`` and ``encoder.sizes``, int64: the encoder, where the data set has that of
  Criteo logs;
- ``encoder.json`` and ``encoder.tensors``, uint8: the encoder of tables, where it has that one; see
  `pyfm.encode.stored_bytes`.

Each section starts at a multiple of 64 bytes; what the one before leaves up to there are zeros, a
tensor of uint8, since the format allows no gaps. The metadata entry ``pyfm_dataset``, at the start
of the header, is a JSON object:

- ``format_version``, ``library_version``, ``n_rows``, ``n_features``, ``n_fields``;
- ``sections``: for each, in their order, its length and its checksum (base/checksum.h);
- ``source``, of files that a stream wrote: what they were made from (data_stream/cache.py).

All of the header follows from that entry. So it is checked by writing it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pyfm
from pyfm import _core

FORMAT_VERSION = 1
METADATA_KEY = "pyfm_dataset"
ALIGNMENT = 64
MAX_HEADER_BYTES = 1 << 20

# From byte 8 on, after the size of the header.
MAGIC = b'{"__metadata__":{"' + METADATA_KEY.encode() + b'":'

BUFFERS = {
    "indptr": "<i8",
    "features": "<u4",
    "fields": "<u2",
    "values": "<f4",
    "y": "<f4",
    "weight": "<f4",
}
ENCODER = {"encoder.tokens": "<i8", "encoder.sizes": "<i8"}
FIELD_ENCODER = {"encoder.json": "|u1", "encoder.tensors": "|u1"}
DTYPES = BUFFERS | ENCODER | FIELD_ENCODER

_SAFETENSORS_DTYPES = {"<i8": "I64", "<u4": "U32", "<u2": "U16", "<f4": "F32", "|u1": "U8"}


def section_bytes(name: str, length: int) -> int:
    return length * int(DTYPES[name][2:])


def padding(n_bytes: int) -> int:
    """Zeros that follow so many bytes."""
    return -n_bytes % ALIGNMENT


def checksum_text(block: Any) -> str:
    return f"{_core.checksum(block):016x}"


def metadata_text(
    sizes: tuple[int, int, int],
    lengths: Mapping[str, int],
    checksums: Mapping[str, str],
    source: Mapping[str, Any] | None = None,
) -> str:
    """The metadata entry; sizes are n_rows, n_features and n_fields."""
    entry: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "library_version": pyfm.__version__,
        **dict(zip(("n_rows", "n_features", "n_fields"), sizes, strict=True)),
        "sections": {name: [length, checksums[name]] for name, length in lengths.items()},
    }
    return json.dumps(entry if source is None else entry | {"source": source})


def header(metadata: str, lengths: Mapping[str, int]) -> bytes:
    """Everything before the first section, for sections of these lengths."""
    checksum = checksum_text(metadata.encode())
    entries: dict[str, Any] = {"__metadata__": {METADATA_KEY: metadata, "checksum": checksum}}
    offset = 0
    for name, length in lengths.items():
        size = section_bytes(name, length)
        dtype = _SAFETENSORS_DTYPES[DTYPES[name]]
        entries[name] = _tensor(dtype, length, offset, offset + size)
        offset += size
        if zeros := padding(size):
            entries[f"{name}.padding"] = _tensor("U8", zeros, offset, offset + zeros)
            offset += zeros
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * padding(8 + len(text))
    return len(text).to_bytes(8, "little") + text


def _tensor(dtype: str, length: int, begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [length], "data_offsets": [begin, end]}


def is_data_file(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as data files do; pipes, which are read only once, never do."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(8 + len(MAGIC))[8:] == MAGIC
