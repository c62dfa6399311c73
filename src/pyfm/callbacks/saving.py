"""Model files written during a training."""

from __future__ import annotations

import os

from pyfm.atomic_file import check_destination
from pyfm.callbacks.base import Callback, CallbackEnv
from pyfm.checks import check_int, refuse


class Checkpoint(Callback):
    """Saves the model every few epochs."""

    def __init__(self, path: str, period: int) -> None:
        self._path = path
        self._period = period

    def before_training(self, env: CallbackEnv) -> None:
        check_destination(self._path_of(env.epoch))  # now, and not after hours

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        if env.epoch % self._period == 0:
            env.model.save(self._path_of(env.epoch))
        return None

    def _path_of(self, epoch: int) -> str:
        return self._path.replace("{epoch}", str(epoch))


def checkpoint(path: str | os.PathLike[str], period: int = 1) -> Callback:
    """Saves the model as it is after every `period` epochs, as ``model.save`` does.

    Each file is written beside its place and then renamed: whenever the process ends, by whatever
    means, `path` holds a whole model or nothing. (A process that is killed while it writes leaves a
    hidden ``.tmp`` file behind.) The file holds the weights, the parameters and the history of the
    epochs so far, but no optimizer state.

    Parameters
    ----------
    path : str or path-like
        File to write. ``{epoch}`` in it becomes the number of the epoch: one file for each;
        otherwise the newest replaces the one before.
    period : int >= 1, default=1
        Epochs whose number is a multiple of it are saved.

    Returns
    -------
    Callback

    Raises
    ------
    ValueError
        If `path` is no path, or `period` out of its range.
    OSError
        From `fit`, before the first epoch, if no file can be made at `path`; later, if it cannot
        be written. The file of the epochs before stays.

    Examples
    --------
    >>> import pathlib, tempfile, pyfm
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> save = pyfm.callbacks.checkpoint(folder / "epoch-{epoch}.pyfm", period=2)
    >>> _ = pyfm.LinearRegressor(epochs=5).fit([[0], [1]], [0.5, -0.5], callbacks=[save])
    >>> sorted(file.name for file in folder.iterdir())
    ['epoch-2.pyfm', 'epoch-4.pyfm']
    >>> pyfm.load(folder / "epoch-4.pyfm").n_iter_
    4
    """
    if not isinstance(path, str | os.PathLike):
        refuse("path", "a path", path)
    return Checkpoint(os.fsdecode(path), check_int("period", period, 1))
