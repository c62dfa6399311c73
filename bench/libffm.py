"""libffm as a peer: the library inside the package pylibffm, or a user's own `ffm-train`.

Both print the same lines, of which we read: the seconds of converting text to libffm's binary
form, and per epoch the losses and the cumulative seconds of training alone.

Run as a script (by the interpreter that has pylibffm) it does what `ffm-train` does.
"""

from __future__ import annotations

import argparse
import ctypes
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from process import run_measured

# Ours, to the millisecond, where this script ran libffm; its own, to a tenth, from `ffm-train`.
CONVERSIONS = (
    re.compile(r"^converted in ([\d.]+) s$", re.MULTILINE),
    re.compile(r"Convert text file to binary file \(([\d.]+) seconds\)"),
)
EPOCH = re.compile(r"^\s*(\d+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)


def with_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser, and what says where libffm is."""
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--libffm", type=Path, help="your own ffm-train instead of pylibffm")
    return parser


@dataclass(frozen=True)
class Settings:
    """libffm's own parameters, with its defaults."""

    n_factors: int = 4
    learning_rate: float = 0.2
    l2: float = 2e-5
    epochs: int = 15
    n_threads: int = 1


@dataclass(frozen=True)
class Run:
    """One training run of libffm."""

    conversion_seconds: list[float]  # of the training file and of the validation file
    train_logloss: list[float]
    valid_logloss: list[float]
    cumulative_seconds: list[float]  # training alone
    wall_seconds: float  # of the whole process
    peak_bytes: int


def parse(output: str, wall_seconds: float, peak_bytes: int) -> Run:
    rows = EPOCH.findall(output)
    if not rows:
        raise RuntimeError(f"expected libffm's table of epochs, found:\n{output}")
    conversions = next(filter(None, (pattern.findall(output) for pattern in CONVERSIONS)), [])
    return Run(
        conversion_seconds=[float(s) for s in conversions],
        train_logloss=[float(row[1]) for row in rows],
        valid_logloss=[float(row[2]) for row in rows],
        cumulative_seconds=[float(row[3]) for row in rows],
        wall_seconds=wall_seconds,
        peak_bytes=peak_bytes,
    )


def train(
    train_path: Path,
    valid_path: Path,
    settings: Settings,
    *,
    peer_python: Path | None = None,
    binary: Path | None = None,
    whole: bool = True,
) -> Run:
    """Train libffm in a process of its own, from text files to a model.

    A whole run converts the text and writes the model to disk; others do without the model, and
    convert only where no earlier run did. `binary` is a user's `ffm-train`.
    """
    with tempfile.TemporaryDirectory(dir=train_path.parent) as name:
        paths, folder = [train_path.resolve(), valid_path.resolve()], train_path.parent
        if whole:  # new names beside which there are no binary files
            folder = Path(name)
            links = [folder / "train.txt", folder / "valid.txt"]
            for link, path in zip(links, paths, strict=True):
                link.symlink_to(path)
            paths = links
        s, model = settings, Path(name) / "model"
        env = {"OMP_NUM_THREADS": str(s.n_threads)}
        if binary is None:
            command: list[object] = [peer_python or sys.executable, Path(__file__).resolve()]
            command += [*paths, s.n_factors, s.learning_rate, s.l2, s.epochs]
            command += [model] if whole else []
        else:
            command = [binary.resolve(), "-k", s.n_factors, "-r", s.learning_rate, "-l", s.l2]
            command += ["-t", s.epochs, "-s", s.n_threads, "-p", paths[1], paths[0], model]
        done = run_measured(command, env, folder)
    return parse(done.output, done.seconds, done.peak_bytes)


class _StdString(ctypes.Structure):
    """std::string of libstdc++ (its C++11 layout), which the x86-64 ABI passes by address."""

    _fields_ = (
        ("data", ctypes.c_char_p),
        ("size", ctypes.c_size_t),
        ("local", ctypes.c_char * 16),
    )

    @classmethod
    def of(cls, text: str) -> _StdString:
        return cls(text.encode(), len(text.encode()), b"")


def _main(
    train_path: str, valid_path: str, k: str, eta: str, l2: str, epochs: str, model: str = ""
) -> None:
    from pylibffm import wrapper

    # pylibffm offers conversion of arrays only; the library inside exports that of text, too.
    convert = ctypes.CDLL(wrapper.__file__)[
        "_ZN3ffm24ffm_read_problem_to_diskENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES5_"
    ]
    convert.restype = None
    for path in (train_path, valid_path):
        if Path(path + ".bin").exists():
            continue
        text, binary = _StdString.of(path), _StdString.of(path + ".bin")
        start = time.perf_counter()
        convert(ctypes.byref(text), ctypes.byref(binary))
        print(f"converted in {time.perf_counter() - start:.3f} s", flush=True)
    trained = wrapper.train_on_disk(
        train_path + ".bin", valid_path + ".bin", float(eta), float(l2), int(epochs), int(k),
        True, False,  # normalization, auto-stop
    )  # fmt: skip
    if model:
        wrapper.save_model(*trained, model)


if __name__ == "__main__":
    _main(*sys.argv[1:])
