"""The data file that a stream's first pass writes, and whether one is still that of its files.

Its metadata entry ``source`` says what it was made from: the files' fingerprints, how they were
read, and the formats of the file and of that entry.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_file import is_data_file
from pyfm.data_file.appending import Appender
from pyfm.data_file.blocks import BlockReader
from pyfm.data_file.layout import FORMAT_VERSION
from pyfm.data_stream.fingerprint import fingerprint
from pyfm.data_stream.sources import CACHE_ENDING, Source, data_files

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

_VERSION = 1


def describe(
    source: Source,
    fields: Any,
    encoder: FieldEncoder | None,
    csv_options: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What a cache is made from, as its metadata hold it."""
    return {
        "version": _VERSION,
        "format_version": FORMAT_VERSION,
        "format": source.format,
        "fields": fields if fields is None or isinstance(fields, str) else _sum(np.asarray(fields)),
        "encoder": None if encoder is None else _encoder_sum(encoder),
        "csv_options": _text_sum(repr(sorted((csv_options or {}).items()))),
        "files": [fingerprint(path) for path in data_files(source)],
    }


def default_path(source: Source, wanted: Mapping[str, Any]) -> str:
    """Beside the first file; one for each way to read the same files."""
    names = [file["name"] for file in wanted["files"]]
    name = _text_sum(repr((_how(wanted), names)))[:8]
    return f"{source.files[0].rstrip(os.sep)}.{name}{CACHE_ENDING}"


def open_cache(path: str, wanted: Mapping[str, Any]) -> BlockReader | None:
    """The cache, if there is one which is that of the files as they are now.

    Raises
    ------
    FormatError
        For one that is damaged.
    ValueError
        For a file that is none, and for a cache of other files, or of other parameters.
    """
    if not os.path.exists(path):
        return None
    if not is_data_file(path):
        refuse("cache", "the name of a stream's cache, or a new one", f"{path}, another file")
    reader = BlockReader(path)
    found = reader.metadata.get("source")
    if found == wanted:
        return reader
    reader.close()
    if not isinstance(found, dict) or not isinstance(found.get("files"), list):
        refuse("cache", "the name of a stream's cache, or a new one", f"{path}, a saved data set")
    names, wanted_names = ([file["name"] for file in one["files"]] for one in (found, wanted))
    if names != wanted_names:
        raise ValueError(
            f"cache: expected one of {_listed(wanted_names)}, found that {path} belongs to "
            f"{_listed(names)}: give another name, or delete it"
        )
    if _how(found) != _how(wanted):
        differ = [name for name, value in _how(wanted).items() if found.get(name) != value]
        raise ValueError(
            f"cache: expected one that was made with the same parameters, found that {path} was "
            f"made with another {', '.join(differ)}: give another name, or delete it"
        )
    return None  # the files have changed: another takes its place


def write_cache(
    path: str,
    folder: str,
    wanted: Mapping[str, Any],
    source: Source,
    pieces: Iterator[_core.Dataset],
    encoder: FieldEncoder | None,
) -> None:
    """All pieces, whole or not at all; what is not yet complete is in the folder.

    Raises
    ------
    ValueError
        Where one of the files changed meanwhile.
    OSError
        With `path`, where it cannot be written.
    """
    with Appender(path, os.path.join(folder, "sections")) as rows:
        for piece in pieces:
            rows.add(piece)
        check_unchanged(wanted, source)
        rows.finish(encoder, dict(wanted))


def check_unchanged(wanted: Mapping[str, Any], source: Source) -> None:
    """Raises ValueError that names a file which is not what it was."""
    now = [fingerprint(file) for file in data_files(source)]
    for before in wanted["files"]:
        if before not in now:
            raise ValueError(
                f"{before['name']}: expected a file that stays as it is while it is read, found "
                "that it changed: start again"
            )


def _how(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "files"}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} files, {names[0]} the first"


def _encoder_sum(encoder: FieldEncoder) -> str:
    if not encoder.__sklearn_is_fitted__():  # the files fit it
        return _text_sum(repr(sorted(encoder.get_params(deep=False).items())))
    from pyfm.encode.stored_bytes import to_bytes

    return "-".join(map(_sum, to_bytes(encoder)))


def _text_sum(text: str) -> str:
    return f"{_core.checksum(text.encode()):016x}"


def _sum(array: np.ndarray[Any, Any]) -> str:
    text = f"{array.dtype.str} {array.shape} {sys.byteorder}"
    return _text_sum(f"{text} {_core.checksum(np.ascontiguousarray(array))}")
