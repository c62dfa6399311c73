"""What ensembles gain on raw Criteo files, in validation log-loss.

    python bench/ensembles.py TRAIN VALID --threads 2

Files as for criteo.py; needs LightGBM (`pip install 'pyfm-ctr[gbdt]'`). The members' settings are
those of criteo.py, each stopped after the epochs that were best there, on the same validation rows;
those of the trees were tried out on these rows, too. What combines members sees training rows only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import curves
import deep_search
import numpy as np
from common import RESULTS, write_json
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score

import pyfm
from pyfm.ensemble import (
    BaggingClassifier,
    FieldColumns,
    GBDTFeatures,
    StackingClassifier,
    average_probabilities,
    contributions,
    default_members,
)
from pyfm.ensemble.forests import default_forest

Found = dict[str, list[tuple[float, float, float]]]  # log-loss, AUC, seconds, by seed


def members() -> dict[str, Any]:
    """Criteo's settings, and LightGBM on the columns of the same rows."""
    best = deep_search.CRITEO[-1]
    fixed = {"epochs": 4}  # three to six were best

    def params(given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name != "patience"} | fixed

    return {
        "linear": pyfm.LinearClassifier(learning_rate=0.05, l2=0.0, epochs=2),
        "fm": pyfm.FMClassifier(**params(best.without_network())),
        "ffm": pyfm.FFMClassifier(n_factors=4, learning_rate=0.1, l2=8e-5, linear=True, epochs=21),
        "deepfm": pyfm.DeepFMClassifier(**params(best.params())),
        "lightgbm": dict(default_members())["lightgbm"],
    }


class Run:
    """One seed: everything is fitted to `train` and judged on `valid`."""

    def __init__(
        self, train: pyfm.Dataset, valid: pyfm.Dataset, seed: int, args: argparse.Namespace
    ) -> None:
        self.train, self.valid, self.seed, self.args = train, valid, seed, args
        self.found: Found = {}
        self.clicks: dict[str, np.ndarray] = {}  # predictions by name

    def add(self, name: str, predict: Callable[[], np.ndarray]) -> None:
        """Runs it if it is asked for, and prints what came of it."""
        if self.args.only not in name:
            return
        start = time.perf_counter()
        click = predict()
        seconds = time.perf_counter() - start
        y = self.valid.y
        loss, auc = float(log_loss(y, click)), float(roc_auc_score(y, click))
        self.found[name] = [(loss, auc, seconds)]
        self.clicks[name] = click
        print(f"seed {self.seed}, {name}: {loss:.5f}, AUC {auc:.5f}, {seconds:.0f} s", flush=True)

    def single(self, name: str, model: Any) -> None:
        def predict() -> np.ndarray:
            made = _seeded(model, self.seed)
            made.fit(self.train.with_targets(None), self.train.y)
            return made.predict_proba(self.valid.with_targets(None))[:, 1]

        self.add(name, predict)

    def with_trees(self, name: str, model: Any, output: str) -> None:
        """A model of the rows with fields of trees, which are learned once for all models."""

        def predict() -> np.ndarray:
            train, encodings = self._features(output)
            made = _seeded(model, self.seed).fit(train)
            return average_probabilities([made.predict_proba(rows)[:, 1] for rows in encodings])

        self.add(name, predict)

    def _features(self, output: str) -> tuple[pyfm.Dataset, list[pyfm.Dataset]]:
        known = self.__dict__.setdefault("_known", {})
        if output not in known:
            if output == "in-sample":
                known[output] = _in_sample(self.train, self.valid, self.seed)
            else:
                features = GBDTFeatures(
                    output=output, n_jobs=self.args.threads, random_state=self.seed
                )
                train = features.fit_transform(self.train)
                of_score = output == "score"
                encodings = [features.transform(self.valid)] if of_score else None
                known[output] = train, encodings or list(features.encodings(self.valid))
        return known[output]

    def bagging(self, name: str, model: Any, *, bootstrap: bool) -> None:
        bag = BaggingClassifier(
            model,
            n_estimators=10,
            bootstrap=bootstrap,
            average="logit",
            n_jobs=self.args.threads,
            random_state=self.seed,
        )
        self.add(name, lambda: bag.fit(self.train).predict_proba(self.valid)[:, 1])

    def stack(self) -> None:
        stack = StackingClassifier(
            list(members().items()), n_jobs=self.args.threads, random_state=self.seed
        )
        self.add("stack", lambda: stack.fit(self.train).predict_proba(self.valid)[:, 1])
        if "stack" not in self.found:
            return
        print("\n| member | alone (mean of 5 folds) | stack so far | stack without it |")
        print("| --- | --- | --- | --- |")
        for added in contributions(stack, self.valid):
            print(f"| {added.name} | " + " | ".join(f"{loss:.5f}" for loss in added[1:]) + " |")
        weights = zip(members(), stack.final_estimator_.coef_[0].round(2), strict=True)
        print("weights:", ", ".join(f"{name} {weight}" for name, weight in weights), "\n")
        scores = stack.member_scores(self.valid)
        self.add("mean of the stack's members", lambda: _probability(scores.mean(axis=1)))

    def means(self) -> None:
        """Of log-odds, with nothing to learn."""
        for names in (
            ("fm", "lightgbm"),
            ("ffm", "lightgbm"),
            ("fm + score", "lightgbm"),
            ("stack", "fm + score"),
            ("stack", "fm + score", "ffm + score"),
        ):
            if all(name in self.clicks for name in names):
                clicks = [self.clicks[name] for name in names]
                self.add(f"mean of {', '.join(names)}", lambda of=clicks: average_probabilities(of))


