"""Chooses the engine that trains: native code where it is available, possible and worthwhile; otherwise the eager
engine."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from chainrule.core.extras import require
from chainrule.errors import ArgumentError, shown
from chainrule.training.callbacks import EarlyStopping, record_gradients
from chainrule.training.plan import Plan
from chainrule.training.trainer import EagerTrainer, Trainer, as_reason

LIBRARIES = ("numpy", "llvmlite")
INSTALL = "pip install 'chainrule[compiler]'"

WORTH_IT = 10_000_000
"""With `compile="auto"`, training is compiled from so many operations on: those of a forward pass over all rows, for
all epochs. The eager engine takes about 0.1 µs for each, with its gradient and its share of measuring (moons and
an MLP of [16, 16, 1]: 80 µs for a row with 700). So this is at least a second; such nets are compiled in 0.1 to
0.6 seconds."""

TRACE_COST = 60
"""Each traced operand costs as much as so many operations: it takes 6 µs."""

TRACED_ROWS = 5
"""So many rows are traced where the loss is that of one row: work for each parameter costs as much as four."""


@dataclass
class Engine:
    """The engine that trains, and why it was chosen.

    Attributes:
        trainer: does the steps.
        name: "compiled", "eager" or "own".
        note: how long compiling took, or why nothing was compiled.
        is_shown: whether to show the note to the user.
    """

    trainer: Trainer
    name: str
    note: str
    is_shown: bool = False

    def has_given_up(self) -> bool:
        """Whether compiled code has given up since the last call; `name` and `note` are then updated."""
        why = getattr(self.trainer, "gave_up", "") if self.name == "compiled" else ""
        if why:
            self.name, self.note = "eager", f"no longer compiled: {why}"
        return bool(why)


def read_compile(compile: Any) -> bool | None:
    """Reads the option `compile`: True, False, or None for "auto".

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


def without_compiling(plan: Plan, why: str, is_shown: bool = False) -> Engine:
    """The engine of the trainer that the plan has."""
    return Engine(plan.trainer, "eager" if type(plan.trainer) is EagerTrainer else "own", why, is_shown)


def choose_engine(
    plan: Plan, operands: int, compile: bool | None, resumed_engine: str | None, notify: Callable[[str], None]
) -> Engine:
    """Chooses the engine for a plan, and prepares it.

    Args:
        plan: what to train.
        operands: the number of operands in the loss of one row.
        compile: True, False, or None to decide here.
        resumed_engine: the engine of the run that is resumed; None for a new run.
        notify: called with a text when compiling begins, which may take a while.

    Raises:
        ChainruleError: `compile` is True, and compiling failed.
    """
    if plan.own_trainer or compile is False:
        return without_compiling(plan, "compile=False" if compile is False else "the trainer was given")
    if compile is None:
        why, is_shown = _reason_not_to_compile(plan, operands, resumed_engine)
        if why:
            return without_compiling(plan, why, is_shown)
    notify("compiling")
    return _compiled(plan, strict=bool(compile))


def _reason_not_to_compile(plan: Plan, operands: int, resumed_engine: str | None) -> tuple[str, bool]:
    """The reason not to compile, "" if there is none; and whether to show it to the user."""
    if resumed_engine == "eager":
        return "resumes an eager run; compile=True goes on compiled", False
    rows, traced = len(plan.train), TRACED_ROWS
    if not plan.objective.by_sample:
        traced += plan.batch_size + rows % plan.batch_size
    if resumed_engine != "compiled" and operands * (rows * plan.epochs - TRACE_COST * traced) < WORTH_IT:
        return "so little work that compiling would take longer", False
    missing = [library for library in LIBRARIES if find_spec(library) is None]
    if missing:
        return f"not compiled, without {' and '.join(missing)}: {INSTALL}", True
    return "", False


def _compiled(plan: Plan, *, strict: bool) -> Engine:
    watch = any(callback is not record_gradients and type(callback) is not EarlyStopping for callback in plan.callbacks)
    start = time.perf_counter()
    try:
        compiled = importlib.import_module("chainrule.training.compiled")  # not at the top, as it needs the extra
        trainer = compiled.CompiledTrainer(plan.model, plan.objective, plan.optimizer, strict=strict, watch=watch)
        trainer.prepare(plan.train, plan.batch_size)
    except Exception as error:  # also from the user's code, which may not expect tracing
        if strict:
            raise
        return without_compiling(plan, f"not compiled: {as_reason(error)}", True)
    return Engine(trainer, "compiled", f"compiled in {time.perf_counter() - start:.1f} s", True)
