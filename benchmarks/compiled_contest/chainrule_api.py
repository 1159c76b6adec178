"""The functions of chainrule's compiler that the benchmark calls, and the options of its contestants."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import chainrule
from compiled_contest.contestants import COMPILED, FLOAT32, TWO_THREADS
from compiled_contest.entry import AbsentError

VARIANTS: dict[str, dict[str, Any]] = {
    COMPILED: {"threads": 1},
    TWO_THREADS: {"threads": 2},
    FLOAT32: {"threads": 1, "dtype": "float32"},
}
TOLERANCES = {FLOAT32: 1e-4}


def function(name: str) -> Callable[..., Any]:
    """`chainrule.compile` or `chainrule.compile_step`; what they import is imported now, and does not count later."""
    wanted = getattr(chainrule, name, None)
    if wanted is None:
        raise AbsentError(f"chainrule.{name} does not exist yet")
    for module in ("numpy", "llvmlite.binding"):
        with suppress(ModuleNotFoundError):
            import_module(module)
    return wanted


def entries(entry: Callable[..., Any]) -> dict[str, Callable[[], Any]]:
    """An entry for each variant; each is made with the options of its calls."""
    return {name: partial(entry, name, options) for name, options in VARIANTS.items()}
