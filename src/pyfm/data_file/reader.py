"""Maps a data file; nothing in it is believed before it is checked."""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import reprlib
import stat
from collections.abc import Iterator
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


class Place(NamedTuple):
    """Where a section lies."""

    begin: int
    end: int  # of the zeros that follow it
    length: int
    checksum: str


class _Section(NamedTuple):
    content: Bytes  # with the zeros that follow
    length: int
    checksum: str

    def array(self, name: str) -> NDArray[Any]:
        return native(self.content[: section_bytes(name, self.length)].view(DTYPES[name]))


def read(
    path: str | os.PathLike[str], *, verify: bool
) -> tuple[_core.Dataset, CriteoEncoder | FieldEncoder | None]:
    """What ``Dataset.open`` does, which documents it."""
    name = os.fsdecode(path)
    file = _map(name)
    with errors_of(name):
        metadata, places = read_header(file, len(file))
        sections = {
            section: _Section(file[place.begin : place.end], place.length, place.checksum)
            for section, place in places.items()
        }
        if verify:
            _verify(sections)
        arrays = {section: found.array(section) for section, found in sections.items()}
        return _dataset(metadata, arrays), read_encoder(arrays)


@contextlib.contextmanager
def errors_of(path: str) -> Iterator[None]:
    """What is wrong with a file becomes a FormatError that names it."""
    try:
        yield
    except ValueError as error:
        raise _core.FormatError(f"{path}: {error}") from error
    except RecursionError as error:
        raise _core.FormatError(f"{path}: header: nested too deeply") from error


def native(array: NDArray[Any]) -> NDArray[Any]:
    """In the byte order of this machine."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_regular(path: str) -> None:
    """Raises OSError for what opening would wait for."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for a writer
        raise OSError(errno.ENODEV, "expected a file, found a pipe or device", path)


def _map(path: str) -> Bytes:
    """The bytes of a file, read-only; the array keeps the mapping alive."""
    check_regular(path)
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:  # which cannot be mapped
            return np.empty(0, np.uint8)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def read_header(file: Bytes, file_size: int) -> tuple[dict[str, Any], dict[str, Place]]:
    """The metadata, and where the sections lie; `file` holds the header, and maybe more."""
    metadata = _metadata(file, file_size)
    sizes = {"n_rows": file_size, "n_features": 1 << 32, "n_fields": 1 << 16}
    for name, most in sizes.items():
        check_int(f"metadata: {name}", metadata.get(name), 0, most)
    return metadata, _places(file, file_size, metadata)


def _metadata(file: Bytes, file_size: int) -> dict[str, Any]:
    start = file[: 8 + len(MAGIC)].tobytes()
    if start[8:] != MAGIC:
        found = start[8:] or "the end of the file"
        raise ValueError(
            f"expected a data file of pyfm, with {MAGIC!r} from byte 8 on, found {found!r}"
        )
    size = int.from_bytes(start[:8], "little")
    check_int("header: size", size, len(MAGIC), min(MAX_HEADER_BYTES, file_size - 8))
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


def _places(file: Bytes, file_size: int, metadata: dict[str, Any]) -> dict[str, Place]:
    """Finds each section where the header puts it, if that is the header which belongs there."""
    lengths, checksums = {}, {}
    for name, entry in _typed("metadata: sections", metadata.get("sections"), dict).items():
        if name not in DTYPES:
            refuse("metadata: sections", f"names among {', '.join(DTYPES)}", name)
        if not isinstance(entry, list) or len(entry) != 2:
            refuse(f"metadata: sections.{name}", "a length and a checksum", type(entry).__name__)
        lengths[name] = check_int(f"{name}: length", entry[0], 0, file_size)
        checksums[name] = _typed(f"{name}: checksum", entry[1], str)
    expected = header(metadata["text"], lengths)
    if file[: len(expected)].tobytes() != expected:
        raise ValueError("header: expected what follows from its metadata, found a damaged one")
    if "features" not in lengths:
        refuse("metadata: sections", "'features' among them", sorted(lengths))
    places, begin = {}, len(expected)
    for name, length in lengths.items():
        size = section_bytes(name, length)
        end = begin + size + padding(size)
        places[name] = Place(begin, end, length, checksums[name])
        begin = end
    if begin != file_size:
        raise ValueError(f"expected {begin} bytes, as the header says, found {file_size}")
    return places


def _verify(sections: dict[str, _Section]) -> None:
    for name, section in sections.items():
        check_sum(name, section.checksum, checksum_text(section.content))


def check_sum(name: str, expected: str, found: str) -> None:
    """Raises ValueError where a section is not what was written."""
    if found != expected:
        raise ValueError(
            f"{name}: expected the checksum {expected!r}, found {found!r}: the file is damaged"
        )


def _dataset(metadata: dict[str, Any], sections: dict[str, NDArray[Any]]) -> _core.Dataset:
    buffers: dict[str, Any] = {name: sections.get(name) for name in BUFFERS}
    sizes = {name: metadata[name] for name in ("n_rows", "n_features", "n_fields")}
    return _core.Dataset(**buffers, **sizes)


def read_encoder(sections: dict[str, NDArray[Any]]) -> CriteoEncoder | FieldEncoder | None:
    """That of the sections, if there is one."""
    names = (*ENCODER, *FIELD_ENCODER)
    present = tuple(name for name in names if name in sections)
    if not present:
        return None
    arrays = [sections[name] for name in present]
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
