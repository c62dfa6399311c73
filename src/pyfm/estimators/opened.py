"""Streams while `fit` uses them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream import DataStream
from pyfm.encode import FieldEncoder


@dataclass(frozen=True)
class OpenStream:
    """A stream, and the data file in which its rows are."""

    stream: DataStream
    reader: BlockReader

    @property
    def encoder(self) -> FieldEncoder | None:
        """That of tables."""
        encoder = self.reader.encoder
        return encoder if isinstance(encoder, FieldEncoder) else None


@contextlib.contextmanager
def opened(X: Any, encoder: FieldEncoder | None = None) -> Iterator[Any]:
    """A stream with its rows at hand, the cache written if need be; anything else as it is.

    Tables that have no encoder of their own take that one.
    """
    if not isinstance(X, DataStream):
        yield X
        return
    with X.encoded_by(encoder).open() as reader:
        yield OpenStream(X, reader)
