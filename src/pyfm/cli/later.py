"""Imports that wait until something of them is used.

scikit-learn imports scipy.stats and, where it is installed, pandas: half of the time that a command
would take to start, for functions that no command calls.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def import_later(*names: str) -> None:
    """Has modules imported when they are first asked for something, not by `import`.

    It is for a program as a whole: every `import` of it gets what stands for the module.
    """
    for name in names:
        package = name.partition(".")[0]
        if name not in sys.modules and importlib.util.find_spec(package):
            sys.modules[name] = _Later(name)


class _Later(ModuleType):
    """Stands for a module, and gives way to it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, loader=None)  # `import` looks at it

    def __getattr__(self, attribute: str) -> Any:
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)
