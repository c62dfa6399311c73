"""Maps a data file; nothing in it is believed before it is checked."""

from __future__ import annotations

import errno
import json
import mmap
import os
import reprlib
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import check_int, refuse
from pyfm.data_file.layout import (
    BUFFERS,
    DTYPES,
    ENCODER,
    FIELD_ENCODER,
    FORMAT_VERSION,
    MAGIC,
    MAX_HEADER_BYTES,
    METADATA_KEY,
    checksum_text,
    header,
    padding,
    section_bytes,
)

if TYPE_CHECKING:
    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder

Bytes = NDArray[np.uint8]


class _Section(NamedTuple):
    content: Bytes  # with the zeros that follow
    length: int
    checksum: str

    def array(self, name: str) -> NDArray[Any]:
        content = self.content[: section_bytes(name, self.length)].view(DTYPES[name])
        return content.astype(content.dtype.newbyteorder("="), copy=False)


def read(
    path: str | os.PathLike[str], *, verify: bool
) -> tuple[_core.Dataset, CriteoEncoder | FieldEncoder | None]:
    """What ``Dataset.open`` does, which documents it."""
    name = os.fsdecode(path)
    file = _map(name)
    try:
        metadata = _metadata(file)
        sections = _sections(file, metadata)
        if verify:
            _verify(sections)
        return _dataset(metadata, sections, len(file)), _encoder(sections)
    except ValueError as error:
        raise _core.FormatError(f"{name}: {error}") from error
    except RecursionError as error:
        raise _core.FormatError(f"{name}: header: nested too deeply") from error


def _map(path: str) -> Bytes:
    """The bytes of a file, read-only; the array keeps the mapping alive."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for a writer
        raise OSError(errno.ENODEV, "expected a file, found a pipe or device", path)
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:  # which cannot be mapped
            return np.empty(0, np.uint8)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def _metadata(file: Bytes) -> dict[str, Any]:
    start = file[: 8 + len(MAGIC)].tobytes()
    if start[8:] != MAGIC:
        found = start[8:] or "the end of the file"
        raise ValueError(
            f"expected a data file of pyfm, with {MAGIC!r} from byte 8 on, found {found!r}"
        )
    size = int.from_bytes(start[:8], "little")
    check_int("header: size", size, len(MAGIC), min(MAX_HEADER_BYTES, len(file) - 8))
    header_entries = json.loads(file[8 : 8 + size].tobytes())
    entries = _typed("header: metadata", header_entries["__metadata__"], dict)
    text = _typed(f"header: metadata: {METADATA_KEY}", entries.get(METADATA_KEY), str)
    metadata: dict[str, Any] = _typed("metadata", json.loads(text), dict)
    version = check_int("metadata: format_version", metadata.get("format_version"), 1)
    if version != FORMAT_VERSION:
        library = reprlib.repr(metadata.get("library_version"))
        raise ValueError(
            f"metadata: expected format version {FORMAT_VERSION}, found {version}, written by "
            f"pyfm {library}: use a pyfm that reads it"
        )
    return metadata | {"text": text}


def _sections(file: Bytes, metadata: dict[str, Any]) -> dict[str, _Section]:
    """Finds each section where the header puts it, if that is the header which belongs there."""
    lengths, checksums = {}, {}
    for name, entry in _typed("metadata: sections", metadata.get("sections"), dict).items():
        if name not in DTYPES:
            refuse("metadata: sections", f"names among {', '.join(DTYPES)}", name)
        if not isinstance(entry, list) or len(entry) != 2:
            refuse(f"metadata: sections.{name}", "a length and a checksum", type(entry).__name__)
        lengths[name] = check_int(f"{name}: length", entry[0], 0, len(file))
        checksums[name] = _typed(f"{name}: checksum", entry[1], str)
    expected = header(metadata["text"], lengths)
    if file[: len(expected)].tobytes() != expected:
        raise ValueError("header: expected what follows from its metadata, found a damaged one")
    sections, begin = {}, len(expected)
    for name, length in lengths.items():
        size = section_bytes(name, length)
        end = begin + size + padding(size)
        sections[name] = _Section(file[begin:end], length, checksums[name])
        begin = end
    if begin != len(file):
        raise ValueError(f"expected {begin} bytes, as the header says, found {len(file)}")
    return sections


def _verify(sections: dict[str, _Section]) -> None:
    for name, section in sections.items():
        found = checksum_text(section.content)
        if found != section.checksum:
            raise ValueError(
                f"{name}: expected the checksum {section.checksum!r}, found {found!r}: the file "
                "is damaged"
            )


def _dataset(metadata: dict[str, Any], sections: dict[str, _Section], size: int) -> _core.Dataset:
    if "features" not in sections:
        refuse("metadata: sections", "'features' among them", sorted(sections))
    buffers: dict[str, Any] = {
        name: sections[name].array(name) if name in sections else None for name in BUFFERS
    }
    return _core.Dataset(
        **buffers,
        n_rows=check_int("metadata: n_rows", metadata.get("n_rows"), 0, size),
        n_features=check_int("metadata: n_features", metadata.get("n_features"), 0, 1 << 32),
        n_fields=check_int("metadata: n_fields", metadata.get("n_fields"), 0, 1 << 16),
    )


def _encoder(sections: dict[str, _Section]) -> CriteoEncoder | FieldEncoder | None:
    names = (*ENCODER, *FIELD_ENCODER)
    present = tuple(name for name in names if name in sections)
    if not present:
        return None
    arrays = [sections[name].array(name) for name in present]
    if present == tuple(ENCODER):
        from pyfm.datasets import CriteoEncoder  # which imports the data sets

        return CriteoEncoder.from_arrays(*arrays)
    if present != tuple(FIELD_ENCODER):
        expected = f"both of {', '.join(ENCODER)} or of {', '.join(FIELD_ENCODER)}"
        refuse("metadata: sections", expected, list(present))
    from pyfm.encode.stored_bytes import from_bytes  # which imports pyarrow

    return from_bytes(*arrays)


def _typed(name: str, value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        refuse(name, expected.__name__, type(value).__name__)
    return value
