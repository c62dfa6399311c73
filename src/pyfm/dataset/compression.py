"""Files in blocks, decompressed by the ending of their name."""

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pyfm._core import FormatError

BLOCK_BYTES = 4 << 20
# Of compressed input, where the library returns all that a block expands to at once.
INPUT_BYTES = 128 << 10


def _whole(raw: BinaryIO) -> Iterator[bytes]:
    yield from _read(raw)


def _gzip(raw: BinaryIO) -> Iterator[bytes]:
    with gzip.open(raw, "rb") as file:
        yield from _read(file)


def _xz(raw: BinaryIO) -> Iterator[bytes]:
    with lzma.open(raw, "rb") as file:
        yield from _read(file)


def _read(
    file: BinaryIO | gzip.GzipFile | lzma.LZMAFile, size: int = BLOCK_BYTES
) -> Iterator[bytes]:
    while block := file.read(size):
        yield block


def _zst(raw: BinaryIO) -> Iterator[bytes]:
    # Frame by frame: the library's own file object takes a truncated file for a complete one.
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    frame = None
    try:
        for block in _read(raw, INPUT_BYTES):
            while block:
                frame = frame or decompressor.decompressobj()
                yield frame.decompress(block)
                block = frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame = None
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    if frame is not None:
        raise EOFError("the file ends inside a frame")


_READERS: dict[str, Callable[[BinaryIO], Iterator[bytes]]] = {
    ".gz": _gzip,
    ".xz": _xz,
    ".zst": _zst,
}


def is_compressed(path: str) -> bool:
    return path.endswith(tuple(_READERS))


def open_blocks(
    path: str, skip: int = 0, on_bytes: Callable[[int], object] | None = None
) -> Iterator[bytes]:
    """The bytes of a file, decompressed when it ends in .gz, .xz or .zst.

    Parameters
    ----------
    path : str
    skip : int
        Bytes at the beginning, decompressed ones, that are left out.
    on_bytes : callable, optional
        Is told after each block how many bytes of the file itself it took.

    Raises
    ------
    FormatError
        When a compressed file is truncated or corrupt.
    OSError
        When the file cannot be read.
    """
    ending = next((ending for ending in _READERS if path.endswith(ending)), None)
    try:
        with open(path, "rb") as raw:
            if ending is None:
                raw.seek(skip)
                skip = 0
            told = 0
            for block in _READERS[ending](raw) if ending else _whole(raw):
                kept = block[skip:] if skip else block
                skip -= len(block) - len(kept)
                if on_bytes is not None:
                    on_bytes(raw.tell() - told)
                    told = raw.tell()
                if kept:
                    yield kept
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise FormatError(
            f"{path}: expected a complete {ending} archive, found a truncated or corrupt one: "
            f"{error}"
        ) from error
