"""`pyfm info`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyfm.cli.options import in_bytes
from pyfm.model_file.reader import describe


def info(
    model_path: Annotated[Path, typer.Argument(metavar="MODEL", help="What `train` wrote.")],
) -> None:
    """Show what a model file holds; the weights are not read."""
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
        "epochs": f"{len(history['epoch'])}, best {metadata['best_epoch']}",
    }
    last = metadata["best_epoch"] - 1
    for name, column in history.items():
        if name.startswith(("train_", "valid_")) and name != "valid_seconds":
            lines[name] = f"{column[last]:.5f} in epoch {last + 1}"
    for name, value in model.get_params(deep=False).items():
        lines[name] = repr(value)
    for name, text in lines.items():
        print(f"{name:20} {text}")
