"""What all layers do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.blas import one_thread
from pyfm.checks import MAX_THREADS, check_bool, check_int, refuse
from pyfm.nn.docs import documented

Floats = NDArray[np.float32]


class Layer:
    """A layer, on batches: float32 arrays with a row for each example. The classes below make them.

    Arrays are not copied: they have to be float32, and the numbers of a row have to lie side by
    side; anything else is refused. NaN and infinite numbers are not looked for, and go through the
    arithmetic as numbers do: NaN comes out where it goes in, unless it is dropped.

    One thread at a time may train a layer; `predict` may be called by several at once.

    Attributes
    ----------
    n_in, n_out : int
        Widths of input and output.
    parameters : dict of str to ndarray of float32
        What is trained, by name; change the arrays in place.
    gradients : dict of str to ndarray of float32
        Gradients of the loss by the parameters, which `backward` overwrites.
    buffers : dict of str to ndarray of float64
        State that is not trained: the statistics of batch normalization.
    """

    def __init__(
        self,
        core: _core.Layer,
        values: Iterable[Floats] | None = None,
        gradients: Iterable[Floats] | None = None,
    ) -> None:
        self._core = core
        named = core.parameters()
        names = [name for name, _, _ in named]
        shapes = [(rows, n) if name.endswith("weight") else (n,) for name, rows, n in named]
        self._values = list(values) if values is not None else [np.empty(s, "f") for s in shapes]
        self._gradients = (
            list(gradients) if gradients is not None else [np.zeros(s, "f") for s in shapes]
        )
        self._multiplies = any(name.endswith("weight") for name in names)
        self._batches = 0
        with self._blas():
            core.bind(self._values, self._gradients)
        self.n_in, self.n_out = core.n_in, core.n_out
        self.parameters = dict(zip(names, self._values, strict=True))
        self.gradients = dict(zip(names, self._gradients, strict=True))
        self.buffers = core.buffers()

    def initialize(self, random_state: int | None = None) -> None:
        """Gives all parameters their initial values.

        Parameters
        ----------
        random_state : int, optional
            The same number gives the same values; without one they differ each time.

        Examples
        --------
        >>> from pyfm import nn
        >>> layer = nn.Dense(3, 2)
        >>> layer.initialize(random_state=0)
        >>> layer.parameters["bias"]
        array([0., 0.], dtype=float32)
        """
        if random_state is None:
            random_state = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self._core.initialize(self._values, check_int("random_state", random_state, 0, 2**64 - 1))

    @partial(documented, n_out="n_out")
    def forward(
        self, x: Floats, *, seed: int | None = None, n_threads: int = 1, out: Floats | None = None
    ) -> Floats:
        """Output for a batch to train on.

        Parameters
        ----------
        x : ndarray of float32, shape (batch, n_in)
            Kept until `backward`: do not change it before.
        seed : int, optional
            What dropout drops is a pure function of it and of the place in the batch. By default
            the number of calls so far.
        {into}

        Returns
        -------
        ndarray of float32, shape (batch, n_out)
            Do not change it before `backward`.

        Raises
        ------
        ValueError
            If an array or a parameter is not as described, or a batch of fewer than two rows has to
            be normalized.
        """
        key = self._batches if seed is None else check_int("seed", seed, 0, 2**64 - 1)
        self._batches += 1
        out = output(out, "out", x, "x", self.n_out)
        with self._blas():
            self._core.forward(x, out, key=key, n_threads=check_threads(n_threads))
        return out

    def backward(
        self, dout: Floats, *, input_gradient: bool = True, dx: Floats | None = None
    ) -> Floats | None:
        """Gradients of a loss by the input and, in `gradients`, by the parameters.

        Parameters
        ----------
        dout : ndarray of float32, shape (batch, n_out)
            Gradient of the loss by the output of the last `forward`.
        input_gradient : bool, default=True
            False: that by the input is not computed.
        dx : ndarray of float32, shape (batch, n_in), optional
            Where to write, apart from `dout` and the arrays of `forward`; by default a new array.

        Returns
        -------
        ndarray of float32, shape (batch, n_in), or None

        Raises
        ------
        ValueError
            If there was no `forward`, or an array is not as described.
        """
        if check_bool("input_gradient", input_gradient):
            dx = output(dx, "dx", dout, "dout", self.n_in)
        elif dx is not None:
            refuse("dx", "None without the input gradient", dx)
        with self._blas():
            self._core.backward(dout, dx)
        return dx

    @partial(documented, n_out="n_out")
    def predict(self, x: Floats, *, n_threads: int = 1, out: Floats | None = None) -> Floats:
        """Output for rows that are not trained on; several threads may call it at once.

        Parameters
        ----------
        x : ndarray of float32, shape (batch, n_in)
            Any number of rows.
        {into}

        Returns
        -------
        ndarray of float32, shape (batch, n_out)
            Without dropout, and normalized by the statistics of training.

        {raises}
        """
        out = output(out, "out", x, "x", self.n_out)
        with self._blas():
            self._core.predict(x, out, n_threads=check_threads(n_threads))
        return out

    def start_epoch(self) -> None:
        """Begins an epoch: the population estimate of `BatchNorm` is made of its batches."""
        self._core.start_epoch()

    def _blas(self) -> AbstractContextManager[None]:
        return one_thread() if self._multiplies else nullcontext()


def check_threads(n: object) -> int:
    return check_int("n_threads", n, 0, MAX_THREADS)


def check_array(name: str, value: object, expected: str = "an array of float32") -> Floats:
    """An array; the core checks its type, its shape and how it lies in memory."""
    if not isinstance(value, np.ndarray):
        refuse(name, expected, value)
    return value


def check_matrix(name: str, value: object, shape: str = "(batch, features)") -> Floats:
    expected = f"an array of float32, shape {shape}"
    array = check_array(name, value, expected)
    if array.ndim != 2:
        refuse(name, expected, array.shape)
    return array


def output(given: Floats | None, given_name: str, of: Floats, name: str, width: int) -> Floats:
    """The array to write to, with as many rows as `of`, the array that is read."""
    check_matrix(name, of)
    if given is None:
        return np.empty((len(of), width), np.float32)
    check_array(given_name, given)
    if np.may_share_memory(given, of):
        raise ValueError(
            f"{given_name}: expected an array apart from {name}, found one that shares its memory"
        )
    return given
