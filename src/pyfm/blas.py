"""SciPy's BLAS, which multiplies the matrices of the layers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from pyfm import _core

_lock = threading.Lock()
_users = 0
_limits: Any = None


@functools.cache
def load() -> Any:
    """Hands SciPy's sgemm to the core; what controls the threads of all BLAS libraries."""
    from scipy.linalg import cython_blas
    from threadpoolctl import ThreadpoolController

    _core.use_sgemm(cython_blas.__pyx_capi__["sgemm"])
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS on the calling thread alone, since the core calls it from threads of its own.

    It holds for the whole process. Of several threads that are in here at once, the first sets the
    limit, and the last one to leave lifts it.
    """
    global _users, _limits
    with _lock:
        controller = load()
        if _users == 0:
            _limits = controller.limit(limits=1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.restore_original_limits()


def for_model(model: _core.Model) -> AbstractContextManager[None]:
    """`one_thread` while a deep model works; others need no BLAS."""
    return one_thread() if model.is_deep else nullcontext()
