"""pyarrow, imported where it is first needed, and its types in the groups that matter here."""

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


def is_text(type_: Any) -> bool:
    types = arrow().types
    return bool(types.is_string(type_) or types.is_large_string(type_))


def is_list(type_: Any) -> bool:
    types = arrow().types
    is_any = types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)
    return bool(is_any)


def is_moment(type_: Any) -> bool:
    """Dates and times, but no durations."""
    types = arrow().types
    return bool(types.is_timestamp(type_) or types.is_date(type_) or types.is_time(type_))
