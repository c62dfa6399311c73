"""Criteo's display-advertising logs as rows of 39 categorical fields."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfm.dataset import Dataset
from pyfm.datasets.criteo_encoder import CriteoEncoder
from pyfm.datasets.criteo_text import N_FIELDS, read_tokens

MIN_COUNT = 4


def read_criteo(path: str | os.PathLike[str], *, encoder: CriteoEncoder | None = None) -> Dataset:
    """Read raw Criteo lines: a label, 13 integers, 26 hashed categories, separated by tabs.

    Every column becomes one field with exactly one feature. Integers above 2 are put into the
    buckets floor(ln(x)²), those up to 2 are values of their own, and a missing value is a value as
    well: the buckets of the winners of Criteo's Kaggle competition [1]_. Values that the training
    file holds fewer than 4 times share one "rare" feature per field.

    Parameters
    ----------
    path : str or path-like
        The file; decompressed on the way when it ends in .gz, .xz or .zst. Without `encoder` it is
        read twice, so that memory holds only the resulting ids, 4 bytes a feature.
    encoder : CriteoEncoder, optional
        The mapping of a training file, ``read_criteo(train).encoder``, to read a validation or
        test file with; values that it does not know are rare. None: learn it from this file.

    Returns
    -------
    Dataset
        One feature per field, labels 0 and 1, the mapping in its `encoder`.

    Raises
    ------
    FormatError
        ``file:line:column`` of a malformed line; a file without lines; a damaged archive.
    OSError
        When the file cannot be read.
    ValueError
        For a pipe without an encoder, since learning one reads the file twice.

    References
    ----------
    .. [1] Y. Juan, Y. Zhuang, W.-S. Chin, C.-J. Lin, "Field-aware Factorization Machines for CTR
       Prediction", RecSys 2016.

    Examples
    --------
    >>> train = read_criteo("train.txt")  # doctest: +SKIP
    >>> valid = read_criteo("valid.txt", encoder=train.encoder)  # doctest: +SKIP
    """
    name = os.fsdecode(path)
    if encoder is None:
        if Path(name).is_fifo() or Path(name).is_char_device():
            raise ValueError(
                f"{name}: expected a file, which can be read twice to learn the encoder, found a "
                "pipe or device: save the rows to a file, or pass an encoder"
            )
        encoder = CriteoEncoder.learn(read_tokens(name), MIN_COUNT)
    ids, labels = [], []
    for chunk in read_tokens(name):
        ids.append(encoder.encode(chunk))
        labels.append(chunk.y)
    rows = Dataset.from_ids(_join(ids), np.concatenate(labels), n_features=encoder.n_features)
    return Dataset(rows.core, encoder=encoder)


def _join(parts: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """The parts one below the other; each is dropped as soon as it is copied."""
    whole = np.empty((sum(map(len, parts)), N_FIELDS), np.uint32)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole
