"""`pyfm info`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyfm.cli.options import in_bytes

if TYPE_CHECKING:
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
    model_path: Annotated[Path, typer.Argument(metavar="MODEL", help="What `train` wrote.")],
) -> None:
    """Show what a model file holds; the weights are not read."""
    from pyfm.model_file.reader import describe  # loads scikit-learn

    model, metadata = describe(model_path)
    spec, history, best = metadata["spec"], metadata["history"], metadata["best_epoch"]
    if "epoch" in history:
        at, of = history["epoch"].index(best), f"epoch {best}"
        trained = f"{history['epoch'][-1]} epochs, the best is {best}"
    else:
        stream, at = metadata["stream"], -1
        of = f"call {stream.n_calls} of partial_fit"
        trained = f"{stream.n_calls} calls of partial_fit, {stream.n_rows:,} rows"
    size = in_bytes(model_path.stat().st_size)
    lines = {
        "file": f"{model_path} ({size}, format {metadata['format_version']}, "
        f"pyfm {metadata['library_version']})",
        "model": type(model).__name__,
        "features": f"{spec.n_features:,}",
        "fields": _fields(spec),
        "weights": ", ".join(f"{name} {shape}" for name, shape in spec.shapes().items()),
        "optimizer state": "none" if metadata["training"] is None else "held",
        "trained": trained,
    }
    for name, column in history.items():
        if name not in _NOT_SHOWN and not name.startswith("learning_rate"):
            lines[name] = f"{column[at]:.5f} in {of}"
    for name, value in model.get_params(deep=False).items():
        lines[name] = repr(value)
    for name, text in lines.items():
        print(f"{name:20} {text}")
