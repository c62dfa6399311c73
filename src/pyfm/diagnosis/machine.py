"""The processor, the memory and their limits, as the system's files tell them; None: they do not.

Every function takes the folder that stands for `/`, so that tests can bring machines of their own.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

ROOT = Path("/")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def cpu(root: Path = ROOT) -> str | None:
    """Name of the processor."""
    text = _text(root / "proc/cpuinfo") or ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or None


def processors() -> int:
    """Those that this process may run on, of which `n_jobs=-1` takes all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(root: Path) -> dict[str, str]:
    """The control group of this process in each hierarchy; that of version 2 is named ''."""
    found = {}
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = group.strip("/")
    return found


def _group_folders(root: Path, controller: str) -> list[Path]:
    """The group of this process and those above it, for all of which limits hold.

    In a container the first of them is mounted in the place of the last, whatever its name.
    """
    groups, mounted = _groups(root), root / "sys/fs/cgroup"
    old = mounted / controller
    top, group = (old, groups.get(controller, "")) if old.is_dir() else (mounted, groups.get(""))
    folders = [top]
    for name in filter(None, (group or "").split("/")):
        folders.append(folders[-1] / name)
    return folders


def cpu_quota(root: Path = ROOT) -> float | None:
    """Processors' worth of time that the control groups allow; None: no limit."""
    quotas = []
    for folder in _group_folders(root, "cpu"):
        text = _text(folder / "cpu.max")  # version 2: "quota period", "max" for none
        if text is None:
            parts = [_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
            text = " ".join(part or "" for part in parts)  # version 1: -1 for none
        found = re.fullmatch(r"(\d+) (\d+)", text)
        if found and int(found[2]):
            quotas.append(int(found[1]) / int(found[2]))
    return min(quotas, default=None)


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that the control groups allow; None: no limit."""
    limits = []
    for folder in _group_folders(root, "memory"):
        text = _text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes") or ""
        if text.isdecimal() and int(text) < 1 << 62:  # version 1 says "no limit" by a huge number
            limits.append(int(text))
    return min(limits, default=None)


def memory(root: Path = ROOT) -> tuple[int | None, int | None]:
    """Bytes of the machine, and those that are free or can be made so."""
    text = _text(root / "proc/meminfo") or ""
    sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE))
    total, free = (sizes.get(name) for name in ("MemTotal", "MemAvailable"))
    return total and int(total) * 1024, free and int(free) * 1024


def huge_pages(root: Path = ROOT) -> str | None:
    """Who gets transparent huge pages: "always", "madvise" (who asks; the core does) or "never"."""
    text = _text(root / "sys/kernel/mm/transparent_hugepage/enabled") or ""
    found = re.search(r"\[(\w+)\]", text)
    return found[1] if found else None


def open_files() -> int | None:
    """How many files this process may hold open."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
