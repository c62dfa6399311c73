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
            from pyfm.model_file import save  # loads scikit-learn

            save(env.model, self._path_of(env.epoch), progress=env.make_progress())
        return None

    def _path_of(self, epoch: int) -> str:
        return self._path.replace("{epoch}", str(epoch))


def checkpoint(path: str | os.PathLike[str], period: int = 1) -> Callback:
    """Saves the training after every `period` epochs; ``fit(…, resume_from=path)`` goes on with it.

    Each file is written beside its place and then renamed: whenever the process ends, by whatever
    means, `path` holds a whole checkpoint or nothing. (A process that is killed while it writes
    leaves a hidden ``.tmp`` file behind.)

    It is a model file, which `pyfm.load` reads, too: with the weights of the epoch, the parameters
    and the history so far. What it holds beyond that is the state of the optimizers (0 to 3 numbers
    beside each weight, see ``model.save``), the seeds that were drawn, and, while early stopping
    would go back to an earlier epoch, the weights of that one.

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
    >>> model = pyfm.LinearRegressor(epochs=6)
    >>> _ = model.fit([[0], [1]], [0.5, -0.5], resume_from=folder / "epoch-4.pyfm")
    >>> model.history_["epoch"]
    [1, 2, 3, 4, 5, 6]
    """
    if not isinstance(path, str | os.PathLike):
        refuse("path", "a path", path)
    return Checkpoint(os.fsdecode(path), check_int("period", period, 1))
