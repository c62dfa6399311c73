"""What a model file is made of.

Tensors, little-endian, in rows of features:

- ``bias`` (1,), ``linear`` (n_stored,), ``factors`` (n_stored, n_factors) or
  (n_stored, n_fields, n_factors): the parts that the model has, float32, but for factors that are
  float16 in memory, too;
- ``deep.<name>``: of deep models the weights of the network, float32 (rows, columns), and what
  batch normalization knows of the rows, float64; <name> is the number of the layer, and "weight",
  "bias", "population_mean" or such;
- ``features`` (n_stored,), uint32, increasing: the features of those rows; absent when all
  n_features are stored, otherwise the others have weights 0;
- ``counted`` (n_counted,), uint32, increasing, and ``counts`` (n_counted,), uint32: the features
  that occurred too rarely to have weights, and in how many rows; absent where there are none;
- ``column_fields`` (n_columns,), uint16: the field of each column of the matrix that `fit` was
  given; absent for other inputs;
- ``encoder.…``: what the encoder of tables has learned, see `pyfm.encode.stored`.

Where training may go on, ``features`` are there and in the order of the core's tables, and all that
have rows are stored. Of optimizers with numbers beside each weight, slots, there are

- ``state.bias`` (slots,), ``state.linear`` (n_stored, slots), ``state.factors`` (n_stored, slots,
  …) with … as of the factors, ``state.deep.<name>`` (slots, rows, columns): of the types of the
  weights; the slots in the order of the formulas in the core's ``optim/``;
- ``frequencies`` (n,), float32: occurrences per row of the features that come first;
- ``noise`` (n_parts, 16), uint32: where the random numbers of 16-bit rounding go on; absent before
  a stream's first rows that are learned one by one;
- ``best.bias``, ``best.linear``, ``best.factors``, ``best.deep.<name>``, as the weights: in
  checkpoints, what early stopping goes back to where that is not the last epoch.

Where a model has several scores, one for each class, tensors have an axis of them: ``bias``
(n_outputs,), ``linear`` (n_stored, n_outputs), ``factors`` (n_stored, n_outputs, …), ``state.bias``
(slots, n_outputs), ``state.linear`` (n_stored, slots, n_outputs) and so on; and n_parts counts the
parts of each class.

The metadata entry ``pyfm`` is a JSON object; see `pyfm.model_file.metadata`. To the score that the
tensors give, a reader adds its ``spec.prior_correction``.
"""

from __future__ import annotations

from collections.abc import Iterator

# NumPy's names and those of the format.
DTYPE_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "uint32": "U32",
    "uint16": "U16",
}
DTYPE_NAMES |= {"uint8": "U8", "int64": "I64", "uint64": "U64"}  # of encoders

ENCODER = "encoder."

FORMAT_VERSION = 1
METADATA_KEY = "pyfm"

# Rows are copied in pieces of about this many bytes.
_CHUNK_BYTES = 16 * 2**20


def chunks(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Cuts the rows of a table into pieces that fit the caches of the system, not its memory."""
    step = max(1, _CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
