"""The command line, in this process and in one of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from typer.testing import CliRunner

from pyfm.cli import app

RUNNER = CliRunner()


def succeed(*arguments: str) -> str:
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


# What scikit-learn imports and no fit uses is half of a process's start.
_BEGIN = 'from pyfm.cli.later import import_later; import_later("pandas", "scipy.stats")\n'


def program(code: str, *arguments: str) -> list[str]:
    """The command of a process that runs `code`, where its start is not what is tested."""
    return [sys.executable, "-u", "-c", _BEGIN + code, *arguments]


def pyfm_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyfm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
