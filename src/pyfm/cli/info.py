"""`pyfm info`: what a model or data file holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from pyfm.cli.options import in_bytes
from pyfm.data_file import is_data_file
from pyfm.data_file.blocks import BlockReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyfm.estimators.model_spec import ModelSpec

# Of the history: numbers of entries, and what does not say how good the model is.
_NOT_SHOWN = {
    "epoch", "call", "n_rows", "seconds", "valid_seconds", "rows_per_second"
}  # fmt: skip


def _fields(spec: ModelSpec) -> str:
    if spec.deep_fields is None:
        return f"{spec.n_fields:,}"
    n_wide = spec.n_fields - len(spec.deep_fields)
    return f"{spec.n_fields:,}, of which {n_wide:,} for the linear terms alone"


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A model or a data file, or an ensemble's folder, as pyfm writes."
        ),
    ],
) -> None:
    """Show what a model file holds, a data file, or the folder of an ensemble.

    What is large in it is not read.
    """
    describe = _bagging if path.is_dir() else _data if is_data_file(path) else _model
    lines = describe(path)
    width = max(20, *map(len, lines))
    for name, text in lines.items():
        print(f"{name:{width}} {text}")


def _data(path: Path) -> dict[str, str]:
    with BlockReader(str(path)) as file:
        one_per_field = not file.holds("indptr") and not file.holds("fields")
        return {
            "file": _of_file(path, file.metadata),
            "data": "rows",
            "rows": f"{file.n_rows:,}",
            "features": f"{file.n_features:,}",
            "fields": f"{file.n_fields:,}",
            "entries": f"{file.nnz:,}" + (", one per field in each row" if one_per_field else ""),
            "values": "stored" if file.holds("values") else "all 1",
            "targets": _of_targets(file),
            "sample weights": "stored" if file.holds("weight") else "none",
            "encoder": _of_encoder(file.encoder),
        }


def _of_targets(file: BlockReader) -> str:
    if not file.has_y or file.n_rows == 0:
        return "none"
    total = sum(float(piece.sum(dtype=np.float64)) for piece in file.column("y", 1 << 20))
    return f"stored, of mean {total / file.n_rows:.5g}"


def _of_classes(classes: NDArray[Any] | None) -> str:
    """In the order of a model's scores, and of the columns that `pyfm predict` writes."""
    from pyfm.estimators.targets import listed  # loads scikit-learn

    return "none" if classes is None else f"{len(classes)}: {listed(classes)}"


def _of_encoder(encoder: object) -> str:
    if encoder is None:
        return "none"
    names = ", ".join(getattr(encoder, "field_names_", ()))  # that of Criteo logs has none
    return type(encoder).__name__ + (f" of {names}" if names else "")


def _of_file(path: Path, metadata: Mapping[str, Any]) -> str:
    size, version = in_bytes(path.stat().st_size), metadata["library_version"]
    return f"{path} ({size}, format {metadata['format_version']}, pyfm {version})"


def _of_table(metadata: Mapping[str, Any]) -> dict[str, str]:
    spec = metadata["spec"]
    return {
        "classes": _of_classes(metadata["classes"]),
        "features": f"{spec.n_features:,}",
        "fields": _fields(spec),
        "weights": ", ".join(f"{name} {shape}" for name, shape in spec.shapes().items()),
    }


def _of_params(estimator: Any, *, deep: bool) -> dict[str, str]:
    return {name: repr(value) for name, value in estimator.get_params(deep).items()}


def _bagging(path: Path) -> dict[str, str]:
    from pyfm.ensemble.folder import describe  # loads scikit-learn

    bagging, n_members, metadata = describe(path)
    size = in_bytes(sum(file.stat().st_size for file in path.iterdir()))
    params = _of_params(bagging, deep=True)
    del params["estimator"]
    return {
        "folder": f"{path} ({size}, pyfm {metadata['library_version']})",
        "model": f"{type(bagging).__name__} of {n_members} {type(bagging.estimator).__name__}",
        **_of_table(metadata),
        **params,
    }


def _model(path: Path) -> dict[str, str]:
    from pyfm.model_file.reader import describe  # loads scikit-learn

    model, metadata = describe(path)
    history, best = metadata["history"], metadata["best_epoch"]
    if "epoch" in history:
        at, of = history["epoch"].index(best), f"epoch {best}"
        trained = f"{history['epoch'][-1]} epochs, the best is {best}"
    else:
        stream, at = metadata["stream"], -1
        of = f"call {stream.n_calls} of partial_fit"
        trained = f"{stream.n_calls} calls of partial_fit, {stream.n_rows:,} rows"
    lines = {
        "file": _of_file(path, metadata),
        "model": type(model).__name__,
        **_of_table(metadata),
        "optimizer state": "none" if metadata["training"] is None else "held",
        "trained": trained,
    }
    for name, column in history.items():
        if name not in _NOT_SHOWN and not name.startswith("learning_rate"):
            lines[name] = f"{column[at]:.5f} in {of}"
    return lines | _of_params(model, deep=False)
