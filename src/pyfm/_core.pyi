"""The C++ core. Arrays are borrowed without a copy where the comment does not say otherwise."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# One word per width, as in base/types.h.
FeatureIds = NDArray[np.uint32]
FieldIds = NDArray[np.uint16]
Indices = NDArray[np.int64]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

class FormatError(ValueError): ...

# --- data ---------------------------------------------------------------------------------------

class Dataset:
    def __init__(
        self,
        *,
        indptr: Indices | None,
        features: FeatureIds,
        fields: FieldIds | None,
        values: Floats | None,
        y: Floats | None,
        weight: Floats | None,
        n_rows: int,
        n_features: int,
        n_fields: int,
    ) -> None: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_fields(self) -> int: ...
    @property
    def nnz(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def layout(self) -> Literal["one_per_field", "csr"]: ...
    @property
    def is_selection(self) -> bool:
        """Whether the rows are some of another data set, whose entries they share."""
    # Read-only views; None where the content is implied (see data/dataset.h). Of a selection, those
    # of the entries (the first four) are copies.
    @property
    def indptr(self) -> Indices | None: ...
    @property
    def features(self) -> FeatureIds: ...
    @property
    def fields(self) -> FieldIds | None: ...
    @property
    def values(self) -> Floats | None: ...
    @property
    def y(self) -> Floats | None: ...
    @property
    def weight(self) -> Floats | None: ...
    def slice(self, start: int, stop: int) -> Dataset: ...
    def take(self, rows: Indices) -> Dataset:
        """A selection of the rows, in that order."""
    def packed(self) -> Dataset:
        """The same rows in memory of their own, if they are a selection."""
    def with_targets(self, y: Floats | None, weight: Floats | None) -> Dataset: ...

class Augmentation:
    """Changes of the rows to train on; pyfm.Augmentation describes them."""

    def __init__(
        self,
        *,
        feature_dropout: float,
        unknown: Sequence[int],  # of each field, -1: nothing; empty: nothing in any
        value_noise: float,
        numeric_fields: Sequence[int],  # empty: all
        bootstrap: bool,
    ) -> None: ...
    def check(self, data: Dataset, *, n_features: int, n_fields: int) -> None:
        """Raises ValueError where it does not suit a model of such sizes and the rows."""

class TextReader:
    """Parses text in blocks of any size; `finish` hands over the rows read so far."""

    def __init__(
        self, *, name: str, format: Literal["libffm", "libsvm"], n_threads: int
    ) -> None: ...
    def feed(self, block: bytes | bytearray | memoryview) -> None: ...
    def read_file(self, path: bytes) -> None: ...  # as the file system spells it
    def finish(self) -> Dataset: ...
    # For text that is not held whole.
    @property
    def n_rows(self) -> int: ...
    def end_text(self) -> None: ...
    def take(self) -> Dataset:
        """The rows that are complete, maybe none; the text goes on."""
    @property
    def n_lines(self) -> int: ...  # of the complete rows, blank lines and the like included
    @property
    def n_pending(self) -> int: ...  # bytes that were fed after these
    def skip_lines(self, n: int) -> None:
        """The text that is fed begins after so many lines of the file."""

class Checksum:
    """That of `checksum`, of bytes that come in pieces."""

    def __init__(self) -> None: ...
    def add(self, block: bytes | memoryview | NDArray[Any]) -> None: ...
    @property
    def value(self) -> int: ...

def format_rows(data: Dataset, format: Literal["libffm", "libsvm"]) -> bytes:
    """Lines of text; without targets the labels are 0. Weights are left out."""

def checksum(block: bytes | memoryview | NDArray[Any]) -> int:
    """64 bits over contiguous bytes, those after the end up to a multiple of 64 taken as zeros."""

# --- models -------------------------------------------------------------------------------------

class EpochStats:
    @property
    def loss(self) -> float:
        """Weighted mean of the loss of every row, taken before the update it takes part in."""
    @property
    def seconds(self) -> float: ...

class EpochPosition:
    """How far an epoch has come whose rows come in pieces."""

    def __init__(self) -> None: ...
    @property
    def n_rows(self) -> int: ...

class NumberedRows: ...

class Snapshot:
    """A copy of the weights (not of the optimizers' state); empty until it is saved to."""

    def __init__(self) -> None: ...
    @property
    def bias(self) -> Floats:
        """Shape (n_outputs,); empty without linear weights."""

class StreamStats:
    @property
    def seconds(self) -> float: ...
    @property
    def finite(self) -> bool:
        """Scores, and the weights that were learned."""
    @property
    def undone(self) -> bool:
        """Whether the model is what it was before, since they are not."""

class Tower:
    """What the network of a deep model is made of."""

    def __init__(
        self,
        *,
        n_in: int,
        hidden: Sequence[int],
        activation: str,
        batch_norm: bool,
        inference: str,  # "population" or "moving_average"
        dropout: float,
        residual: int,  # hidden layers in a residual block; 0: there are none
    ) -> None: ...
    @property
    def shapes(self) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        """Of its weights, and of the statistics of its batches, by name.

        Raises ValueError for what no network can be made of.
        """

class Model:
    def __init__(
        self,
        *,
        kind: str,  # one of catalog()["models"] or catalog()["deep_models"]
        loss: str,  # one of catalog()["losses"], or "softmax" of several outputs
        n_features: int,
        n_fields: int,
        n_factors: int,  # 0 for "linear"
        linear: bool,  # linear terms and bias; must be True for "linear"
        normalize: bool,  # rows are scaled to unit Euclidean length
        init_scale: float,
        dtype: str,  # "float32" or "float16": of factors and their optimizer state
        seed: int,
        # Name and parameters of the optimizers of the parts; None: a model for prediction, without
        # optimizer state.
        linear_optimizer: tuple[str, Mapping[str, float]] | None,
        factor_optimizer: tuple[str, Mapping[str, float]] | None,
        deep_optimizer: tuple[str, Mapping[str, float]] | None = None,
        # Of deep models; its n_in is n_factors for each of the deep fields.
        tower: Tower | None = None,
        # Those with vectors, ascending; others are for the linear terms alone. Empty: all.
        deep_fields: Sequence[int] = (),
        # Scores of a row; more than 1 with "softmax": one for each class, y being their numbers.
        # What is said below of shapes is meant of one; of several, arrays have an axis more.
        n_outputs: int = 1,
    ) -> None:
        """Raises ValueError naming the argument, MemoryError naming features x fields x factors."""
    @property
    def nbytes(self) -> int:
        """Size of all tables: weights and optimizer state of the features that have rows."""
    @property
    def weight_nbytes(self) -> int:
        """Size of a Snapshot."""
    @property
    def features(self) -> FeatureIds:
        """The features that have rows: those of training data, or of `set_weights`. Ascending."""
    @property
    def features_by_row(self) -> FeatureIds:
        """The same in the order of their rows, which 16-bit rounding in batches depends on."""
    @property
    def seed(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def bias(self) -> Floats | None:
        """Shape (n_outputs,): a writable view; None without linear weights."""
    # Linear weights, shape (n,), or factors, shape (n, n_factors), of FFM
    # (n, n_fields, n_factors), of several outputs (n, n_outputs, …); of n features, None: of all in
    # the order of their ids.
    # Features without rows have weights 0. With a snapshot of this model: those that it holds.
    def weights(
        self,
        part: Literal["linear", "factors"],
        features: FeatureIds | None = None,
        snapshot: Snapshot | None = None,
    ) -> Floats: ...
    def set_weights(
        self,
        part: Literal["linear", "factors"],
        values: Floats,
        features: FeatureIds | None = None,
    ) -> None:
        """The features get rows, their optimizer state starts anew; weights of 0 are kept, too."""
    def add_rows(self, features: FeatureIds) -> None:
        """Rows in this order, with weights 0, for features that have none."""
    # The optimizer's state of features with rows, shape (n, slots, …) with … as of the weights;
    # catalog()["slots"] are the numbers of it beside each weight. Exact, whatever the storage, and
    # the same for every SIMD level. `set_weights` starts it anew: set it afterwards.
    def state(self, part: Literal["linear", "factors"], features: FeatureIds) -> Floats: ...
    def set_state(
        self, part: Literal["linear", "factors"], values: Floats, features: FeatureIds
    ) -> None: ...
    @property
    def bias_state(self) -> Floats | None:
        """Shape (slots,), of several outputs (slots, n_outputs); None without linear weights, and
        before the first epoch starts it."""
    def set_bias_state(self, values: Floats) -> None: ...
    @property
    def frequencies(self) -> Floats:
        """Occurrences per example that several threads expect of the features of the first rows:
        it decides which rows they keep copies of."""
    def set_frequencies(self, values: Floats) -> None: ...
    def set_optimizer(
        self,
        part: str,  # "linear", "factors" or "deep"
        optimizer: tuple[str, Mapping[str, float]],  # the name must be that of the constructor
    ) -> None:
        """Other parameters for the epochs to come; the optimizer's state stays."""
    def freeze(self, part: str, frozen: bool) -> None:
        """Whether training leaves a part of a deep model as it is."""
    # The network of a deep model; names as in `Tower.shapes`. Of slot 0 weights, shape
    # (rows, columns); others hold the optimizer's state. With a snapshot: what it holds.
    @property
    def is_deep(self) -> bool: ...
    def network_weights(
        self, name: str, *, slot: int = 0, snapshot: Snapshot | None = None
    ) -> Floats: ...
    def set_network_weights(self, name: str, values: Floats, *, slot: int = 0) -> None:
        """Of slot 0: the optimizer's state starts anew."""
    def network_statistics(self, name: str, *, snapshot: Snapshot | None = None) -> Doubles: ...
    def set_network_statistics(self, name: str, values: Doubles) -> None: ...
    def initialize(
        self, data: Dataset, *, n_threads: int, augmentation: Augmentation | None = None
    ) -> None:
        """Gives all features of `data` rows with initial weights, as the first epoch does.

        All features that training will meet: unknowns too, and what a bootstrap sample holds.
        """
    def number_rows(self, data: Dataset, *, n_threads: int) -> NumberedRows | None:
        """What saves several epochs the look-up of features, of data that were initialized.

        None where its four bytes for each stored entry, with those of other data, would take more
        than an eighth of the memory that is left, or most of what is stored is not selected.
        """
    # The same in pieces: forget_counts, all pieces, and initialize_counted with the rows of all;
    # then, unless all fields are deep, initialize_vectors with all pieces.
    def forget_counts(self) -> None: ...
    def count_piece(
        self,
        piece: Dataset,
        *,
        place: int,  # of its first row among all
        n_threads: int,
        augmentation: Augmentation | None = None,
    ) -> None: ...
    def initialize_counted(
        self, n_rows: int, *, n_threads: int, augmentation: Augmentation | None = None
    ) -> None: ...
    @property
    def all_fields_are_deep(self) -> bool: ...
    def initialize_vectors(self, piece: Dataset, *, n_threads: int) -> None: ...
    def train_epoch(
        self,
        data: Dataset,
        *,
        epoch: int,  # 0, 1, …: selects the permutation together with the seed
        shuffle: bool,
        n_threads: int,
        poll: Callable[[int], object] | None,  # called now and then with the number of rows done
        batch_size: int = 1,  # 1: example-wise; 0: all rows are one batch
        augmentation: Augmentation | None = None,
        position: EpochPosition | None = None,
        numbered: NumberedRows | None = None,  # of these data; without augmentation
    ) -> EpochStats:
        """One pass over the rows. Ctrl-C and exceptions from `poll` end it at once.

        With a position, rows are a piece of the epoch, which goes on there; whole batches, but for
        the last piece. The statistics are those of the epoch so far.
        """
    # Features get rows once so many examples have held them: of the data that `initialize` sees, or
    # of all that `learn` has seen since. Before, they are ignored.
    min_count: int
    @property
    def n_features(self) -> int: ...
    @property
    def n_admitted(self) -> int:
        """Features that have rows."""
    @property
    def n_counted(self) -> int:
        """Features without a row that were met."""
    @property
    def counts(self) -> tuple[FeatureIds, NDArray[np.uint32]]:
        """These features, ascending, and in how many examples. Copies."""
    def set_counts(self, features: FeatureIds, counts: NDArray[np.uint32]) -> None:
        """Of features without a row."""
    # Where the random numbers of 16-bit rounding go on in a stream: the batches so far, and, shape
    # (n_parts, 16), what follows the last row that was learned by itself; no parts before.
    @property
    def n_batches(self) -> int: ...
    @property
    def stream_noise(self) -> NDArray[np.uint32]: ...
    def set_stream_position(self, n_batches: int, noise: NDArray[np.uint32]) -> None: ...
    def learn(
        self, data: Dataset, *, n_threads: int, batch_size: int
    ) -> tuple[Floats, StreamStats]:
        """Learns rows of a stream once, in their order; the feature space grows with theirs.

        Returns the score of each row before it was learned, shape (n_rows,), of several outputs
        (n_rows, n_outputs). Exceptions, and
        numbers that are not finite, leave the model as it was where that takes less than 64 MiB.
        """
    def decision_function(self, data: Dataset, *, n_threads: int) -> Floats:
        """Raw scores, shape (n_rows,), of several outputs (n_rows, n_outputs). Thread-safe.

        Unknown features and fields are ignored.
        """
    def predict(self, data: Dataset, *, n_threads: int) -> Doubles:
        """Scores through the inverse link: probabilities for "logistic", scores for "squared",
        those of all classes for "softmax"."""
    def is_finite(self, *, n_threads: int) -> bool:
        """Whether no weight is NaN or infinite."""
    def save(self, snapshot: Snapshot) -> None:
        """Overwrites `snapshot`, in the memory that it has already."""
    def restore(self, snapshot: Snapshot) -> None: ...

# --- layers: batches of shape (batch, features) ---------------------------------------------------

class Layer:
    @property
    def n_in(self) -> int: ...
    @property
    def n_out(self) -> int: ...
    def parameters(self) -> list[tuple[str, int, int]]:
        """(name, rows, columns), in the order in which the methods below take their arrays, of
        shape (rows, columns), or (columns,) where there is one row."""
    def initialize(self, values: Sequence[Floats], seed: int) -> None: ...
    def bind(self, values: Sequence[Floats], gradients: Sequence[Floats]) -> None: ...
    def buffers(self) -> dict[str, Doubles]:
        """Views of the state that is not trained."""
    def start_epoch(self) -> None: ...
    def forward(self, x: Floats, out: Floats, *, key: int, n_threads: int) -> None:
        """Keeps both arrays for `backward`. n_threads 0: all processors."""
    def backward(self, dout: Floats, dx: Floats | None) -> None: ...
    def predict(self, x: Floats, out: Floats, *, n_threads: int) -> None:
        """Thread-safe."""

def use_sgemm(sgemm: Any) -> None:
    """SciPy's capsule."""

def dense(n_in: int, n_out: int, *, bias: bool, activation: str, init: str) -> Layer: ...
def batch_norm(n: int, *, eps: float, momentum: float, inference: str, relu: bool) -> Layer: ...
def layer_norm(n: int, *, eps: float) -> Layer: ...
def dropout(n: int, rate: float) -> Layer: ...
def activation(n: int, name: str, *, alpha: float | None) -> Layer: ...
def prelu(n: int) -> Layer: ...

# These take their layers away.
def residual(inner: Layer, *, init: str) -> Layer: ...
def sequential(layers: Sequence[Layer]) -> Layer: ...
def tower(
    n_in: int,
    *,
    hidden: Sequence[int],
    activation: str,
    batch_norm: bool,
    eps: float,
    momentum: float,
    inference: str,
    dropout: float,
    residual: int,
) -> Layer: ...

# --- metrics: y, prediction (on the scale of y), weight (None: all 1) -----------------------------

def logloss(y: Floats, prediction: Doubles, weight: Floats | None) -> float: ...
def auc(y: Floats, prediction: Doubles, weight: Floats | None) -> float: ...
def rmse(y: Floats, prediction: Doubles, weight: Floats | None) -> float: ...
def accuracy(y: Floats, prediction: Doubles, weight: Floats | None) -> float: ...

# --- the library itself ---------------------------------------------------------------------------

def catalog() -> dict[str, Any]:
    """Names of `models`, `deep_models`, `optimizers` (each with its parameters), `losses`,
    `metrics`; `slots`: the numbers of state that each optimizer keeps beside a weight. FTRL with L1
    is the optimizer "ftrl_l1"."""

def simd_levels() -> list[str]:
    """Levels that this build has and this processor runs, slowest first."""

def simd() -> str: ...
def set_simd(level: str) -> None: ...
def build_info() -> dict[str, Any]: ...
def max_threads() -> int:
    """What OpenMP would use, which its users limit (OMP_NUM_THREADS and the like)."""
