"""The learning rates of a run: the schedule is called in advance, as long as it reads nothing that steps change.

A schedule is a function of the number of steps done, so it can be called for many steps at once. A schedule that reads
or writes a Value, or changes state of its own, is called during each step instead, at the same point as by the eager
engine: after the gradients and before the update.
"""

from __future__ import annotations

import dis
import functools
import math
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from chainrule.compiler.native.memory import for_native_code
from chainrule.compiler.steps.dependencies import Reads, content
from chainrule.compiler.steps.update import Update
from chainrule.compiler.trace.tracing import Trace
from chainrule.core import modes
from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import ChainruleError, TraceError
from chainrule.optim import Optimizer, constant

OF_STEPS = {"memory", "gradients", "finite", "last", "state_dict"}
"""Names of state that steps change and whose reading the engine does not report. A schedule whose code has one of them
is called during each step."""

OF_GRADIENTS = (
    "the schedule reads a gradient, which a native step has only after it got its learning rate: use the gradient in "
    "`updated` of an optimizer of your own"
)


class Rates:
    """The learning rates of the steps of one run.

    Args:
        optimizer: the optimiser, which has the schedule.
        count: the number of steps.
        update: the native update; it may need the rate of the next step as well.

    Attributes:
        rows: for each step its rate, its number as the optimiser counts, and the rate of the next step.
        known: the number of steps whose rates are known.
        in_turn: whether the schedule is called during each step, not in advance. Every schedule that is not plain
            arithmetic is so called for the first step; what it does there decides about the others.
    """

    def __init__(self, optimizer: Optimizer, count: int, update: Update) -> None:
        self.optimizer, self.ahead = optimizer, update.looks_ahead
        self.rows = for_native_code(np.zeros((count, 3), update.rows.dtype), update.checked)
        self.known, self._before = 0, 0
        self._pure = is_arithmetic(optimizer.schedule)
        self.in_turn = not self._pure
        self._for_good = self.in_turn and self._looks_around()

    def _looks_around(self) -> bool:
        """Returns whether the code of the schedule shows that it must be called during each step."""
        try:
            self._reads = Reads([self.optimizer.schedule], [self.optimizer, *self.optimizer.parameters])
        except ChainruleError:  # a clock, a file, an iterator
            return True
        if "peek_grad" in self._reads.names:
            raise TraceError(OF_GRADIENTS)
        return bool(self._reads.names & OF_STEPS)

    def ask(self, first: int) -> int:
        """Asks for the rates from step `first` of this run on. Returns the first step whose rate is not known yet; that
        is `first` itself if the schedule turns out to need a call during that step.

        Raises:
            OperandError: the schedule gives no number.
        """
        before = self.optimizer.steps - first
        if before != self._before or self.known <= first:
            self._before, self.known = before, first
            if self._pure:
                self._ask_all(first)
            else:
                self._ask_watched(first)
        return self.known

    def _ask_all(self, first: int) -> None:
        """Calls the schedule for all steps, or for those before the first at which it fails."""
        rates: list[float] = []
        ahead = int(self.ahead)
        try:
            schedule = self.optimizer.schedule
            for i in range(self._before + first, self._before + len(self.rows) + ahead):
                rates.append(number(schedule(i), "a learning rate"))
        except Exception:
            if len(rates) <= ahead:
                raise  # a later error is raised when its step comes
        count = len(rates) - ahead
        known = self.known = first + count
        self.rows[first:known, 0] = rates[:count]
        self.rows[first:known, 1] = np.arange(self._before + first + 1, self._before + known + 1)
        if ahead:
            self.rows[first:known, 2] = rates[1:]

    def _ask_watched(self, first: int) -> None:
        steps = self.optimizer.steps
        try:
            if self.in_turn:
                self._ask_in_turn(first)
            else:
                self._ask_in_advance(first)
        finally:
            self.optimizer.steps = steps

    def _ask_in_turn(self, at: int) -> None:
        """Calls the schedule for one step, and decides whether it can be called in advance for the others."""
        trace = _ScheduleTrace(in_advance=False)
        with modes.tracing(trace):
            self._ask_one(at)
        self.known = at + 1
        self.in_turn = self._for_good = self._for_good or trace.at_values or self._reads.changed()

    def _ask_in_advance(self, first: int) -> None:
        """Calls the schedule step by step in advance, until it turns out to read what steps change."""
        for at in range(first, len(self.rows)):
            trace = _ScheduleTrace(in_advance=True)
            failed = False
            try:
                with modes.tracing(trace):
                    self._ask_one(at)
            except Exception:  # during its step the call may succeed; if not, that step raises the error
                failed = True
            if failed or trace.at_values:
                self.in_turn = self._for_good = True
                return
            self.known = at + 1
            asked = self.known - first
            power_of_two = asked & (asked - 1) == 0
            if power_of_two and self._reads.changed():
                self.in_turn = self._for_good = True
                return

    def _ask_one(self, at: int) -> None:
        optimizer, i = self.optimizer, self._before + at
        optimizer.steps = i
        self.rows[at, :2] = number(optimizer.schedule(i), "a learning rate"), i + 1
        if self.ahead:
            optimizer.steps = i + 1
            self.rows[at, 2] = number(optimizer.schedule(i + 1), "a learning rate")

    def of(self, at: int) -> Sequence[float]:
        """Returns the row of step `at`: its rate, its number, and the rate of the next step."""
        return self.rows[at].tolist()


