"""How many threads `n_jobs` means, alone and inside joblib's workers."""

from __future__ import annotations

import multiprocessing
import threading

import joblib
from joblib.parallel import get_active_backend

from pyfm import _core
from pyfm.checks import MAX_THREADS, check_int, refuse


def n_threads(n_jobs: int | None) -> int:
    """Threads as scikit-learn counts them: None is 1, -1 all `processors`, -2 all but one.

    A number > 0 is taken at its word. None is 1 in a context of joblib's, too: more threads would
    change results.
    """
    if n_jobs is None:
        return 1
    if check_int("n_jobs", n_jobs, -MAX_THREADS, MAX_THREADS) == 0:
        refuse("n_jobs", "a number of threads, -1 for all cores, or None for 1", n_jobs)
    return n_jobs if n_jobs > 0 else max(1, processors() + 1 + n_jobs)


def processors() -> int:
    """Those that the calling thread may use, without taking them from its siblings.

    Of the process: what affinity, cgroups and LOKY_MAX_CPU_COUNT leave, and OpenMP's own limit
    (OMP_NUM_THREADS, threadpoolctl), which in joblib's processes is their share. Workers that have
    no share of their own, threads and the processes of multiprocessing, are one of many: 1.
    """
    backend, _ = get_active_backend()
    if backend.nesting_level and (
        threading.current_thread() is not threading.main_thread()
        or multiprocessing.current_process().daemon
    ):
        return 1
    return int(min(joblib.cpu_count(), _core.max_threads()))
