"""Model files with another header."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Changes the header and the metadata of a model file, not its tensors.

    The metadata stand in the header as text; where `change` makes that text another one itself, or
    removes it, that is what counts.
    """
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    before = header["__metadata__"]["pyfm"]
    metadata = json.loads(before)
    change(header, metadata)
    if header.get("__metadata__", {}).get("pyfm") == before:
        header["__metadata__"]["pyfm"] = json.dumps(metadata)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])
