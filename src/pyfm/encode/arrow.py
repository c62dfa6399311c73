"""pyarrow, imported where it is first needed."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def arrow() -> Any:
    """The module pyarrow, with its compute kernels.

    Raises
    ------
    ImportError
        With what to install.
    """
    try:
        import pyarrow
        import pyarrow.compute
    except ImportError as error:
        raise ImportError(
            "columns of tables are encoded by pyarrow, which is not installed: "
            "pip install 'pyfm-ctr[arrow]'"
        ) from error
    return pyarrow
