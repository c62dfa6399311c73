"""Encoding of tables: rows/s beside pandas, scikit-learn and modern-fm, and Criteo end to end.

    python bench/encode.py [--train FILE --valid FILE] [--rows 500000]

Made rows of Criteo's shape (13 integers, 26 strings of 8 hexadecimal digits, some missing) are
written as Parquet and read from there. With raw Criteo files (tab-separated lines; may end in .gz,
.xz or .zst) their rows are timed, too, and FFMs compared: on what `pyfm.FieldEncoder` makes of
them, on what `pyfm.datasets.read_criteo` does, and libffm on the latter as text. The files are
yours: their owner does not allow redistribution.

One thread: pyarrow's pool is set to one, and processor time is what counts, so that other programs
disturb less. Peers that are not installed are left out, and the table says so.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import curves
import libffm
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from common import RESULTS, spread, write_json
from data import N_FEATURES, N_FIELDS, id_matrix
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import pyfm
from pyfm.dataset.compression import open_blocks
from pyfm.encode import Buckets, Categorical

N_INTEGERS = 13
INTEGERS = [f"i{k}" for k in range(1, N_INTEGERS + 1)]
STRINGS = [f"c{k}" for k in range(1, N_FIELDS - N_INTEGERS + 1)]


def encoder(min_count: int = 4) -> pyfm.FieldEncoder:
    """As `read_criteo`: floor(ln(x)²) of integers, and values that occur often enough."""
    log2 = Buckets("log2", min_count=min_count)
    defaults = {"integer": log2, "string": Categorical(min_count=min_count)}
    return pyfm.FieldEncoder(defaults=defaults, target="label")


def made_table(n_rows: int, seed: int) -> pa.Table:
    data, _ = pyfm.datasets.make_ctr(
        n_rows, n_fields=N_FIELDS, n_features=N_FEATURES, random_state=seed
    )
    rng = np.random.default_rng(seed)
    ids = id_matrix(data)
    largest_last = np.argsort(np.ptp(ids, axis=0))
    columns: dict[str, Any] = {"label": np.asarray(data.y).astype(np.int8)}
    for name in INTEGERS:
        x = np.floor(rng.lognormal(2, 2, n_rows)).astype(np.int64)
        columns[name] = pa.array(x, mask=rng.random(n_rows) < rng.choice([0, 0.2, 0.5]))
    for name, field in zip(STRINGS, largest_last[N_INTEGERS:], strict=True):
        values, places = np.unique(ids[:, field], return_inverse=True)
        hashed = values.astype(np.uint64) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
        texts = pa.array([f"{value:08x}" for value in hashed.tolist()])
        columns[name] = texts.take(pa.array(places, mask=rng.random(n_rows) < 0.03))
    return pa.table(columns)


def raw_table(path: Path) -> pa.Table:
    """Raw Criteo lines."""
    text = pa.py_buffer(b"".join(open_blocks(str(path))))
    names = ["label", *INTEGERS, *STRINGS]
    types = {name: pa.int64() for name in names[: N_INTEGERS + 1]}
    types |= {name: pa.string() for name in STRINGS}
    return pyarrow.csv.read_csv(
        pa.BufferReader(text),
        pyarrow.csv.ReadOptions(column_names=names),
        pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
        pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def contenders(path: Path, table: pa.Table) -> dict[str, Callable[[], Any] | str]:
    """What is timed, or why it cannot be; fitted encoders are fitted before."""
    fitted = encoder().fit(path)
    found: dict[str, Callable[[], Any] | str] = {
        "fit from Parquet": lambda: encoder().fit(path),
        "transform from Parquet": lambda: fitted.transform(path),
        "fit_transform from Parquet": lambda: encoder().fit_transform(path),
        "transform of an Arrow table of strings": lambda: fitted.transform(table),
        "pq.read_table alone, strings": lambda: pq.read_table(path, use_threads=False),
    }
    try:
        import pandas as pd
    except ImportError:
        return found | {"pandas": "pandas is not installed"}
    frame = table.to_pandas()
    found["transform of a pandas frame"] = lambda: fitted.transform(frame)
    found["pandas.factorize of each column, from pandas"] = lambda: [
        pd.factorize(frame[name]) for name in INTEGERS + STRINGS
    ]
    # With all columns its sparse columns, one for each value, do not end in a day.
    small = frame[STRINGS[:13]].head(20_000)
    found["pandas.get_dummies(sparse=True), 13 columns of 20,000 rows"] = lambda: pd.get_dummies(
        small, sparse=True
    )
    texts = frame[STRINGS].astype(object).where(frame[STRINGS].notna(), None)
    for made in (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float64),
        OneHotEncoder(handle_unknown="ignore", dtype=np.float32),  # SciPy's sparse rows
    ):
        work = f"{type(made).__name__}.%s, 26 columns of strings, from pandas"
        found[work % "fit_transform"] = partial(made.fit_transform, texts)
        found[work % "transform"] = partial(clone(made).fit(texts).transform, texts)
    try:
        from modern_fm import CategoricalEncoder
    except ImportError as error:
        return found | {"modern-fm CategoricalEncoder": f"cannot be imported: {error}"}
    # It takes integers only: those that pandas.factorize made, whose time does not count here.
    codes = np.column_stack([pd.factorize(frame[name])[0] + 1 for name in STRINGS])
    known = CategoricalEncoder().fit(codes)
    work = "modern-fm CategoricalEncoder.%s, 26 columns that are integers already"
    found[work % "fit_transform"] = lambda: CategoricalEncoder().fit(codes).transform(codes)
    found[work % "transform"] = lambda: known.transform(codes)
    return found


def timed(
    name: str, path: Path, table: pa.Table, repetitions: int
) -> dict[str, dict[str, float] | str]:
    n_rows = table.num_rows
    rates: dict[str, list[float]] = {}
    results: dict[str, dict[str, float] | str] = {}
    runs = contenders(path, table)
    for _ in range(repetitions):
        for what, run in runs.items():
            if isinstance(run, str):
                results[what] = run
                continue
            rows = 20_000 if "20,000 rows" in what else n_rows
            begin = time.process_time()
            run()
            rates.setdefault(what, []).append(rows / (time.process_time() - begin))
    print(f"\n{name}, {n_rows:,} rows\n\n| work | k rows/s of a processor: median (min – max) |")
    print("| --- | --- |")
    for what, values in rates.items():
        low, mid, high = (x / 1e3 for x in (min(values), statistics.median(values), max(values)))
        print(f"| {what} | {mid:.0f} ({low:.0f} – {high:.0f}) |", flush=True)
        results[what] = spread(values)
    for what, why in results.items():
        if isinstance(why, str):
            print(f"| {what} | {why} |")
    return results


def are_renumbered(ours: list[pyfm.Dataset], theirs: list[pyfm.Dataset]) -> bool:
    """Whether two encodings of the same rows differ in nothing but the ids of their features."""
    a, b = (
        np.concatenate([id_matrix(data) for data in found]).ravel().astype(np.uint64)
        for found in (ours, theirs)
    )
    pairs = np.unique(a << np.uint64(32) | b)
    return len(pairs) == len(np.unique(a)) == len(np.unique(b))


def quality(args: argparse.Namespace, train: pa.Table, valid: pa.Table) -> dict[str, Any]:
    """Validation log-loss of one and the same model on rows of both routes."""
    ours = encoder()
    rows = [ours.fit_transform(train), ours.transform(valid)]
    text = pyfm.datasets.read_criteo(args.train)
    text_rows = [text, pyfm.datasets.read_criteo(args.valid, encoder=text.encoder)]
    model = partial(curves.ours, pyfm.FFMClassifier)
    settings: dict[str, dict[str, Any]] = {
        "k=4, η=0.2, λ=2e-5": {"learning_rate": 0.2, "l2": 2e-5, "epochs": 8},
        "k=4, η=0.1, λ=8e-5": {"learning_rate": 0.1, "l2": 8e-5, "epochs": 22},
    }
    best = {"learning_rate": 0.1, "l2": 8e-5, "epochs": 22, "linear": True}
    runs = {}
    for name, chosen in (settings | {"k=4, η=0.1, λ=8e-5, linear=True": best}).items():
        if name in settings:  # libffm has no linear terms
            peer = libffm.Settings(4, chosen["learning_rate"], chosen["l2"], chosen["epochs"])
            runs[f"libffm, text of read_criteo, {name}"] = curves.peer(peer, *text_rows, args)
        runs |= {
            f"FFM, read_criteo, {name}": model(*text_rows, args, n_factors=4, **chosen),
            f"FFM, FieldEncoder, {name}": model(*rows, args, n_factors=4, **chosen),
        }
    found = curves.measure(runs, args)
    curves.print_best(found)
    same = "" if are_renumbered(rows, text_rows) else "not "
    print(f"rows of FieldEncoder: {same}those of read_criteo, but for the numbers of features")
    return {name: [curve.valid_logloss for curve in runs] for name, runs in found.items()}


def main() -> None:
    parser = libffm.with_arguments(curves.parser(str(__doc__), seeds=5))
    parser.add_argument("--train", type=Path)
    parser.add_argument("--valid", type=Path)
    parser.add_argument("--rows", type=int, default=500_000, help="made ones; 0: none")
    parser.add_argument("--repetitions", type=int, default=3, help="0: no speeds")
    args = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    content: dict[str, Any] = {}
    tables = {"made rows": made_table(args.rows, 0)} if args.rows else {}
    if args.train:
        tables["Criteo"] = raw_table(args.train)
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            path = Path(folder) / f"{name}.parquet"
            if args.repetitions:
                pq.write_table(table, path, row_group_size=1 << 17)
                content[name] = timed(name, path, table, args.repetitions)
    if args.train and args.valid:
        content["quality"] = quality(args, tables["Criteo"], raw_table(args.valid))
    content["parameters"] = {name: str(value) for name, value in vars(args).items()}
    write_json(args.out or RESULTS / "encode.json", content)


if __name__ == "__main__":
    main()
