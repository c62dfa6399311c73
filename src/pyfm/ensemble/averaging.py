"""Means of predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from pyfm.checks import check_choice, refuse

AVERAGES = ("probability", "logit")
TINY = 1e-15  # keeps the logarithms of certain predictions finite, as log-losses do


def average_probabilities(
    probabilities: Sequence[npt.ArrayLike],
    *,
    weights: npt.ArrayLike | None = None,
    average: str = "logit",
) -> npt.NDArray[np.float64]:
    r"""The mean of several models' probabilities, by default of their log-odds.

    .. math:: p = \sigma\Bigl(\sum_m w_m \log \frac{p_m}{1 - p_m}\Bigr), \qquad \sum_m w_m = 1

    Log-odds are the scale on which these models add up evidence: one that is sure counts for more
    there than in the mean of the probabilities, and the mean is not drawn towards 1/2.

    Parameters
    ----------
    probabilities : sequence of array-like, each of shape (n_rows,) or (n_rows, n_classes)
        Numbers in [0, 1]; of one shape. Columns are classes.
    weights : array-like of shape (n_models,), optional
        Finite numbers >= 0, divided by their sum. None: all are equal.
    average : {"logit", "probability"}, default="logit"
        What is averaged: log-odds (of several columns log-probabilities, after which each row is
        scaled to a sum of 1), or the probabilities themselves.

    Returns
    -------
    ndarray of float64 of the shape of one of them

    Raises
    ------
    ValueError
        For no models, numbers outside [0, 1], shapes and weights that do not fit.

    References
    ----------
    Genest, Zidek: Combining probability distributions. Statistical Science 1 (1986).

    Examples
    --------
    >>> from pyfm.ensemble import average_probabilities
    >>> average_probabilities([[0.5, 0.9], [0.5, 0.1]]).round(6).tolist()
    [0.5, 0.5]
    >>> average_probabilities([[0.5], [0.001]]).round(3).tolist()
    [0.031]
    """
    check_choice("average", average, AVERAGES)
    if isinstance(probabilities, str) or not isinstance(probabilities, Iterable):
        refuse("probabilities", "those of each model, in a list", probabilities)
    models = [_numbers(f"probabilities[{i}]", p) for i, p in enumerate(probabilities)]
    if not models:
        refuse("probabilities", "those of at least one model", "none")
    for i, p in enumerate(models):
        if p.ndim not in (1, 2):
            refuse(f"probabilities[{i}]", "1-D or 2-D", p.shape)
        if p.shape != models[0].shape:
            refuse(f"probabilities[{i}]", f"1-D or 2-D, shape {models[0].shape} as of [0]", p.shape)
        if not ((p >= 0) & (p <= 1)).all():
            refuse(f"probabilities[{i}]", "numbers in [0, 1]", "others")
    weight = _weights(weights, len(models))
    scaled = np.stack([to_scale(p, average) for p in models])
    return from_scale(np.asarray(np.tensordot(weight, scaled, 1)), average)


def to_scale(p: npt.NDArray[np.float64], average: str) -> npt.NDArray[np.float64]:
    """What the mean is taken of: probabilities, log-odds, or logarithms by class."""
    if average == "probability":
        return p
    return log_odds(p) if p.ndim == 1 else np.asarray(np.log(np.maximum(p, TINY)))


def log_odds(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Finite also where a model is certain."""
    return np.asarray(np.log(np.maximum(p, TINY)) - np.log(np.maximum(1 - p, TINY)))


def from_scale(mean: npt.NDArray[np.float64], average: str) -> npt.NDArray[np.float64]:
    """Probabilities again."""
    if average == "probability":
        return mean
    one: npt.NDArray[np.float64] = expit(mean) if mean.ndim == 1 else softmax(mean, axis=1)
    return one


def _numbers(name: str, given: npt.ArrayLike) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:  # strings, and rows of different lengths
        raise ValueError(f"{name}: expected an array of numbers, found {error}") from error


def _weights(given: npt.ArrayLike | None, n_models: int) -> npt.NDArray[np.float64]:
    weight = np.ones(n_models) if given is None else _numbers("weights", given)
    if weight.shape != (n_models,):
        refuse("weights", f"shape ({n_models},), one for each model", weight.shape)
    if not ((weight >= 0) & np.isfinite(weight)).all() or not weight.any():
        refuse("weights", "finite numbers >= 0, not all 0", weight.tolist())
    share: npt.NDArray[np.float64] = weight / weight.sum()
    return share
