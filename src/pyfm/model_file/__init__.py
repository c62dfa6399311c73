"""Models as single files: safetensors with the weights, and JSON metadata. No pickle."""

from pyfm.model_file.reader import load
from pyfm.model_file.writer import save

__all__ = ["load", "save"]
