"""Rows to learn from: text, arrays and matrices turned into the buffers of the core."""

from pyfm.dataset.dataset import Dataset
from pyfm.dataset.inputs import as_dataset, is_table

__all__ = ["Dataset", "as_dataset", "is_table"]
