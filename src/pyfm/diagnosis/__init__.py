"""What a bug report needs, and known traps of the machine: `pyfm.doctor`."""

from pyfm.diagnosis.report import Report, doctor

__all__ = ["Report", "doctor"]
