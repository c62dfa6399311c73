"""`pyfm info`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyfm.cli.options import in_bytes


def info(
    model_path: Annotated[Path, typer.Argument(metavar="MODEL", help="What `train` wrote.")],
) -> None:
    """Show what a model file holds; the weights are not read."""
    from pyfm.model_file.reader import describe  # loads scikit-learn

    model, metadata = describe(model_path)
    spec, history = metadata["spec"], metadata["history"]
    size = in_bytes(model_path.stat().st_size)
    lines = {
        "file": f"{model_path} ({size}, format {metadata['format_version']}, "
        f"pyfm {metadata['library_version']})",
        "model": type(model).__name__,
        "features": f"{spec.n_features:,}",
        "fields": f"{spec.n_fields:,}",
        "weights": ", ".join(f"{name} {shape}" for name, shape in spec.shapes().items()),
        "optimizer state": "none" if metadata["training"] is None else "held",
        "trained": f"{history['epoch'][-1]} epochs, the best is {metadata['best_epoch']}",
    }
    best = metadata["best_epoch"]
    at = history["epoch"].index(best)
    for name, column in history.items():
        if name not in ("epoch", "learning_rate", "seconds", "valid_seconds", "rows_per_second"):
            lines[name] = f"{column[at]:.5f} in epoch {best}"
    for name, value in model.get_params(deep=False).items():
        lines[name] = repr(value)
    for name, text in lines.items():
        print(f"{name:20} {text}")
