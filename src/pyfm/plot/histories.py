"""How models learn: their histories as curves."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pyfm.checks import check_choice, refuse
from pyfm.metrics.registry import METRICS
from pyfm.plot.axes import axes_or_new, color_of, documented, legend, light_grid, matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {
    "logloss": "log-loss (nats per row)",
    "auc": "AUC",
    "rmse": "RMSE (unit of the target)",
    "mae": "MAE (unit of the target)",
    "r2": "R²",
    "brier": "Brier score",
}


class _Past(NamedTuple):
    """What was recorded of a model."""

    history: Mapping[str, Sequence[float]]
    best_epoch: int  # 0: not known

    @property
    def number(self) -> str:
        return "epoch" if "epoch" in self.history else "call"

    def sets(self, metric: str) -> dict[str, Sequence[float]]:
        """The columns of a metric, by the name of the set of rows."""
        suffix = f"_{metric}"
        return {
            name.removesuffix(suffix): column
            for name, column in self.history.items()
            if name.endswith(suffix)
        }

    def metric(self) -> str:
        """That of the training loss, which each history has."""
        return next((m for m in ("logloss", "rmse") if self.sets(m)), "logloss")

    def x(self, what: str) -> Sequence[float]:
        if what == "epoch":
            return self.history[self.number]
        total, totals = 0.0, []
        for seconds in self.history["seconds"]:
            total += seconds
            totals.append(total)
        return totals


@documented
def learning_curves(
    models: Any, *, metric: str | None = None, x: str = "epoch", ax: Axes | None = None
) -> Axes:
    """A metric on each set of rows, epoch by epoch, with the best epoch marked.

    Parameters
    ----------
    models : fitted estimator, history, or a list or dict of them
        Several models by name: a colour for each; of a list, the names are the classes. The sets of
        rows differ by their dashes: training rows dashed, the first other set solid.
    metric : str, optional
        One that the histories have, such as "auc"; None: the loss. Sets without it are left out.
    x : {"epoch", "seconds"}, default="epoch"
        What is to the right: epochs (calls, of `partial_fit`), or seconds of training.
    {ax}

    Raises
    ------
    ValueError
        For what is no fitted model, and a metric that a history does not have.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=100, random_state=0)
    >>> model = pyfm.FMClassifier(epochs=5, random_state=0).fit(rows[:1500], eval_set=rows[1500:])
    >>> ax = pyfm.plot.learning_curves(model)
    >>> [line.get_label() for line in ax.lines[:2]]
    ['train', 'valid']
    """
    found = _named(models)
    check_choice("x", x, ("epoch", "seconds"))
    metric = _metric(metric, list(found.values()))
    ax = axes_or_new(ax)
    for number, (name, past) in enumerate(found.items()):
        others = iter(("-", ":", "-.", (0, (5, 1)), (0, (1, 1))))
        for rows, values in past.sets(metric).items():
            dashes = "--" if rows == "train" else next(others, "-")
            label = rows if len(found) == 1 else f"{name}, {rows}"
            color = color_of(number)
            ax.plot(past.x(x), values, color=color, linestyle=dashes, linewidth=1.5, label=label)
            if rows != "train":
                _mark_best(ax, past, x, values, color)
    _finish(ax, metric, x, list(found.values()))
    if len(found) > 1:  # above, a column for each model: so many lines leave no room inside
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(len(found), 4), frameon=False
        )
    return ax


@documented
def optimizer_comparison(
    models: Any,
    *,
    metric: str | None = None,
    data: str | None = None,
    x: str = "epoch",
    ax: Axes | None = None,
) -> Axes:
    """A metric on one set of rows: a line for each optimizer, with its best epoch marked.

    Parameters
    ----------
    models : dict from names to fitted estimators, or to lists of them; or a list of estimators
        Several estimators of one name, such as those of several seeds: the line is their median,
        epoch by epoch, in a band from the least to the greatest. Those of a list are named by their
        optimizer and its learning rate.
    metric : str, optional
        One that all histories have; None: the loss.
    data : str, optional
        The name of the set of rows; None: the first one that is not "train", if there is one.
    x : {"epoch", "seconds"}, default="epoch"
        What is to the right: epochs, or seconds of training, of several estimators their medians.
    {ax}

    Raises
    ------
    ValueError
        For what is no fitted model, and a metric or set that a history does not have.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import pyfm
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=100, random_state=0)
    >>> models = [
    ...     pyfm.FMClassifier(optimizer=name, epochs=3, random_state=0).fit(
    ...         rows[:1500], eval_set=rows[1500:]
    ...     )
    ...     for name in ("adagrad", "sgd")
    ... ]
    >>> ax = pyfm.plot.optimizer_comparison(models)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['adagrad, η=0.1', 'sgd, η=0.05']
    """
    groups = _groups(models)
    check_choice("x", x, ("epoch", "seconds"))
    pasts = [past for group in groups.values() for past in group]
    metric = _metric(metric, pasts)
    data = _set(data, metric, pasts)
    ax = axes_or_new(ax)
    for number, (name, group) in enumerate(groups.items()):
        color = color_of(number)
        length = min(len(past.sets(metric)[data]) for past in group)
        at = list(zip(*(past.x(x)[:length] for past in group), strict=True))
        values = list(zip(*(past.sets(metric)[data][:length] for past in group), strict=True))
        places, middle = [statistics.median(a) for a in at], [statistics.median(v) for v in values]
        ax.plot(places, middle, color=color, linewidth=1.5, label=name)
        if len(group) > 1:
            low, high = [min(v) for v in values], [max(v) for v in values]
            ax.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
        if middle:
            best = max(range(length), key=lambda i: METRICS[metric].goodness(middle[i]))
            ax.plot(places[best], middle[best], "o", color=color, markersize=5)
    _finish(ax, metric, x, pasts, data)
    return ax


def _named(models: Any) -> dict[str, _Past]:
    if isinstance(models, Mapping) and not _is_history(models):
        found = {str(name): _past(f"models[{name!r}]", of) for name, of in models.items()}
    elif isinstance(models, list | tuple):
        names = _different([type(model).__name__ for model in models])
        pasts = [_past(f"models[{i}]", model) for i, model in enumerate(models)]
        found = dict(zip(names, pasts, strict=True))
    else:
        return {"": _past("models", models)}
    if not found:
        refuse("models", "at least one fitted model", models)
    return found


def _groups(models: Any) -> dict[str, list[_Past]]:
    if isinstance(models, Mapping) and not _is_history(models):
        found = {
            str(name): [_past(f"models[{name!r}]", model) for model in _list(of)]
            for name, of in models.items()
        }
    elif isinstance(models, list | tuple):
        pasts = [[_past(f"models[{i}]", model)] for i, model in enumerate(models)]
        names = _different(
            [_optimizer_of(model, past) for model, [past] in zip(models, pasts, strict=True)]
        )
        found = dict(zip(names, pasts, strict=True))
    else:
        refuse("models", "a list of fitted models, or a dict from names to them", models)
    if not found or not all(found.values()):
        refuse("models", "at least one fitted model, and one for each name", models)
    return found


def _list(of: Any) -> Sequence[Any]:
    return of if isinstance(of, list | tuple) else [of]


def _past(where: str, model: Any) -> _Past:
    if _is_history(model):
        return _Past(model, getattr(model, "best_epoch", 0))
    history = getattr(model, "history_", None)
    if history is None or not _is_history(history):
        refuse(where, "a fitted model, or its history_", model)
    return _Past(history, history.best_epoch)


def _is_history(of: Any) -> bool:
    return isinstance(of, Mapping) and ("epoch" in of or "call" in of)


def _different(names: Sequence[str]) -> list[str]:
    """With numbers where several are the same."""
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _optimizer_of(model: Any, past: _Past) -> str:
    """As in "adagrad, η=0.1", of the first epoch."""
    of = getattr(model, "optimizer", None)
    name = of if isinstance(of, str) else "default" if of is None else type(of).__name__.lower()
    if isinstance(of, Mapping):
        name = " + ".join(
            part if isinstance(part, str) else type(part).__name__.lower() for part in of.values()
        )
    rates = past.history.get("learning_rate", [])
    return f"{name}, η={rates[0]:g}" if len(rates) else name


def _metric(given: str | None, pasts: Sequence[_Past]) -> str:
    metric = pasts[0].metric() if given is None else check_choice("metric", given, list(METRICS))
    for past in pasts:
        if not past.sets(metric):
            refuse("metric", f"one of {', '.join(_metrics(past))}, which were recorded", metric)
    return metric


def _metrics(past: _Past) -> list[str]:
    return [metric for metric in METRICS if past.sets(metric)]


def _set(given: str | None, metric: str, pasts: Sequence[_Past]) -> str:
    names = list(pasts[0].sets(metric))
    data = given or next((name for name in names if name != "train"), names[0])
    for past in pasts:
        if data not in past.sets(metric):
            refuse("data", f"one of {', '.join(past.sets(metric))}, which have {metric}", data)
    return data


def _mark_best(ax: Axes, past: _Past, x: str, values: Sequence[float], color: str) -> None:
    epochs = list(past.history[past.number])
    if past.best_epoch in epochs:
        at = epochs.index(past.best_epoch)
        ax.plot(past.x(x)[at], values[at], "o", color=color, markersize=5)


def _finish(ax: Axes, metric: str, x: str, pasts: Sequence[_Past], data: str | None = None) -> None:
    label = _LABELS.get(metric, metric.replace("_", " "))
    ax.set_ylabel(f"{label}, {data} rows" if data else label)
    if x == "seconds":
        ax.set_xlabel("seconds of training")
        ax.set_xlim(left=0)
    else:
        ax.set_xlabel(pasts[0].number if pasts[0].number == "epoch" else "call of partial_fit")
        ax.xaxis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True))
    light_grid(ax)
    legend(ax)