def is_arithmetic(schedule: Any) -> bool:
    """Returns whether a schedule uses only its argument, numbers, and functions of numbers. Its result then depends on
    nothing else, and its calls need not be watched.

    >>> is_arithmetic(lambda k: 0.1 * math.cos(k)), is_arithmetic(lambda k: print(k) or 0.1)
    (True, False)
    """
    if getattr(schedule, "__module__", None) == constant.__module__:
        return True  # of chainrule.optim itself
    if type(schedule) is not FunctionType or not _keeps_nothing(schedule.__code__):
        return False
    read = [*(schedule.__defaults__ or ()), *(schedule.__kwdefaults__ or {}).values()]
    read += [content(cell) for cell in schedule.__closure__ or ()]
    for name in schedule.__code__.co_names:
        if name in schedule.__globals__:
            read.append(schedule.__globals__[name])
        elif name not in _OF_NUMBERS and not hasattr(math, name):
            return False
    return all(type(x) in (int, float) or x is math for x in read)


_OF_NUMBERS = {"abs", "float", "int", "max", "min", "pow", "round"}
"""Builtins that return the same result for the same numbers."""

_KEEP = ("STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR", "STORE_SUBSCR", "STORE_NAME", "DELETE_", "IMPORT_", "YIELD_")


@functools.lru_cache(maxsize=1000)
def _keeps_nothing(code: CodeType) -> bool:
    """Returns whether code stores nothing that a later call could read, and contains no functions."""
    inside = any(isinstance(constant, CodeType) for constant in code.co_consts)
    return not inside and not any(step.opname.startswith(_KEEP) for step in dis.get_instructions(code))


class _ScheduleTrace(Trace):
    """A watch on one call of a schedule: notes whether it uses Values, but lets it run as if it were not traced.

    Args:
        in_advance: whether the call comes before its step, when it is too early to write anything.

    Attributes:
        at_values: whether the schedule used a Value: read or wrote its number, copied it or calculated with it.
    """

    def __init__(self, in_advance: bool) -> None:
        super().__init__()
        self.in_advance, self.at_values = in_advance, False

    def data_of(self, node: Value) -> Any:
        """Notes that the schedule read a number; returns it."""
        self.at_values = True
        return node.peek_data()

    def token_of(self, leaf: Value) -> tuple[int, int]:
        """Notes that the schedule copies a Value."""
        self.at_values = True
        return super().token_of(leaf)

    def grad_of(self, node: Value, error: TraceError) -> float:
        """Refuses to read a gradient."""
        raise TraceError(OF_GRADIENTS) from error

    def written(self, node: Value, error: TraceError) -> None:
        """Notes that the schedule writes a number; raises the error if it is too early for that. A write to a parameter
        is detected when the parameters are saved."""
        self.at_values = True
        if self.in_advance:
            raise error

    def asked(self, node: Value, truth: bool) -> bool:
        """Notes that the schedule asked whether a Value is nonzero; returns the answer."""
        self.at_values = True
        return truth

    def made(self, node: Value, recording: bool) -> Value:
        """Notes that the schedule calculated with Values; returns the result."""
        self.at_values = True
        return node
