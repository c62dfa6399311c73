"""Rows of a stream to learn from: a data file, read in windows while the model learns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pyfm import _core
from pyfm.augmentation import Augmentation
from pyfm.checks import refuse
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.background import ahead
from pyfm.data_stream.pieces import ROWS
from pyfm.data_stream.windows import windows
from pyfm.progress import Origin
from pyfm.training_rows import Pass, PassOptions

Prepare = Callable[[_core.Dataset, int], _core.Dataset]


@dataclass(frozen=True)
class StreamedRows:
    """The first rows of an open data file, each piece of which is prepared once it is read."""

    reader: BlockReader
    end: int  # of those rows
    prepare: Prepare  # of some rows, and the number of the first: targets, weights, a sample
    n_rows: int  # that `prepare` leaves
    window: int
    shuffle: bool

    @property
    def n_features(self) -> int:
        return self.reader.n_features

    @property
    def n_fields(self) -> int:
        return self.reader.n_fields

    @property
    def sample(self) -> _core.Dataset:
        return self.prepare(self.reader.read(0, min(self.end, ROWS)), 0)

    def column(self, name: str) -> Iterator[_core.Floats]:
        """Of "y" or "weight", a piece at a time; nothing where it is not stored."""
        left = self.end
        for piece in self.reader.column(name, ROWS):  # to its end, where the checksum is compared
            if left > 0:
                yield piece[:left]
            left -= len(piece)

    def prepared(self, n_rows: int, prepare: Prepare) -> StreamedRows:
        """The same, prepared further; so many rows are left."""
        before = self.prepare
        return replace(self, n_rows=n_rows, prepare=lambda rows, at: prepare(before(rows, at), at))

    def origin(self, split_seed: int, sample_seed: int) -> Origin:
        reader = self.reader
        sizes = reader.n_rows, reader.n_features, reader.n_fields, reader.nnz
        return Origin(*sizes, reader.checksum, split_seed, sample_seed)

    def initialize(
        self,
        model: _core.Model,
        n_epochs: int,
        n_threads: int,
        augmentation: _core.Augmentation | None,
    ) -> None:
        """One pass, in which the checksums of the file are compared, too; or two."""

        def count() -> None:
            at = place = 0
            with contextlib.closing(ahead(lambda: self.reader.verified(ROWS))) as pieces:
                for piece in pieces:  # to the end of the file, where the checksums are compared
                    if at < self.end:
                        rows = self.prepare(piece.slice(0, min(piece.n_rows, self.end - at)), at)
                        model.count_piece(
                            rows, place=place, n_threads=n_threads, augmentation=augmentation
                        )
                        place += rows.n_rows
                    at += piece.n_rows

        def fill_vectors() -> None:
            for at in range(0, self.end, ROWS):
                piece = self.reader.read(at, min(at + ROWS, self.end))
                model.initialize_vectors(self.prepare(piece, at), n_threads=n_threads)

        model.forget_counts()
        try:
            count()
        except BaseException:
            model.forget_counts()
            raise
        model.initialize_counted(self.n_rows, n_threads=n_threads, augmentation=augmentation)
        if not model.all_fields_are_deep:
            fill_vectors()

    def train_epoch(self, model: _core.Model, options: PassOptions) -> Pass:
        """Raises ValueError where the file was changed in place."""
        start = time.perf_counter()
        self.reader.check_unchanged()
        position, loss = _core.EpochPosition(), 0.0
        n_before = 0

        batch_size, poll = options["batch_size"], options["poll"]

        def tell(n_rows: int) -> None:
            assert poll is not None
            poll(n_before + n_rows)

        of_window: PassOptions = {**options, "poll": tell if poll is not None else None}
        size = -(-self.window // batch_size) * batch_size  # whole batches
        order = (model.seed, options["epoch"]) if self.shuffle else None
        read = lambda: windows(  # noqa: E731
            self.reader, self.prepare, end=self.end, n_rows=self.n_rows, size=size, order=order
        )
        with contextlib.closing(ahead(read)) as found:
            for rows in found:
                n_before = position.n_rows
                loss = model.train_epoch(
                    rows, shuffle=self.shuffle, position=position, **of_window
                ).loss
                del rows
        self.reader.check_unchanged()
        return Pass(loss, time.perf_counter() - start)

    def check(self, augmentation: Augmentation, n_features: int, n_fields: int) -> None:
        """What the rows hold is checked when they are counted."""
        if augmentation.bootstrap:
            refuse(
                "augmentation",
                "one without bootstrap for a stream, whose rows cannot be drawn at random",
                "bootstrap=True",
            )
        none = self.reader.read(0, 0)
        augmentation.core().check(none, n_features=n_features, n_fields=n_fields)


def check_batch_size(batch_size: int) -> None:
    """Raises ValueError for a batch of all rows."""
    if batch_size == 0:
        refuse("batch_size", "a number of rows for a stream, which is not held in memory", "full")