def _seeded(model: Any, seed: int) -> Any:
    made = clone(model)
    of = [name for name in made.get_params() if name.split("__")[-1] == "random_state"]
    return made.set_params(**dict.fromkeys(of, seed))


def _probability(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-score))


def _in_sample(
    train: pyfm.Dataset, valid: pyfm.Dataset, seed: int
) -> tuple[pyfm.Dataset, list[pyfm.Dataset]]:
    """The naive recipe: leaves of trees that have seen the rows."""
    columns = FieldColumns()
    matrix = columns.fit_transform(train)
    forest = default_forest("leaves", seed).fit(matrix, train.y)
    features = GBDTFeatures(forest, output="leaves", cv="prefit")
    encoded = features.fit_transform(matrix, train.y, data=train)
    return encoded, [features.transform(columns.transform(valid), data=valid)]


def runs(train: pyfm.Dataset, valid: pyfm.Dataset, args: argparse.Namespace) -> Iterator[Run]:
    for seed in range(args.seeds):
        run, of = Run(train, valid, seed, args), members()
        for name, model in of.items():
            run.single(name, model)
        for output in ("score", "leaves", "in-sample"):
            for name in ("fm", "ffm"):
                run.with_trees(f"{name} + {output}", of[name], output)
        for name in ("fm", "ffm"):
            run.bagging(f"10 {name} on bootstrap samples", of[name], bootstrap=True)
            run.bagging(f"10 {name} on all rows", of[name], bootstrap=False)
        run.stack()
        run.means()
        yield run


def main() -> None:
    args = curves.file_parser(str(__doc__), seeds=1).parse_args()
    train, valid = curves.read_criteo(args.train, args.valid)
    print(f"{train.n_rows:,} + {valid.n_rows:,} rows, {train.n_features:,} features")
    found: Found = {}
    for run in runs(train, valid, args):
        for name, values in run.found.items():
            found.setdefault(name, []).extend(values)
    print("\n| model | validation log-loss: median (min – max) | AUC | seconds |")
    print("| --- | --- | --- | --- |")
    for name, values in found.items():
        losses, aucs, seconds = zip(*values, strict=True)
        print(
            f"| {name} | {statistics.median(losses):.5f} ({min(losses):.5f} – {max(losses):.5f}) "
            f"| {statistics.median(aucs):.5f} | {statistics.median(seconds):.0f} |"
        )
    parameters = {key: str(value) for key, value in vars(args).items()}
    content = {"parameters": parameters, "found": found}
    write_json(args.out or RESULTS / "ensembles.json", content)


if __name__ == "__main__":
    main()
