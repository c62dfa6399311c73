"""Writes a data file from rows that come in pieces, in memory of a piece."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.atomic_file import check_destination, destination
from pyfm.data_file.layout import BUFFERS, DTYPES, header, metadata_text, padding
from pyfm.data_file.writer import encoder_sections
from pyfm.dataset.joining import Form, buffers, indptr

if TYPE_CHECKING:
    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder

_SIZES = ("n_rows", "nnz", "n_features", "n_fields")
_PIECE = 4 << 20  # of elements that are written at a time, at most


class Appender:
    """Sections grow in files of their own, in a folder beside `path`; `finish` joins them there.

    What is implied by all rows so far is not stored; once it no longer is, it is written for the
    rows before. The folder goes in the end, whatever happens, unless `keeps`: then another process
    can `restore` a `state` that this one left there.
    """

    def __init__(self, path: str, folder: str | None = None, *, keeps: bool = False) -> None:
        self._path = os.path.realpath(path)
        parent, name = os.path.split(self._path)
        own = os.path.join(parent, f".{name}.{secrets.token_hex(4)}.parts")
        self._folder, self._keeps = folder or own, keeps
        self._files: dict[str, IO[bytes]] = {}
        self._form: Form | None = None
        self.n_rows = self.nnz = self.n_features = self.n_fields = 0

    def __enter__(self) -> Appender:
        check_destination(self._path)
        os.makedirs(self._folder, exist_ok=self._keeps)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what cannot be flushed is not needed any more
                file.close()
        if not self._keeps:
            shutil.rmtree(self._folder, ignore_errors=True)

    def state(self) -> dict[str, Any]:
        """What has been written so far, which is on the disk by then; as JSON stores it."""
        with self._errors():
            for file in self._files.values():
                file.flush()
                os.fsync(file.fileno())
        lengths = {name: file.tell() for name, file in self._files.items()}
        form = None if self._form is None else vars(self._form)
        sizes = {name: getattr(self, name) for name in _SIZES}
        return {"lengths": lengths, "form": form, "sizes": sizes}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there; what was written later is cut off."""
        for name in BUFFERS:
            path, length = self._file(name), state["lengths"].get(name)
            if length is not None:
                os.truncate(path, length)
                self._files[name] = open(path, "ab")  # noqa: SIM115  # see __exit__
            elif os.path.exists(path):
                os.remove(path)
        self._form = None if state["form"] is None else Form(**state["form"])
        for name in _SIZES:
            setattr(self, name, state["sizes"][name])

    def add(self, rows: _core.Dataset) -> None:
        """Raises OSError with the path where it cannot be written."""
        if rows.n_rows == 0:
            return
        form = Form.of(rows)
        self._spell_out(form if self._form is None else self._form.with_rows_of(form))
        assert self._form is not None
        for name, array in buffers(rows, self._form).items():
            self._write(name, array)
        if self._form.n_per_row is None:
            offsets = indptr(rows)[1:] + self.nnz
            self._write("indptr", offsets)
        self.n_rows += rows.n_rows
        self.nnz += rows.nnz
        self.n_features = max(self.n_features, rows.n_features)
        self.n_fields = max(self.n_fields, rows.n_fields)

    def _spell_out(self, form: Form) -> None:
        """Takes on a form; what it stores in addition is written for the rows before."""
        before, self._form = self._form, form
        if form.n_per_row is None and (before is None or before.n_per_row is not None):
            width = 0 if before is None or before.n_per_row is None else before.n_per_row
            self._fill("indptr", self.n_rows + 1, lambda i: i * width)
        if before is None:
            return
        if form.has_fields and not before.has_fields:
            width = before.n_per_row or 1  # with offsets and no fields, all are in field 0
            self._fill("fields", self.nnz, lambda i: i % width)
        if form.has_values and not before.has_values:
            self._fill("values", self.nnz, np.ones_like)
        if form.has_weight and not before.has_weight:
            self._fill("weight", self.n_rows, np.ones_like)

    def _fill(self, name: str, n: int, of: Any) -> None:
        for start in range(0, n, _PIECE):
            self._write(name, of(np.arange(start, min(start + _PIECE, n), dtype=np.int64)))

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _write(self, name: str, array: NDArray[Any]) -> None:
        with self._errors():
            if name not in self._files:
                self._files[name] = open(self._file(name), "ab")  # noqa: SIM115  # see __exit__
            content = np.ascontiguousarray(array, DTYPES[name])
            for start in range(0, len(content), _PIECE):
                self._files[name].write(content[start : start + _PIECE].data)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors name the file that is to be made."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    def finish(
        self,
        encoder: CriteoEncoder | FieldEncoder | None,
        source: dict[str, Any] | None = None,
    ) -> None:
        """Writes the file, whole or not at all; `source` says what it was made from."""
        with self._errors():
            for file in self._files.values():
                file.close()
        others = {} if encoder is None else encoder_sections(encoder)
        lengths = {
            name: os.path.getsize(self._file(name)) // np.dtype(DTYPES[name]).itemsize
            for name in BUFFERS
            if name in self._files
        }
        lengths.setdefault("features", 0)
        lengths |= {name: len(array) for name, array in others.items()}
        sums = dict.fromkeys(lengths, "0" * 16)
        sizes = self.n_rows, self.n_features, self.n_fields
        with destination(self._path, self._file("whole")) as file:
            # Checksums are known when all is written, and take the place of the zeros.
            start = header(metadata_text(sizes, lengths, sums, source), lengths)
            file.write(start)
            for name in lengths:
                array = others.get(name)
                sums[name] = self._copy(name, file) if array is None else _put(array, file)
            text = header(metadata_text(sizes, lengths, sums, source), lengths)
            assert len(text) == len(start)
            file.seek(0)
            file.write(text)

    def _copy(self, name: str, to: IO[bytes]) -> str:
        """Moves a section to its place; the file that it was in goes."""
        checksum, size = _core.Checksum(), 0
        if name in self._files:
            with open(self._file(name), "rb") as file:
                while block := file.read(_PIECE):
                    checksum.add(block)
                    to.write(block)
                    size += len(block)
            if not self._keeps:
                os.remove(self._file(name))
        to.write(bytes(padding(size)))
        return f"{checksum.value:016x}"


def _put(array: NDArray[Any], to: IO[bytes]) -> str:
    checksum = _core.Checksum()
    checksum.add(array)
    to.write(array.data)
    to.write(bytes(padding(array.nbytes)))
    return f"{checksum.value:016x}"
