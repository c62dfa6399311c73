"""What a stream is made of: names, lists of them, patterns and folders as a list of files."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyfm._core import FormatError
from pyfm.checks import check_choice, refuse
from pyfm.data_file import is_data_file

TEXT, TABLES, BINARY = ("libffm", "libsvm"), ("csv", "parquet"), "binary"
FORMATS = (*TEXT, *TABLES, BINARY)

_ENDINGS = {
    ".ffm": "libffm",
    ".libffm": "libffm",
    ".svm": "libsvm",
    ".libsvm": "libsvm",
    ".svmlight": "libsvm",
    ".csv": "csv",
    ".parquet": "parquet",
}
_COMPRESSED = (".gz", ".xz", ".zst")

CACHE_ENDING = ".pyfm-cache"  # of what streams write beside their files


@dataclass(frozen=True)
class Source:
    """Files in the order in which they are read, all of one format."""

    files: tuple[str, ...]  # a folder of Parquet files, whose names say more, is one
    format: str

    @property
    def has_tables(self) -> bool:
        return self.format in TABLES

    @classmethod
    def of(cls, given: Any, data_format: str | None) -> Source:
        """What `Dataset.stream` was given.

        Raises
        ------
        FileNotFoundError
            For a name that does not exist, and a pattern that matches nothing.
        ValueError
            For anything but names, and files of several or unknown formats.
        """
        if data_format is not None:
            check_choice("format", data_format, FORMATS)
        files = tuple(name for one in _listed(given) for name in _found(one))
        if len(set(files)) < len(files):
            twice = next(name for name in files if files.count(name) > 1)
            refuse("source", "different files", f"{twice} twice")
        formats = {name: _format(name, data_format) for name in files}
        first = formats[files[0]]
        for name, found in formats.items():
            if found != first:
                refuse("source", f"files of one format, {first} as {files[0]}", f"{name}: {found}")
        return cls(files, first)


def _listed(given: Any) -> list[str]:
    if isinstance(given, str | os.PathLike):
        return [os.fsdecode(given)]
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        refuse("source", "a path, a pattern such as 'logs/*.csv', or a list of them", given)
    names = list(given)
    for name in names:
        if not isinstance(name, str | os.PathLike):
            refuse("source", "paths and patterns", name)
    if not names:
        refuse("source", "at least one path", names)
    return [os.fsdecode(name) for name in names]


def _found(name: str) -> list[str]:
    """The files of a pattern, in the order of their names, or the one that has this name.

    Caches belong to the pattern only if it says their ending.
    """
    if os.path.exists(name) or not glob.has_magic(name):
        os.stat(name)  # an OSError of Python's own, with the name
        return [name]
    found = sorted(glob.glob(name, recursive=True))
    if not name.endswith(CACHE_ENDING):
        found = [path for path in found if not path.endswith(CACHE_ENDING)]
    if not found:
        raise FileNotFoundError(errno.ENOENT, "expected files that match, found none", name)
    return found


def _format(name: str, given: str | None) -> str:
    if os.path.isdir(name):
        return _folder_format(name, given)
    if not os.path.isfile(name):
        raise OSError(errno.ENODEV, "expected a file, found a pipe or device", name)
    if is_data_file(name):
        if given not in (None, BINARY):
            refuse("format", f"'{BINARY}' or None, since {name} is a data file of pyfm", given)
        return BINARY
    if given == BINARY:
        raise FormatError(f"{name}: expected a data file of pyfm, found another or a damaged one")
    if given is not None:
        return given
    stem = name
    for ending in _COMPRESSED:
        stem = stem.removesuffix(ending)
    ending = os.path.splitext(stem)[1].lower()
    if ending not in _ENDINGS:
        known = ", ".join(_ENDINGS)
        raise ValueError(
            f"{name}: expected a name that ends in one of {known}, found {ending or 'no ending'!r}:"
            f" say format= (one of {', '.join(FORMATS)})"
        )
    return _ENDINGS[ending]


def _folder_format(name: str, given: str | None) -> str:
    """Folders are those of Parquet files, as Spark writes them."""
    found = glob.glob(os.path.join(glob.escape(name), "**", "*.parquet"), recursive=True)
    if given not in (None, "parquet") or not found:
        raise IsADirectoryError(
            errno.EISDIR,
            "expected a file, or a folder of Parquet files; for others name the files, as in "
            "'folder/*.csv'",
            name,
        )
    return "parquet"


def data_files(source: Source) -> list[str]:
    """All files that are read: also those in folders."""
    files: list[str] = []
    for name in source.files:
        if os.path.isdir(name):
            inside = glob.glob(os.path.join(glob.escape(name), "**", "*"), recursive=True)
            files += sorted(path for path in inside if os.path.isfile(path))
        else:
            files.append(name)
    return files
