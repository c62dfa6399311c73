"""Data sets as single files that are mapped into memory, not parsed. No pickle."""

from pyfm.data_file.layout import is_data_file
from pyfm.data_file.reader import read
from pyfm.data_file.writer import write

__all__ = ["is_data_file", "read", "write"]
