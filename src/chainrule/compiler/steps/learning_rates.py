"""The learning rates of a run: the schedule is asked in advance, for as long as it looks at nothing that steps change.

A schedule is a function of the number of steps done, so that of many steps can be asked at once. One that reads or
writes a Value, or changes something of its own, is asked in the turn of each step instead, where the eager engine asks
it: after the gradients and before the update.
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
"""Names in the code of a schedule that reads what steps change, in a way that is not told of."""

OF_GRADIENTS = (
    "the schedule reads a gradient, which a native step has only after it got its learning rate: use the gradient in "
    "`updated` of an optimizer of your own"
)


class Rates:
    """The rates of the steps of one run.

    Args:
        optimizer: whose schedule it is.
        count: how many steps there are.
        update: what they are for; it may want the rate of the step after each as well.

    Attributes:
        rows: for each step the rate, the step's number as the optimiser counts, and the rate of the next step.
        known: so many steps have theirs.
        in_turn: whether it is asked in the turn of each step. So is any schedule that is no arithmetic, for the first
            step: what it does there tells how to go on.
    """

    def __init__(self, optimizer: Optimizer, count: int, update: Update) -> None:
        self.optimizer, self.ahead = optimizer, update.looks_ahead
        self.rows = for_native_code(np.zeros((count, 3), update.rows.dtype), update.checked)
        self.known, self._before = 0, 0
        ours = getattr(optimizer.schedule, "__module__", None) == constant.__module__
        self._pure = ours or is_arithmetic(optimizer.schedule)
        self.in_turn = not self._pure
        self._for_good = self.in_turn and self._looks_around()

    def _looks_around(self) -> bool:
        """Whether its code tells that the schedule has to be asked step by step."""
        try:
            self._reads = Reads([self.optimizer.schedule], [self.optimizer, *self.optimizer.parameters])
        except ChainruleError:  # a clock, a file, an iterator
            return True
        if "peek_grad" in self._reads.names:
            raise TraceError(OF_GRADIENTS)
        return bool(self._reads.names & OF_STEPS)

    def ask(self, first: int) -> int:
        """Asks for the rates from step `first` of this run on; returns the step before which to ask again. That is
        `first` itself, if it turns out that it has to be asked in its turn.

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
        """All of them, or those before the first that fails."""
        rates: list[float] = []
        ahead = int(self.ahead)
        try:
            schedule = self.optimizer.schedule
            for i in range(self._before + first, self._before + len(self.rows) + ahead):
                rates.append(number(schedule(i), "a learning rate"))
        except Exception:
            if len(rates) <= ahead:
                raise  # the others are told of it in their turn
        count = len(rates) - ahead
        known = self.known = first + count
        self.rows[first:known, 0] = rates[:count]
        self.rows[first:known, 1] = range(self._before + first + 1, self._before + known + 1)
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
        """For one step, and sees whether the others can be asked in advance."""
        trace = _ScheduleTrace(in_advance=False)
        with modes.tracing(trace):
            self._ask_one(at)
        self.known = at + 1
        self.in_turn = self._for_good = self._for_good or trace.at_values or self._reads.changed()

    def _ask_in_advance(self, first: int) -> None:
        """One after the other, until it turns out that the schedule looks at what steps change."""
        for at in range(first, len(self.rows)):
            trace = _ScheduleTrace(in_advance=True)
            failed = False
            try:
                with modes.tracing(trace):
                    self._ask_one(at)
            except Exception:  # in its turn it may be right, or else be the error of that step
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
        """What is known of step `at`."""
        return self.rows[at].tolist()


def is_arithmetic(schedule: Any) -> bool:
    """Whether a schedule is made of its argument, numbers, and functions of numbers, so that nothing need be watched.

    >>> is_arithmetic(lambda k: 0.1 * math.cos(k)), is_arithmetic(lambda k: print(k) or 0.1)
    (True, False)
    """
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
"""Functions of Python's own that give of the same numbers the same."""

_KEEP = ("STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR", "STORE_SUBSCR", "STORE_NAME", "DELETE_", "IMPORT_", "YIELD_")


@functools.lru_cache(maxsize=1000)
def _keeps_nothing(code: CodeType) -> bool:
    """Whether code leaves nothing behind that it could find again; it has no functions within it, either."""
    inside = any(isinstance(constant, CodeType) for constant in code.co_consts)
    return not inside and not any(step.opname.startswith(_KEEP) for step in dis.get_instructions(code))


class _ScheduleTrace(Trace):
    """What the engine tells while a schedule is asked: in what it says, all is as it is.

    Args:
        in_advance: whether it is too early to write anything.

    Attributes:
        at_values: whether it read or wrote the number of a Value.
    """

    def __init__(self, in_advance: bool) -> None:
        super().__init__()
        self.in_advance, self.at_values = in_advance, False

    def data_of(self, node: Value) -> Any:
        """Told that it read a number."""
        self.at_values = True
        return node.peek_data()

    def token_of(self, leaf: Value) -> tuple[int, int]:
        """Told that it copies a Value."""
        self.at_values = True
        return super().token_of(leaf)

    def grad_of(self, node: Value, error: TraceError) -> float:
        """Told that it read a gradient."""
        raise TraceError(OF_GRADIENTS) from error

    def written(self, node: Value, error: TraceError) -> None:
        """Told that it writes a number: of a parameter, that is found out when the parameters are saved."""
        self.at_values = True
        if self.in_advance:
            raise error

    def asked(self, node: Value, truth: bool) -> bool:
        """Told that it asked whether a Value is zero."""
        self.at_values = True
        return truth

    def made(self, node: Value, recording: bool) -> Value:
        """Told that it calculated with Values."""
        self.at_values = True
        return node
