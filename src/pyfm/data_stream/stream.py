"""`pyfm.DataStream`: rows of files, a piece at a time."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfm.atomic_file import check_destination
from pyfm.checks import check_bool, check_int, refuse
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.background import ahead
from pyfm.data_stream.cache import default_path, describe, open_cache, write_cache
from pyfm.data_stream.pieces import Pieces, Position, Reading, read_pieces
from pyfm.data_stream.sources import BINARY, Source
from pyfm.data_stream.tables import count_rows, encoded, open_tables
from pyfm.dataset.dataset import Dataset

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

WINDOW = 1 << 17


class DataStream:
    """Rows of files that need not fit into memory; made by `Dataset.stream`, which documents it.

    Iterating gives the rows in the order of the files, as Datasets of some 65,536 rows, the next of
    which is read in a thread meanwhile; the files are read anew each time.

    Attributes
    ----------
    files : tuple of str
        What is read, in that order.
    format : str
        "libffm", "libsvm", "csv", "parquet" or "binary".
    encoder : FieldEncoder or None
        Of tables; fitted by the first pass if it was not.

    Examples
    --------
    >>> import pyfm
    >>> stream = pyfm.Dataset.stream("train.ffm")
    >>> sum(len(data) for data in stream)
    300
    """

    def __init__(
        self,
        source: Any,
        *,
        format: str | None,
        encoder: FieldEncoder | None,
        fields: Any,
        csv_options: Mapping[str, Any] | None,
        cache: str | os.PathLike[str] | None,
        window: int,
        shuffle: bool,
        n_threads: int | None,
    ) -> None:
        self._source = Source.of(source, format)
        self.files, self.format = self._source.files, self._source.format
        self.encoder = self._given_encoder = _checked_encoder(encoder, self._source)
        if fields is not None and self.format != "libsvm":
            refuse("fields", f"None, since {self.format} has fields of its own", fields)
        if csv_options is not None and self.format != "csv":
            refuse("csv_options", f"None, since the files are {self.format}", csv_options)
        if n_threads is not None and operator.index(n_threads) < 1:
            refuse("n_threads", "a number >= 1, or None", n_threads)
        if cache is not None and not isinstance(cache, str | os.PathLike):
            refuse("cache", "the path of a file, or None", cache)
        self._fields, self._csv_options, self._n_threads = fields, csv_options, n_threads
        self._cache = None if cache is None else self._checked_cache(os.fsdecode(cache))
        self.window = check_int("window", window, 1)
        self.shuffle = check_bool("shuffle", shuffle)

    def __iter__(self) -> Generator[Dataset, None, None]:
        return ahead(self.pieces)

    def __repr__(self) -> str:
        n = len(self.files)
        return f"<DataStream: {n} file{'s' if n > 1 else ''} of {self.format}, {self.files[0]} …>"

    def encoded_by(self, encoder: FieldEncoder | None) -> DataStream:
        """Tables through a model's encoder in place of the stream's own, if there is one."""
        if encoder is None or not self._source.has_tables:
            return self
        other = copy(self)
        other.encoder = other._given_encoder = encoder
        return other

    def pieces(self, *, grows: bool = False) -> Iterator[Dataset]:
        """The rows in the order of the files; read by whoever asks for them.

        Parameters
        ----------
        grows : bool
            Whether a copy of the encoder learns each piece before it encodes it.
        """
        return (piece for piece, _ in self.read(grows=grows))

    def read(
        self,
        start: Position = Position(),  # noqa: B008  # immutable
        *,
        grows: bool = False,
        on_progress: Callable[[int], object] | None = None,
    ) -> Pieces:
        """The same from a position on, each piece with that of its end.

        Parameters
        ----------
        start : Position
        grows : bool
        on_progress : callable, optional
            Is told now and then how many bytes of files, of Parquet rows, were read since.
        """
        if not self._source.has_tables:
            reading = Reading(self._source, self._fields, self._n_threads, on_progress)
            return read_pieces(reading, start)
        encoder = self.encoder
        if encoder is None:
            refuse("encoder", "a FieldEncoder, which makes rows of tables", None)
        table = open_tables(self._source, self._csv_options, on_progress)
        if not grows and not encoder.__sklearn_is_fitted__():
            encoder = self.encoder = copy(encoder).fit(table)
        return encoded(table, encoder, grows=grows, start=start)

    def open(self) -> BlockReader:
        """The rows in a data file: the source itself, or the cache, which is written if need be.

        Where another process, or thread, writes the same one, this one waits for it.
        """
        if self._is_data_file:
            return BlockReader(self.files[0])
        wanted = self.description()
        path = default_path(self._source, wanted) if self._cache is None else self._cache
        reader = open_cache(path, wanted) or self._written(path)
        if self._source.has_tables:
            self.encoder = reader.encoder  # type: ignore[assignment]  # tables have no other
        return reader

    def _written(self, path: str) -> BlockReader:
        """The cache, once all files are read into it, by this process or another."""
        from pyfm.data_stream.claim import claimed, empty, remove  # for POSIX alone

        try:
            check_destination(path)
        except PermissionError as error:
            what = f"{error.strerror}: name a file for the cache that can be written, cache="
            raise PermissionError(error.errno, what, path) from error
        with claimed(os.path.realpath(path), "writing", waits=True) as folder:
            try:
                wanted = self.description()  # of the files as they are by now
                if (reader := open_cache(path, wanted)) is None:
                    empty(folder)
                    self._write(path, folder, wanted)
                    reader = BlockReader(path)
            finally:
                remove(folder)
        return reader

    def _write(self, path: str, folder: str, wanted: Mapping[str, Any]) -> None:
        self.encoder = self._given_encoder  # not what earlier contents of the files taught it
        pieces = self.pieces()  # which fits the encoder
        with contextlib.closing(ahead(lambda: pieces)) as found:
            rows = (piece.core for piece in found)
            write_cache(path, folder, wanted, self._source, rows, self.latest_encoder())

    @property
    def _is_data_file(self) -> bool:
        """Whether there is nothing to write."""
        return self.format == BINARY and len(self.files) == 1

    def _checked_cache(self, path: str) -> str:
        if self._is_data_file:
            refuse("cache", "None, since a data file alone needs none", path)
        real = os.path.realpath(path)
        for name in filter(os.path.isdir, self.files):
            if os.path.commonpath([real, folder := os.path.realpath(name)]) == folder:
                refuse("cache", f"a file outside of {name}, all of which is read", path)
        return path

    def total(self) -> tuple[int, str]:
        """How much `read` tells its `on_progress`, and the unit: bytes, or rows of Parquet."""
        n_passes = 1
        if self.encoder is not None and not self.encoder.__sklearn_is_fitted__():
            n_passes += 1 + bool(self.encoder.crosses)
        if self.format == "parquet":
            return n_passes * count_rows(self._source), "rows"
        return n_passes * sum(map(os.path.getsize, self.files)), "B"

    @property
    def source(self) -> Source:
        return self._source

    def latest_encoder(self) -> Any:
        """That of all rows: of tables, once it is fitted, or of data files."""
        return _latest_encoder(self.files) if self.format == BINARY else self.encoder

    def description(self) -> dict[str, Any]:
        """What the rows are made from: files as they are now, and how they are read."""
        return describe(self._source, self._fields, self._given_encoder, self._csv_options)


def _checked_encoder(encoder: Any, source: Source) -> FieldEncoder | None:
    if encoder is None:
        return None
    if not source.has_tables:
        refuse("encoder", f"None, since the files are {source.format}, not tables", encoder)
    from pyfm.encode import FieldEncoder

    if not isinstance(encoder, FieldEncoder):
        refuse("encoder", "a FieldEncoder, or None", encoder)
    return copy(encoder)


def _latest_encoder(paths: tuple[str, ...]) -> Any:
    """That of data files, of which each has one that grew from the one before, or none has any."""
    latest: Any = None
    for i, path in enumerate(paths):
        with BlockReader(path) as reader:
            found = reader.encoder
        if i == 0 or _is_extended(latest, found):
            latest = found
        elif not _is_extended(found, latest):
            raise ValueError(
                f"{path}: expected rows of the encoder of {paths[0]}, or of one that grew from it, "
                "found those of another: their ids mean something else"
            )
    return latest


def _is_extended(earlier: Any, later: Any) -> bool:
    if earlier is None or later is None:
        return earlier is later
    if type(earlier) is not type(later):
        return False
    if hasattr(later, "extends"):
        return bool(later.extends(earlier))
    pairs = zip(earlier.to_arrays(), later.to_arrays(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
