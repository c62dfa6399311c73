"""Rows of files that need not fit into memory."""

from pyfm.data_stream.stream import DataStream

__all__ = ["DataStream"]
