"""The floors in C as libraries: each is compiled, as it stands, together with a shim that hands it data and runs it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from compiled_contest.entry import AbsentError

SHIMS = Path(__file__).parent / "shims"
FLAGS = ("-O3", "-march=native", "-ffast-math")


def compiled(name: str) -> ctypes.CDLL:
    """The library made of shims/NAME.c, which includes floors/NAME.c."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise AbsentError("there is no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / f"{name}.so"
        source = SHIMS / f"{name}.c"
        command = [compiler, *FLAGS, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{source.name} does not compile: {done.stderr[-500:]}")
        return ctypes.CDLL(str(library))  # loaded, so that the file may go


def numbers(values: Any) -> Any:
    """A C array of doubles."""
    values = list(values)
    return (ctypes.c_double * len(values))(*values)
