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


def pyfm_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyfm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
