"""The choice of the engine that is imported: the one that Cython compiled, if it exists, or the same files as Python.

Both stand side by side, `engine.py` and the extension module `engine`, and Python would import the latter. With the
environment variable CHAINRULE_PURE=1, or if extension modules are missing, it imports the former.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

COMPILED = (
    *("core.operation", "core.stale", "storage.nodes", "storage.value_base", "engine"),
    *("nn.linear", "nn.module", "nn.layers", "compiler.calling.leaves"),
    *("compiler.calling.forms", "compiler.calling.plans", "compiler.calling.batch_plans"),
)
"""The modules that a compiled build has as extension modules: all of them, or none."""

_PACKAGE = Path(__file__).parents[1]


class PlainPython:
    """An import finder, the first on `sys.meta_path`, that takes the plain Python files of the engine."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        package, _, module = name.partition(".")
        if package == "chainrule" and module in COMPILED:
            return spec_from_file_location(name, _file(module, ".py"))
        return None


def _file(module: str, suffix: str) -> Path:
    return _PACKAGE.joinpath(*module.split(".")).with_suffix(suffix)


def choose() -> None:
    """Makes Python import the files of the chosen engine.

    Raises:
        ImportError: this Python runs threads without the global interpreter lock, on which the engine relies.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise ImportError(
            "chainrule needs the global interpreter lock: start this Python with PYTHON_GIL=1 or -X gil=1"
        )
    wanted = os.environ.get("CHAINRULE_PURE", "") in ("", "0")
    built = all(any(_file(module, suffix).exists() for suffix in EXTENSION_SUFFIXES) for module in COMPILED)
    if not (wanted and built):
        sys.meta_path.insert(0, PlainPython)


choose()
