"""Models as single files: safetensors with the weights, and JSON metadata. No pickle."""

from pyfm.model_file.reader import load, load_checkpoint
from pyfm.model_file.writer import save

__all__ = ["load", "load_checkpoint", "save"]
