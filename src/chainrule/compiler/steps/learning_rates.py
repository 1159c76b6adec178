"""The learning rates of a run: the schedule is asked in advance, for as long as it looks at nothing that steps change.

A schedule is a function of the number of steps done, so that of many steps can be asked at once. One that reads a
parameter, or changes something of its own, is asked before each step instead, with everything as it then is.
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
    """

    def __init__(self, optimizer: Optimizer, count: int, update: Update) -> None:
        self.optimizer, self.ahead = optimizer, update.looks_ahead
        self.rows = for_native_code(np.zeros((count, 3), update.rows.dtype), update.checked)
        self.known, self._before = 0, 0
        ours = getattr(optimizer.schedule, "__module__", None) == constant.__module__
        self._pure = ours or is_arithmetic(optimizer.schedule)
        self.alone = not self._pure and self._is_alone()

    def _is_alone(self) -> bool:
        """Whether the schedule has to be asked step by step."""
        try:
            self._reads = Reads([self.optimizer.schedule], [self.optimizer, *self.optimizer.parameters])
        except ChainruleError:  # a clock, a file, an iterator
            return True
        if "peek_grad" in self._reads.names:
            raise TraceError(OF_GRADIENTS)
        return bool(self._reads.names & OF_STEPS)

    def ask(self, first: int) -> int:
        """Asks for the rates from step `first` of this run on; returns the step before which to ask again.

        Raises:
            OperandError: the schedule gives no number.
        """
        before = self.optimizer.steps - first
        if before != self._before or self.known <= first:
            self._before, self.known = before, first
            if self._pure:
                self._ask_all(first)
            else:
                self._ask_each(first)
        return self.known

    def _ask_all(self, first: int) -> None:
        numbers = range(self._before + first, self._before + len(self.rows))
        schedule = self.optimizer.schedule
        self.rows[first:, 0] = [number(schedule(i), "a learning rate") for i in numbers]
        self.rows[first:, 1] = [i + 1 for i in numbers]
        if self.ahead:
            self.rows[first:, 2] = [number(schedule(i + 1), "a learning rate") for i in numbers]
        self.known = len(self.rows)

    def _ask_each(self, first: int) -> None:
        """One after the other, until it turns out that the schedule looks at what steps change."""
        steps = self.optimizer.steps
        try:
            for at in range(first, first + 1 if self.alone else len(self.rows)):
                look = _Look()
                try:
                    with modes.tracing(look):
                        self._ask_one(at)
                except Exception:
                    if at > first:
                        break  # it may be right when its turn has come, or else be the error of that step
                    raise
                asked = at - first + 1
                power_of_two = asked & (asked - 1) == 0
                if look.at_values or (not self.alone and power_of_two and self._reads.changed()):
                    self.alone = True
                if look.at_values and at > first:
                    break  # this one is asked for when its turn has come
                self.known = at + 1
                if self.alone:
                    break
        finally:
            self.optimizer.steps = steps

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


class _Look(Trace):
    """What the engine tells while a schedule is asked: in what it says, all is as it is.

    Attributes:
        at_values: whether it read the number of a Value.
    """

    at_values = False

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
        """Told that it writes a number; whoever has that sees to it."""
        self.at_values = True

    def asked(self, node: Value, truth: bool) -> bool:
        """Told that it asked whether a Value is zero."""
        self.at_values = True
        return truth

    def made(self, node: Value, recording: bool) -> Value:
        """Told that it calculated with Values."""
        self.at_values = True
        return node
