"""Files into one of another format, in bounded memory; what was killed goes on where it was.

A folder beside the new file, `.NAME.convert`, holds what was written so far and a journal: what is
converted, how far it has come, and the encoder that was fitted on the way. It goes in the end, and
after an error; it stays after Ctrl-C and whatever else ends the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

from pyfm import _core
from pyfm.atomic_file import check_destination, destination
from pyfm.checks import refuse
from pyfm.data_file.appending import Appender
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.background import ahead
from pyfm.data_stream.cache import check_unchanged
from pyfm.data_stream.claim import claimed, empty, remove
from pyfm.data_stream.pieces import Position
from pyfm.data_stream.sources import data_files
from pyfm.data_stream.stream import DataStream
from pyfm.data_stream.table_file import TableFile
from pyfm.dataset.dataset import Dataset

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

Target = Literal["libffm", "libsvm", "csv", "parquet", "binary"]

_SECONDS = 1.0  # between two entries of the journal


class _Sink(Protocol):
    """Where rows go."""

    def __enter__(self) -> _Sink: ...
    def __exit__(self, *_: Any) -> None: ...
    def add(self, rows: _core.Dataset) -> None: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...
    def finish(self, encoder: Any) -> None: ...


class _Text:
    """Lines of text."""

    def __init__(self, path: str, folder: str, text_format: Any) -> None:
        self._path, self._format = path, text_format
        self._name = os.path.join(folder, "text")
        self._file: IO[bytes] = open(self._name, "ab")  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> _Text:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, rows: _core.Dataset) -> None:
        if rows.y is None:
            refuse("source", "rows with targets, since lines of text begin with them", "none")
        if rows.weight is not None:
            refuse("source", "rows without weights, which text has no place for", "weights")
        self._write(_core.format_rows(rows, self._format))

    def _write(self, text: bytes) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    def state(self) -> dict[str, Any]:
        os.fsync(self._file.fileno())
        return {"length": self._file.tell()}

    def restore(self, state: dict[str, Any]) -> None:
        os.truncate(self._name, state["length"])

    def finish(self, encoder: Any) -> None:
        os.fsync(self._file.fileno())
        os.replace(self._name, self._path)


def convert(
    stream: DataStream,
    path: str,
    to: Target,
    *,
    decoder: FieldEncoder | None = None,
    delimiter: str = ",",
    on_start: Callable[[int, int, str], object] | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> int:
    """Writes all rows to one file, whole or not at all; returns their number.

    Parameters
    ----------
    stream : DataStream
        An encoder that is not fitted learns from all rows first.
    path : str
    to : {"libffm", "libsvm", "csv", "parquet", "binary"}
    decoder : FieldEncoder, optional
        What a table is made by; None: that of the rows, or none.
    delimiter : str, default=","
        Of CSV.
    on_start : callable, optional
        Is told how much there is to do, how much of it is done, and the unit.
    on_progress : callable, optional
        Is told of what was done since.

    Raises
    ------
    FormatError, ValueError, OSError
        As reading and writing do; nothing is left then.
    """
    path = os.path.realpath(path)
    check_destination(path)
    if path in map(os.path.realpath, data_files(stream.source)):
        refuse("the new file", "none of those that are read, which it would replace", path)
    wanted = stream.description() | {"to": to}
    with _claimed(path) as folder:
        entry = _entry(folder, wanted)
        if entry is None:  # that of other work is of no use, an encoder included
            empty(folder)
            entry = _record(folder, wanted, Position(), 0, None)
        elif entry["sink"] is None:
            empty(folder, ("journal", "encoder"))
        total, unit = stream.total()
        start = Position(*entry["position"])
        _restore_encoder(stream, folder)
        sizes = [os.path.getsize(name) for name in stream.files[: start.file]]
        if on_start is not None:
            on_start(total, sum(sizes), unit)
        pieces = stream.read(start, on_progress=on_progress)
        _save_encoder(stream, folder)
        sink: _Sink
        if to == "binary":
            sink = Appender(path, os.path.join(folder, "sections"), keeps=True)
        elif to in ("csv", "parquet"):
            encoder = decoder or stream.latest_encoder()
            sink = TableFile(path, folder, to, delimiter, encoder)
        else:
            sink = _Text(path, folder, to)
        with sink:
            if entry["sink"] is not None:
                sink.restore(entry["sink"])
            n_rows = int(entry["n_rows"])
            last = time.monotonic()
            with contextlib.closing(ahead(lambda: pieces)) as found:
                for rows, position in found:
                    sink.add(rows.core)
                    n_rows += len(rows)
                    if time.monotonic() - last >= _SECONDS:
                        _record(folder, wanted, position, n_rows, sink.state())
                        last = time.monotonic()
            check_unchanged(wanted, stream.source)
            sink.finish(stream.latest_encoder())
    return n_rows


@contextlib.contextmanager
def _claimed(path: str) -> Iterator[str]:
    """The folder, for this process alone."""
    with claimed(path, "convert", waits=False) as folder:
        try:
            yield folder
        except Exception:
            remove(folder)
            raise
        else:
            remove(folder)


def _entry(folder: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The last one of the journal, if it is one of the same work."""
    try:
        with open(os.path.join(folder, "journal"), encoding="utf-8") as file:
            entry: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    return entry if entry["wanted"] == wanted else None


def _record(
    folder: str,
    wanted: dict[str, Any],
    position: Position,
    n_rows: int,
    state: dict[str, Any] | None,
) -> dict[str, Any]:
    """Writes and returns an entry of the journal, which replaces the one before."""
    entry = {
        "wanted": wanted,
        "position": [position.file, position.at, position.n_lines],
        "n_rows": n_rows,
        "sink": state,
    }
    with destination(os.path.join(folder, "journal")) as file:
        file.write(json.dumps(entry).encode())
    return entry


def _save_encoder(stream: DataStream, folder: str) -> None:
    """One that was fitted on the way, with what it was fitted by."""
    name = os.path.join(folder, "encoder")
    if stream.source.has_tables and not os.path.exists(name):
        none = Dataset.from_arrays([0], [])
        Dataset(none.core, encoder=stream.encoder).save(name)


def _restore_encoder(stream: DataStream, folder: str) -> None:
    name = os.path.join(folder, "encoder")
    if stream.source.has_tables and os.path.exists(name):
        with BlockReader(name) as reader:
            stream.encoder = reader.encoder  # type: ignore[assignment]  # tables have no other
