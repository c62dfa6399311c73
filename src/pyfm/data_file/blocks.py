"""Some rows of a data file at a time, in memory of their own: the file is never mapped.

What is read counts against the process only while it is used, also where address space is limited.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_file.layout import BUFFERS, DTYPES, ENCODER, FIELD_ENCODER, MAX_HEADER_BYTES
from pyfm.data_file.reader import (
    Place,
    check_regular,
    check_sum,
    errors_of,
    native,
    read_encoder,
    read_header,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder

_PIECE_BYTES = 4 << 20


class FileState(NamedTuple):
    """What the system says of a file; it changes when the file does."""

    size: int
    modified: int  # in nanoseconds

    @classmethod
    def of(cls, file: int | str) -> FileState:
        status = os.stat(file)
        return cls(status.st_size, status.st_mtime_ns)


class BlockReader:
    """An open data file. Rows are checked as they are read, as those of all data sets."""

    def __init__(self, path: str) -> None:
        check_regular(path)
        self.path = path
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            self._state = FileState.of(self._file)
            with errors_of(path):
                start = self._bytes(0, min(self._state.size, MAX_HEADER_BYTES + 4096))
                self.metadata, self._places = read_header(start, self._state.size)
                self._check_lengths()
                self.encoder = self._read_encoder()
        except BaseException:
            self.close()
            raise
        self.n_rows: int = self.metadata["n_rows"]
        self.n_features: int = self.metadata["n_features"]
        self.n_fields: int = self.metadata["n_fields"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        if "_file" in vars(self):
            self.close()

    @property
    def nnz(self) -> int:
        return self._places["features"].length

    @property
    def has_y(self) -> bool:
        return self.holds("y")

    def holds(self, name: str) -> bool:
        """Whether a section of this name is stored, and not implied or absent."""
        return name in self._places

    @property
    def has_weight(self) -> bool:
        return "weight" in self._places

    @property
    def nbytes(self) -> int:
        return self._state.size

    @property
    def checksum(self) -> int:
        """Of all that it holds: 63 bits over the checksums of its sections."""
        sums = [place.checksum for name, place in self._places.items() if name in BUFFERS]
        sizes = [self.n_rows, self.n_features, self.n_fields]
        return _core.checksum(repr((sums, sizes)).encode()) >> 1

    def check_unchanged(self) -> None:
        """Raises ValueError where the file was changed in place; another in its place is none."""
        if FileState.of(self._file) != self._state:
            raise ValueError(
                f"{self.path}: expected the file that was opened, found that it was changed "
                "meanwhile: what was learned of it belongs to no one file; start again"
            )

    def read(self, start: int, stop: int) -> _core.Dataset:
        """Rows [start, stop)."""
        with errors_of(self.path):
            return self._dataset(start, stop, self._section)

    def column(self, name: str, n: int) -> Iterator[NDArray[np.float32]]:
        """Of "y" or "weight", n numbers at a time; nothing where it is not stored.

        In the end the checksum is compared.
        """
        if name not in self._places:
            return
        checksum = _core.Checksum()
        for start in range(0, self.n_rows, n):
            piece = self._section(name, start, min(start + n, self.n_rows))
            checksum.add(np.asarray(piece, DTYPES[name]))
            yield piece
        with errors_of(self.path):
            check_sum(name, self._places[name].checksum, f"{checksum.value:016x}")

    def verified(self, n: int) -> Iterator[_core.Dataset]:
        """All rows in their order, n at a time; in the end the checksums are compared."""
        sums = {name: _core.Checksum() for name in BUFFERS if name in self._places}

        def section(name: str, start: int, stop: int) -> NDArray[Any]:
            array = self._section(name, start, stop)
            is_shared = name == "indptr" and start > 0  # the end of the piece before
            sums[name].add(np.asarray(array[is_shared:], DTYPES[name]))
            return array

        for start in range(0, self.n_rows, n):
            with errors_of(self.path):
                rows = self._dataset(start, min(start + n, self.n_rows), section)
            yield rows
        with errors_of(self.path):
            for name, found in sums.items() if self.n_rows else ():
                check_sum(name, self._places[name].checksum, f"{found.value:016x}")

    def _dataset(
        self, start: int, stop: int, section: Callable[[str, int, int], NDArray[Any]]
    ) -> _core.Dataset:
        found: dict[str, Any] = dict.fromkeys(BUFFERS)
        if "indptr" in self._places:
            offsets = section("indptr", start, stop + 1)
            first, last = int(offsets[0]), int(offsets[-1])
            if not 0 <= first <= last <= self.nnz:
                found_text = f"{first} and {last}"
                refuse(f"indptr of row {start}", f"offsets in [0, {self.nnz}]", found_text)
            found["indptr"] = offsets - first if first else offsets
        else:
            first, last = start * self.n_fields, stop * self.n_fields
        for name in ("features", "fields", "values"):
            if name in self._places:
                found[name] = section(name, first, last)
        for name in ("y", "weight"):
            if name in self._places:
                found[name] = section(name, start, stop)
        return _core.Dataset(
            **found, n_rows=stop - start, n_features=self.n_features, n_fields=self.n_fields
        )

    def _check_lengths(self) -> None:
        n_rows, n_fields = self.metadata["n_rows"], self.metadata["n_fields"]
        nnz = self.nnz
        wanted = {"indptr": n_rows + 1, "fields": nnz, "values": nnz, "y": n_rows, "weight": n_rows}
        if "indptr" not in self._places:
            wanted["features"] = n_rows * n_fields
        for name, length in wanted.items():
            if name in self._places and self._places[name].length != length:
                refuse(f"{name}: length", str(length), self._places[name].length)

    def _read_encoder(self) -> CriteoEncoder | FieldEncoder | None:
        names = [name for name in (*ENCODER, *FIELD_ENCODER) if name in self._places]
        arrays: dict[str, NDArray[Any]] = {}
        for name in names:
            place: Place = self._places[name]
            arrays[name] = self._section(name, 0, place.length)
            sum_found = f"{_core.checksum(np.asarray(arrays[name], DTYPES[name])):016x}"
            check_sum(name, place.checksum, sum_found)
        return read_encoder(arrays)

    def _section(self, name: str, start: int, stop: int) -> NDArray[Any]:
        dtype = np.dtype(DTYPES[name])
        begin = self._places[name].begin + start * dtype.itemsize
        return native(self._bytes(begin, (stop - start) * dtype.itemsize).view(dtype))

    def _bytes(self, begin: int, size: int) -> NDArray[np.uint8]:
        content = np.empty(size, np.uint8)
        done = 0
        while done < size:
            piece = content[done : done + _PIECE_BYTES].data
            got = os.preadv(self._file, [piece], begin + done)
            if got == 0:
                raise _core.FormatError(
                    f"{self.path}: expected {begin + size} bytes, found {begin + done}: the file "
                    "was cut"
                )
            done += got
        return content
