"""CasADi's own way to be quicker: a function written as C, compiled by the system's compiler, and loaded."""

from __future__ import annotations

import tempfile
from typing import Any

from compiled_contest.natives import FLAGS


def compiled_by_system() -> dict[str, Any]:
    """Options of a `casadi.Function`."""
    folder = tempfile.mkdtemp() + "/"  # it leaves its files there
    return {
        "jit": True,
        "compiler": "shell",
        "jit_options": {"flags": list(FLAGS), "linker_flags": ["-lmvec", "-lm"], "directory": folder},
    }
