"""Data to learn with: synthetic click logs, and readers of public ones."""

from pyfm.datasets.criteo import read_criteo
from pyfm.datasets.criteo_encoder import CriteoEncoder
from pyfm.datasets.synthetic import make_ctr

__all__ = ["CriteoEncoder", "make_ctr", "read_criteo"]
