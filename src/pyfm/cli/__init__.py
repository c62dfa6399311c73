"""The command `pyfm`: train, predict, convert, info, demo, doctor.

Errors are one line on stderr: exit code 1 for bad data, 2 for bad usage, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

import typer

from pyfm.cli.convert import convert
from pyfm.cli.demo import demo
from pyfm.cli.doctor import doctor
from pyfm.cli.info import info
from pyfm.cli.later import import_later
from pyfm.cli.predict import predict
from pyfm.cli.train import train

app = typer.Typer(
    name="pyfm",
    help="Click-through-rate models on CPUs: linear, FM, FFM, DeepFM, Wide & Deep.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, predict, convert, info, demo, doctor):
    app.command()(command)

# Click's UsageError; typer brings a Click of its own or not, depending on its version.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_BAD_DATA, _BAD_USAGE, _INTERRUPTED = 1, 2, 130


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        import pyfm

        print(f"pyfm {pyfm.__version__}, SIMD level {pyfm.simd()}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    import_later("pandas", "scipy.stats")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code: int = app(arguments, prog_name="pyfm", standalone_mode=False) or 0
        sys.stdout.flush()  # its errors are those of the command, not of Python's end
        # Recent versions of typer turn KeyboardInterrupt into this code, older ones into Abort.
        return _fail("interrupted", code) if code == _INTERRUPTED else code
    except _UsageError as error:
        return _fail(error.format_message(), _BAD_USAGE)  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # as in `pyfm predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BAD_DATA
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", _BAD_DATA)
    except (ValueError, MemoryError, ImportError) as error:  # an extra that is not installed
        return _fail(str(error) or type(error).__name__, _BAD_DATA)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """In place of `warnings.showwarning`, which tells of lines of code."""
    print("pyfm: warning:", " ".join(str(message).split()), file=sys.stderr)


def _fail(message: str, code: int) -> int:
    print("pyfm: error:", " ".join(message.split()), file=sys.stderr)
    return code
