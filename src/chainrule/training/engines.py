"""Which engine trains: native code where it is there, can be made, and is worth it; else the eager engine."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from chainrule.errors import ArgumentError, require, shown
from chainrule.training.callbacks import EarlyStopping, record_gradients
from chainrule.training.plan import Plan
from chainrule.training.trainer import EagerTrainer, Trainer, as_reason

LIBRARIES = ("numpy", "llvmlite")
INSTALL = "pip install 'chainrule[compiler]'"

WORTH_IT = 10_000_000
"""Compile by oneself from so many operands on: those of all operations of a forward pass over all rows, for all epochs.
The eager engine takes about 0.1 µs for each, its gradient and its share of measuring included (moons and an MLP of
[16, 16, 1]: 80 µs for a row with 700). So this is a second and more; such nets are compiled in 0.1 to 0.6 seconds."""

TRACED = 60
"""And so many more for each operand that is traced: that takes 6 µs."""

ONCE = 5
"""So many rows are traced where the loss is that of one row: what is done for each parameter costs as much as four."""


@dataclass
class Engine:
    """What trains, and why that.

    Attributes:
        trainer: does the steps.
        name: "compiled", "eager" or "own".
        note: how long compiling took, or why it was not done.
        telling: whether the user should see the note.
    """

    trainer: Trainer
    name: str
    note: str
    telling: bool = False

    def look(self) -> bool:
        """Whether compiled code has given up since the last time; name and note then say so."""
        why = getattr(self.trainer, "gave_up", "") if self.name == "compiled" else ""
        if why:
            self.name, self.note = "eager", f"no longer compiled: {why}"
        return bool(why)


def read_compile(compile: Any) -> bool | None:
    """True, False, or None for "auto".

    Raises:
        ArgumentError: it is something else.
        MissingExtraError: it is True, and a library is missing.
    """
    if compile != "auto" and not isinstance(compile, bool):
        raise ArgumentError(f"compile is 'auto', True or False, not {shown(compile)}")
    if compile is True:
        for library in LIBRARIES:
            require(library, extra="compiler")
    return None if compile == "auto" else compile


def as_given(plan: Plan, why: str, telling: bool = False) -> Engine:
    """The trainer that the plan has, which compiles nothing."""
    return Engine(plan.trainer, "eager" if type(plan.trainer) is EagerTrainer else "own", why, telling)


def choose_engine(
    plan: Plan, operands: int, compile: bool | None, made_with: str | None, tell: Callable[[str], None]
) -> Engine:
    """The engine for a plan, made ready.

    Args:
        plan: what is to be trained.
        operands: how many there are in the loss of one row.
        compile: True, False, or None to decide by oneself.
        made_with: the engine of the run that is resumed; None if there is none.
        tell: told that it compiles, which may take a while.

    Raises:
        ChainruleError: `compile` is True, and it cannot be done.
    """
    if plan.own_trainer or compile is False:
        return as_given(plan, "compile=False" if compile is False else "the trainer was given")
    if compile is None:
        why, telling = _against(plan, operands, made_with)
        if why:
            return as_given(plan, why, telling)
    tell("compiling")
    return _compiled(plan, strict=bool(compile))


def _against(plan: Plan, operands: int, made_with: str | None) -> tuple[str, bool]:
    """Why not to compile, "" if nothing is against it; and whether the user should know."""
    if made_with == "eager":
        return "resumes an eager run; compile=True goes on compiled", False
    rows, traced = len(plan.train), ONCE
    if not plan.objective.by_sample:
        traced += plan.batch_size + rows % plan.batch_size
    if made_with != "compiled" and operands * (rows * plan.epochs - TRACED * traced) < WORTH_IT:
        return "so little work that compiling would take longer", False
    missing = [library for library in LIBRARIES if find_spec(library) is None]
    if missing:
        return f"not compiled, without {' and '.join(missing)}: {INSTALL}", True
    return "", False


def _compiled(plan: Plan, *, strict: bool) -> Engine:
    watch = any(callback is not record_gradients and type(callback) is not EarlyStopping for callback in plan.callbacks)
    start = time.perf_counter()
    try:
        compiled = importlib.import_module("chainrule.training.compiled")  # only here, since it needs the extra
        trainer = compiled.CompiledTrainer(plan.model, plan.objective, plan.optimizer, strict=strict, watch=watch)
        trainer.prepare(plan.train, plan.batch_size)
    except Exception as error:  # also one of the user's own code, which does not know what it is called with
        if strict:
            raise
        return as_given(plan, f"not compiled: {as_reason(error)}", True)
    return Engine(trainer, "compiled", f"compiled in {time.perf_counter() - start:.1f} s", True)
