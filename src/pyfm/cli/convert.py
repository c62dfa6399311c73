"""`pyfm convert`: text, tables and data files into one another."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import pyfm
from pyfm.cli.options import Stopwatch, in_bytes
from pyfm.data_file import is_data_file

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder


class SourceFormat(str, Enum):
    libffm = "libffm"
    libsvm = "libsvm"
    csv = "csv"
    parquet = "parquet"
    binary = "binary"


class TargetFormat(str, Enum):
    libffm = "libffm"
    libsvm = "libsvm"
    csv = "csv"
    parquet = "parquet"
    binary = "binary"

    @property
    def is_table(self) -> bool:
        return self in (TargetFormat.csv, TargetFormat.parquet)


_ENDINGS = {
    ".ffm": TargetFormat.libffm,
    ".libffm": TargetFormat.libffm,
    ".svm": TargetFormat.libsvm,
    ".libsvm": TargetFormat.libsvm,
    ".svmlight": TargetFormat.libsvm,
    ".csv": TargetFormat.csv,
    ".parquet": TargetFormat.parquet,
}


def convert(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE... OUT", help="Files to read, in order; the one to write."),
    ],
    source_format: Annotated[
        SourceFormat | None, typer.Option("--from", help="Format of the sources; by their names.")
    ] = None,
    target_format: Annotated[
        TargetFormat | None,
        typer.Option("--to", help="Format of OUT; by its name, binary where that says nothing."),
    ] = None,
    position: Annotated[
        bool,
        typer.Option("--fields-by-position", help="libsvm: the i-th entry of a row is in field i."),
    ] = False,
    encoder_path: Annotated[
        Path | None,
        typer.Option(
            "--encoder", help="Tables: a model or data file whose encoder they go through, or came."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Tables: the column of the targets, to fit an encoder.")
    ] = None,
    sample_weight: Annotated[
        str | None, typer.Option(help="Tables: the column of the weights, likewise.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Tables: NAME=KIND, such as ad=hashed; may be repeated."),
    ] = None,
    delimiter: Annotated[str, typer.Option(help="CSV: what separates values.")] = ",",
    n_jobs: Annotated[
        int | None, typer.Option("--n-jobs", "-s", min=1, help="Threads that parse text; all.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Show no progress, print nothing.")
    ] = False,
) -> None:
    """Convert files into one: libffm, libsvm, CSV, Parquet and data files, into any of these.

    Tables go through an encoder, which is fitted to all of them first, or taken from a file; a data
    file keeps it, and a table that is written has its columns. Memory is bounded whatever the size.
    OUT appears whole or not at all; a run that was killed or interrupted goes on where it was when
    the same command is given again.
    """
    from pyfm.data_stream.conversion import convert as run
    from pyfm.data_stream.sources import Source

    if len(paths) < 2:
        raise typer.BadParameter("expected SOURCE... OUT, found one name")
    *sources, out = paths
    to = target_format or _ENDINGS.get(Path(out).suffix.lower(), TargetFormat.binary)
    options: dict[str, Any] = {"fields": "position"} if position else {}
    given_format: Any = source_format.value if source_format else None
    if delimiter != "," and (
        to is not TargetFormat.csv or Source.of(sources, given_format).format == "csv"
    ):
        options["csv_options"] = {"delimiter": delimiter}
    kinds = _kinds(column or [])
    stream = pyfm.Dataset.stream(sources, format=given_format, n_threads=n_jobs, **options)
    decoder = None
    if stream.source.has_tables:
        encoder = _encoder(encoder_path, target, sample_weight, kinds)
        stream = stream.encoded_by(encoder)
    elif target or sample_weight or kinds or (encoder_path and not to.is_table):
        raise typer.BadParameter(
            "--encoder, --target, --sample-weight and --column are for CSV and Parquet, found "
            f"sources of {stream.format}"
        )
    elif encoder_path:
        decoder = _encoder(encoder_path, None, None, {})
    watch = Stopwatch()
    with _Progress(quiet) as progress:
        try:
            n_rows = run(
                stream,
                out,
                to.value,
                decoder=decoder,
                delimiter=delimiter,
                on_start=progress.start,
                on_progress=progress.add,
            )
        except KeyboardInterrupt:
            hint = "what is done is kept: the same command goes on there"
            typer.echo(f"pyfm: {hint}", err=True)
            raise
    if not quiet:
        size = in_bytes(Path(out).stat().st_size)
        print(f"{n_rows:,} rows in {out} ({to.value}, {size}), {watch.lap():.1f} s")


def _kinds(given: list[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for pair in given:
        name, separator, kind = pair.rpartition("=")
        if not separator or not name or name in kinds:
            expected = "--column: expected NAME=KIND, each name once, as in ad=hashed"
            raise typer.BadParameter(f"{expected}, found {pair!r}")
        kinds[name] = kind
    return kinds


def _encoder(
    path: Path | None, target: str | None, sample_weight: str | None, kinds: dict[str, str]
) -> FieldEncoder:
    """The one of a file, or a new one."""
    from pyfm.encode import FieldEncoder

    if path is None:
        return FieldEncoder(
            kinds or None, remainder="default", target=target, sample_weight=sample_weight
        )
    if target or sample_weight or kinds:
        raise typer.BadParameter(
            "--encoder: expected no --target, --sample-weight and --column beside it, which it has"
        )
    encoder: Any
    if is_data_file(path):
        encoder = pyfm.Dataset.open(path, verify=False).encoder
    else:
        encoder = pyfm.load(path)._inputs.encoder
    if not isinstance(encoder, FieldEncoder):
        raise ValueError(f"{path}: expected a file with the encoder of tables, found one without")
    return encoder


class _Progress:
    """A bar with the time that is left."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()

    def start(self, total: int, done: int, unit: str) -> None:
        from tqdm import tqdm

        unit = " rows" if unit == "rows" else unit
        self._bar = tqdm(total=total, initial=done, unit=unit, unit_scale=True, disable=self._quiet)

    def add(self, n: int) -> None:
        self._bar.update(min(n, self._bar.total - self._bar.n))
