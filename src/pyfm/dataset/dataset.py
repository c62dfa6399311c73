"""`pyfm.Dataset`: rows of features, in memory, ready for the core."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from pyfm import _core, data_file
from pyfm.dataset import arrays
from pyfm.dataset.buffers import optional_floats
from pyfm.dataset.clicks import split_clicks
from pyfm.dataset.selection import row_numbers, whole_rows
from pyfm.dataset.text import read_libsvm, read_text

if TYPE_CHECKING:
    from pyfm.data_stream import DataStream
    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder


class Dataset:
    """Rows of (field, feature, value), with targets and weights; immutable.

    Made by `from_libffm`, `from_libsvm`, `from_csr`, `from_arrays`, `from_ids` and `open`, and from
    tables by `pyfm.FieldEncoder`. What is implied is not stored: values that are all 1, and, where
    every row has exactly one feature per field in field order (``layout == "one_per_field"``), row
    offsets and fields. Everything is checked once, here.

    Arrays that are borrowed without a copy (each constructor says when) must not be modified while
    the data set is in use.

    Parameters
    ----------
    core : pyfm._core.Dataset
        The checked buffers. Use the constructors above.
    encoder : CriteoEncoder or FieldEncoder, optional
        The mapping from raw values to features that made the rows.

    Attributes
    ----------
    core : pyfm._core.Dataset
        The buffers as the kernels read them.
    encoder : CriteoEncoder, FieldEncoder or None
        Set by `pyfm.datasets.read_criteo` and `pyfm.FieldEncoder`; a selection of rows keeps it.

    Examples
    --------
    >>> from pyfm import Dataset
    >>> data = Dataset.from_ids([[0, 2], [1, 3], [0, 3]], y=[1, 0, 1])
    >>> data.n_rows, data.n_features, data.n_fields
    (3, 4, 2)
    >>> data[1:].y.tolist()
    [0.0, 1.0]
    """

    __slots__ = ("_state", "core", "encoder")

    def __init__(
        self, core: _core.Dataset, *, encoder: CriteoEncoder | FieldEncoder | None = None
    ) -> None:
        if not isinstance(core, _core.Dataset):
            raise TypeError(
                "Dataset: expected rows from one of Dataset.from_ids, from_csr, from_arrays, "
                f"from_libffm, from_libsvm, open and stream, found {type(core).__name__}; tables "
                "go through pyfm.FieldEncoder, and estimators take tables and matrices directly"
            )
        self.core = core
        self.encoder = encoder
        self._state: dict[str, Any] | None = None  # for pickle, from its first use on

    @classmethod
    def from_libffm(cls, path: str | os.PathLike[str], *, n_threads: int | None = None) -> Dataset:
        """Read text lines ``label field:feature:value …``.

        Labels are any finite numbers, ids count from 0, a ``#`` starts a comment, blank lines are
        skipped. Files whose name ends in .gz, .xz or .zst are decompressed on the way.

        Parameters
        ----------
        path : str or path-like
        n_threads : int, optional
            Threads that parse; None: all processors. The result does not depend on it.

        Raises
        ------
        FormatError
            ``file:line:column: expected …, found …`` for the first error of the file; also for
            files without a row and for truncated or corrupt archives.
        OSError
            When the file cannot be read.
        """
        return cls(read_text(path, "libffm", n_threads))

    @classmethod
    def from_libsvm(
        cls,
        path: str | os.PathLike[str],
        *,
        fields: npt.ArrayLike | Literal["position"] | None = None,
        n_threads: int | None = None,
    ) -> Dataset:
        """Read text lines ``label feature:value …``; otherwise as `from_libffm`.

        Parameters
        ----------
        path : str or path-like
        fields : "position", array-like of int of shape (n_features,), or None
            "position": the i-th entry of a row is in field i, as in files with one feature per
            field. An array: the field of each feature; its length is the number of features, which
            the file must not exceed. None: all features are in field 0.
        n_threads : int, optional
            Threads that parse; None: all processors.
        """
        return cls(read_libsvm(path, fields, n_threads))

    @classmethod
    def from_csr(
        cls,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        fields: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        n_features: int | None = None,
    ) -> Dataset:
        """Rows of a SciPy sparse matrix or array: column j is feature j.

        A CSR matrix with int32 indices and float32 values is borrowed; only its row offsets are
        copied, unless they are int64. Other formats and types are converted. Values that are all 1
        are not stored.

        Parameters
        ----------
        X : sparse matrix or array of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,), optional
            Targets, finite; kept as float32 (borrowed if they are).
        fields : array-like of int of shape (n_columns,), optional
            The field of each column; None: all columns are in field 0.
        sample_weight : array-like of shape (n_rows,), optional
            Finite weights >= 0; None: all 1. Kept as float32 (borrowed if they are).
        n_features : int, optional
            Size of the feature space, at least n_columns (the default).
        """
        return cls(arrays.csr(X, y, fields, sample_weight, n_features))

    @classmethod
    def from_arrays(
        cls,
        indptr: npt.ArrayLike,
        indices: npt.ArrayLike,
        *,
        fields: npt.ArrayLike | None = None,
        values: npt.ArrayLike | None = None,
        y: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        n_features: int | None = None,
        n_fields: int | None = None,
    ) -> Dataset:
        """Rows in compressed form: row i has the entries ``indptr[i]`` to ``indptr[i + 1] - 1``.

        Nothing is copied from contiguous arrays of these types: int64 `indptr`, uint32 or int32
        `indices`, uint16 or int16 `fields`, float32 `values`, `y` and `sample_weight`. Other types
        and strides are converted, which costs a copy of that array.

        Parameters
        ----------
        indptr : array-like of int of shape (n_rows + 1,)
            Non-decreasing, from 0 to nnz.
        indices : array-like of int of shape (nnz,)
            Feature ids in [0, 2**32).
        fields : array-like of int of shape (nnz,), optional
            Field ids in [0, 2**16); None: all in field 0.
        values : array-like of shape (nnz,), optional
            Finite; None: all 1.
        y, sample_weight : array-like of shape (n_rows,), optional
            As in `from_csr`.
        n_features, n_fields : int, optional
            Sizes of the id spaces; None: just large enough for the ids.

        Raises
        ------
        ValueError
            Names the array, or the row, and what was expected there.
        """
        return cls(
            arrays.compressed(
                indptr, indices, fields, values, y, sample_weight, n_features, n_fields
            )
        )

    @classmethod
    def from_ids(
        cls,
        ids: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        n_features: int | None = None,
    ) -> Dataset:
        """Categorical rows: one column per field, ids in one common feature space.

        A C-contiguous int32 or uint32 matrix without absent ids is borrowed and gives the
        "one_per_field" layout, 4 bytes a feature. Anything else is copied.

        Parameters
        ----------
        ids : array-like of int of shape (n_rows, n_fields)
            Feature ids; -1 where the row has no feature of the field.
        y, sample_weight : array-like of shape (n_rows,), optional
            As in `from_csr`.
        n_features : int, optional
            Size of the feature space; None: just large enough for the ids.
        """
        return cls(arrays.id_matrix(ids, y, sample_weight, n_features))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = True) -> Dataset:
        """Map a file that `save` wrote: nothing is parsed or copied, and the views are read-only.

        The file must not be changed or cut while the data set is in use; to put another one in its
        place, as `save` does, is safe.

        Parameters
        ----------
        path : str or path-like
        verify : bool
            Also compare the checksums. Without them, damage goes unnoticed where it leaves ids and
            numbers in their ranges, which are checked in any case.

        Raises
        ------
        FormatError
            If the file is none of these, damaged, truncated, or of a newer format.
        OSError
            When the file cannot be read; FileNotFoundError if there is none.
        """
        core, encoder = data_file.read(path, verify=verify)
        return cls(core, encoder=encoder)

    @staticmethod
    def stream(
        source: Any,
        *,
        format: Literal["libffm", "libsvm", "csv", "parquet", "binary"] | None = None,
        encoder: FieldEncoder | None = None,
        fields: npt.ArrayLike | Literal["position"] | None = None,
        csv_options: Mapping[str, Any] | None = None,
        cache: str | os.PathLike[str] | None = None,
        window: int = 1 << 17,
        shuffle: bool = True,
        n_threads: int | None = None,
    ) -> DataStream:
        """Rows of files that need not fit into memory, for `fit`, `partial_fit` and prediction.

        `fit` reads them once into a data file, the cache, and takes its epochs from there, a window
        of rows at a time, while the next window is read in a thread. In memory are about three
        windows, and the model. The cache stays, and later fits begin with it, as long as the files
        and the parameters are the same: names, sizes, times of the last change, and a checksum of
        samples are compared, not whole files. Where two processes need the same cache, one writes
        it and the other waits. `partial_fit` and predictions read the files as they come, a piece
        of some 65,536 rows after the other, and write nothing.

        Parameters
        ----------
        source : str, path-like, or list of them
            Files, patterns such as ``"logs/2024-*/*.csv"`` (in the order of the names), folders of
            Parquet files as Spark writes them; all of one format. Text may end in .gz, .xz or .zst.
        format : {"libffm", "libsvm", "csv", "parquet", "binary"}, optional
            None: by the endings .ffm, .libffm, .svm, .libsvm, .svmlight, .csv, .parquet; data files
            ("binary") are known by their beginning.
        encoder : FieldEncoder, optional
            Makes rows of tables (CSV, Parquet), with its `target` as their targets. One that is not
            fitted learns from all files first. Predictions take the model's in its place.
        fields : "position", array-like or None
            Of libsvm, as in `from_libsvm`.
        csv_options : dict, optional
            ``delimiter``, ``column_names`` (of files without a line of them), ``column_types``
            (Arrow's types by column; else the first 4 MiB of each file decide), ``null_values`` (a
            list of what stands for a missing value; else nothing, "NA", "NaN", "NULL" and the
            like), ``newlines_in_values`` (whether values between quotes may have several lines).
        cache : str or path-like, optional
            The data file to write. None: beside the first file, with its name, 8 hexadecimal digits
            and the ending .pyfm-cache, which patterns leave out. A data file alone needs none.
        window : int, default=131072
            Rows among which `fit` shuffles, each window of 32 stretches from anywhere in the file.
            With as many as there are, `fit` is that of the data in memory, to the bit where two of
            those are.
        shuffle : bool, default=True
            False: the order of the files in each epoch.
        n_threads : int, optional
            Threads that parse text; None: all processors.

        Returns
        -------
        DataStream
            Nothing is read yet.

        Raises
        ------
        FileNotFoundError
            For a name that does not exist, and a pattern that matches nothing.
        OSError
            For folders without Parquet files, pipes, and what cannot be read.
        ValueError
            For files of several formats or an unknown one, and parameters out of range.

        Examples
        --------
        >>> import pyfm
        >>> stream = pyfm.Dataset.stream("train.ffm", cache="train.pyfm")
        >>> model = pyfm.FFMClassifier(epochs=2, random_state=0).fit(stream)
        >>> model.predict_proba(pyfm.Dataset.stream("valid.ffm")).shape
        (100, 2)
        """
        from pyfm.data_stream import DataStream  # which imports this module

        return DataStream(
            source,
            format=format,
            encoder=encoder,
            fields=fields,
            csv_options=csv_options,
            cache=cache,
            window=window,
            shuffle=shuffle,
            n_threads=n_threads,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write rows, targets, weights and encoder to a file for `open`; all that is stored.

        The file appears whole or not at all: it is written beside `path`, from the buffers where
        they lie, and then takes its place. It is a safetensors file, which other programs read too.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            When the file cannot be written; an old one is still there then.
        ValueError
            For rows with nothing in them, and for an encoder of another type.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from pyfm import Dataset
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "rows.pyfm"
        >>> Dataset.from_ids([[0, 2], [1, 3], [0, 3]], y=[1, 0, 1]).save(path)
        >>> Dataset.open(path)[1:].y.tolist()
        [0.0, 1.0]
        """
        data_file.write(self.core, self.encoder, path)

    def with_targets(
        self, y: npt.ArrayLike | None, sample_weight: npt.ArrayLike | None = None
    ) -> Dataset:
        """The same rows, shared, with other targets and weights; None removes them."""
        weight = optional_floats("sample_weight", sample_weight, self.n_rows)
        core = self.core.with_targets(optional_floats("y", y, self.n_rows), weight)
        return Dataset(core, encoder=self.encoder)

    def with_clicks(self, clicks: npt.ArrayLike, impressions: npt.ArrayLike) -> Dataset:
        """Rows that stand for many impressions: their likelihood, from two weighted rows each.

        Row i becomes a row with label 0 and weight ``impressions[i] - clicks[i]``, and one with
        label 1 and weight ``clicks[i]``; those of weight 0 are left out. Loss and gradient are
        those of every impression as a row of its own, and so are the weighted metrics.

        Parameters
        ----------
        clicks, impressions : array-like of shape (n_rows,)
            Numbers >= 0, clicks at most impressions; not necessarily whole. Weights are float32:
            counts above 2**24 are rounded.

        Returns
        -------
        Dataset
            Up to 2 n_rows rows, in the order of the data; labels and weights replace those that the
            rows had.

        Raises
        ------
        ValueError
            For other shapes, NaN, negative numbers, more clicks than impressions, and no
            impressions at all.

        Examples
        --------
        >>> from pyfm import Dataset
        >>> data = Dataset.from_ids([[0, 2], [1, 3]]).with_clicks([3, 0], [100, 50])
        >>> data.y.tolist(), data.sample_weight.tolist()
        ([0.0, 1.0, 0.0], [97.0, 3.0, 50.0])
        """
        return Dataset(split_clicks(self.core, clicks, impressions), encoder=self.encoder)

    def copy(self) -> Dataset:
        """The same rows, targets and weights in memory of their own.

        Where few rows of many are kept, this lets go of the others; borrowed arrays may change.

        Examples
        --------
        >>> from pyfm import Dataset
        >>> data = Dataset.from_ids([[0, 2], [1, 3], [0, 3]], y=[1, 0, 1])
        >>> data[[2, 0]].copy().y.tolist()
        [1.0, 1.0]
        """
        rows = self.core.take(np.arange(len(self), dtype=np.int64))
        return Dataset(rows.packed(), encoder=self.encoder)

    def __len__(self) -> int:
        return self.core.n_rows

    def __array__(self, *_: object, **__: object) -> npt.NDArray[Any]:
        raise TypeError(
            "expected rows in the form of a matrix, found a pyfm.Dataset: estimators of other "
            "libraries that compute with X, such as scikit-learn's own, take arrays and tables; "
            "those that hand X on, such as cross-validation, take a Dataset, and so do pyfm's: by "
            "itself, not within a list or tuple"
        )

    def __getitem__(
        self, rows: slice | npt.ArrayLike | tuple[slice | npt.ArrayLike, EllipsisType | slice]
    ) -> Dataset:
        """A selection of rows, which shares the memory of the features.

        What a selection has of its own are 8 bytes of row number, 4 of target and 4 of weight for
        each row, where there are such; a slice ``data[a:b]`` has not even these. Models learn from
        it what they learn from a copy, to the bit. `copy` lets go of the other rows.

        Parameters
        ----------
        rows : slice, array-like of int, or array-like of bool of shape (n_rows,)
            Negative numbers count from the end, as in NumPy. ``data[rows, ...]`` is the same.

        Raises
        ------
        IndexError
            For rows that do not exist, and a mask of another length.
        TypeError
            For a single number, and numbers that are not whole.
        """
        chosen = whole_rows(rows) if isinstance(rows, tuple) else rows
        if isinstance(chosen, slice):
            start, stop, step = chosen.indices(len(self))
            if step == 1:
                core = self.core.slice(start, max(start, stop))
                return Dataset(core, encoder=self.encoder)
            chosen = np.arange(start, stop, step, dtype=np.int64)
        return Dataset(self.core.take(row_numbers(chosen, len(self))), encoder=self.encoder)

    @property
    def n_rows(self) -> int:
        return self.core.n_rows

    @property
    def shape(self) -> tuple[int, int]:
        """n_rows and n_features, as of a matrix of all features."""
        return self.n_rows, self.n_features

    @property
    def n_features(self) -> int:
        """Size of the feature space: ids are below it."""
        return self.core.n_features

    @property
    def n_fields(self) -> int:
        return self.core.n_fields

    @property
    def nnz(self) -> int:
        """Number of entries of all rows together."""
        return self.core.nnz

    @property
    def nbytes(self) -> int:
        """Bytes of these rows in all buffers, shared and borrowed ones included."""
        return self.core.nbytes

    @property
    def layout(self) -> Literal["one_per_field", "csr"]:
        """Whether each row has exactly one feature per field, so that only ids are stored."""
        return self.core.layout

    @property
    def y(self) -> _core.Floats | None:
        """Targets, float32 of shape (n_rows,), a read-only view; None without targets."""
        return self.core.y

    @property
    def sample_weight(self) -> _core.Floats | None:
        """Weights, float32 of shape (n_rows,), a read-only view; None: all 1."""
        return self.core.weight

    def __repr__(self) -> str:
        targets = "" if self.y is None else ", y"
        weights = "" if self.sample_weight is None else ", sample_weight"
        return (
            f"<Dataset: {self.n_rows:,} rows, {self.n_features:,} features, {self.n_fields:,} "
            f"fields, {self.nnz:,} entries ({self.layout}{targets}{weights}), "
            f"{self.nbytes / 2**20:,.1f} MiB>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # The same arrays each time, so that joblib hands them to its workers in one file that all
        # map, and not once for each task.
        state = self._state or arrays.state(self.core)
        if not self.core.is_selection:
            self._state = state
        return arrays.restore, (type(self), state, self.encoder)
