"""The sections that the docstrings of layers and of pairs of functions share, written once."""

from __future__ import annotations

from typing import TypeVar

from pyfm.checks import MAX_THREADS
from pyfm.docstrings import fill_in

_Documented = TypeVar("_Documented")

_INTO = """
n_threads : int in [0, {max_threads}], default=1
    0: all processors. The result does not depend on it.
out : ndarray of float32, shape (batch, {n_out}), optional
    Where to write, apart from `x`; by default a new array.
"""

_OUT_AND_CACHE = """
Returns
-------
out : ndarray of float32, shape (batch, {n_out})
cache
    For `{name}_backward`; holds the arrays, which have to stay as they are until then.
"""

_BACK = """
Parameters
----------
dout : ndarray of float32, shape (batch, {n_out})
    Gradient of a loss by the output.
cache
    Of the forward call, whose `n_threads` is used here, too.
dx : ndarray of float32, shape (batch, {n_in}), optional
    Where to write, apart from `dout` and the arrays in the cache; by default a new array.
"""

_RAISES = """
Raises
------
ValueError
    If an array or a parameter is not as described; the message names it.
"""

_RAISES_BACK = """
Raises
------
ValueError
    If an array is not as described, or the cache is of another function.
"""

_PAPERS = {
    "delving_deep": """
References
----------
K. He et al.: Delving deep into rectifiers. ICCV 2015.
""",
    "batch_normalization": """
References
----------
S. Ioffe, C. Szegedy: Batch normalization: accelerating deep network training by reducing
internal covariate shift. ICML 2015.
""",
    "layer_normalization": """
References
----------
J. L. Ba, J. R. Kiros, G. E. Hinton: Layer normalization. arXiv:1607.06450, 2016.
""",
    "dropout": """
References
----------
N. Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting. JMLR
15, 2014.
""",
}


def documented(
    described: _Documented, *, n_in: str = "features", n_out: str = "features"
) -> _Documented:
    """Puts the shared sections in their places in the docstring of a layer or a function."""
    name = getattr(described, "__name__", "").removesuffix("_forward")
    return fill_in(
        described, into=_INTO, pair=_INTO + _OUT_AND_CACHE + _RAISES, back=_BACK, raises=_RAISES,
        raises_back=_RAISES_BACK, **_PAPERS, name=name, n_in=n_in, n_out=n_out,
        max_threads=str(MAX_THREADS),
    )  # fmt: skip
