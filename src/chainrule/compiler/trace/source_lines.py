"""A trace that records lines: where the function asked for the truth of a number, and where Python's own numbers became
operands. It serves messages and reports. An ordinary trace does without, since finding the lines takes longer than
everything else."""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.compiler.trace.tracing import Trace
from chainrule.compiler.trace.variables import variables_for
from chainrule.core import modes
from chainrule.engine import Value


@dataclass(frozen=True, order=True)
class Line:
    """A line of the user's code.

    Attributes:
        file, at: the name of the file, and the line's number.
    """

    file: str
    at: int

    @property
    def text(self) -> str:
        """The text of the line; empty if the file cannot be read."""
        return linecache.getline(self.file, self.at).strip()

    def __str__(self) -> str:
        return f"line {self.at} of {self.file}" + (f", {self.text}" if self.text else "")


@dataclass
class LineTrace(Trace):
    """The record of one run of a function, with lines.

    Attributes:
        asked_at: for each guard, its line.
        constants: for each (line, name of the operation, number), how often this Python number was an operand.
        met: the same operands one by one, without lines.
    """

    asked_at: list[Line] = field(default_factory=list)
    constants: Counter[tuple[Line, str, float]] = field(default_factory=Counter)
    met: list[tuple[str, float]] = field(default_factory=list)

    def made(self, node: Value, recording: bool) -> Value:
        numbers = [x.peek_data() for x in node.operands if x.constant]
        if numbers and node.op is not None:
            where = _here()
            for x in numbers:
                self.constants[(where, node.op.name, x)] += 1
                self.met.append((node.op.name, x))
        return super().made(node, recording)

    def asked(self, node: Value, truth: bool) -> bool:
        self.asked_at.append(_here())
        return super().asked(node, truth)

    def whole_number_of(self, node: Value) -> int:
        answer = super().whole_number_of(node)
        self.asked_at.append(_here())
        return answer


def trace_with_lines(function: Callable, arguments: Sequence[Any]) -> LineTrace:
    """Runs `function` once and records lines.

    Args:
        function: as for `trace`.
        arguments: numbers, Modules, or nested lists, tuples and dicts of numbers.

    >>> record = trace_with_lines(lambda x: 3.0 * x if x > 0 else x, [2.0])
    >>> [(line.at, name, x, times) for (line, name, x), times in record.constants.items()]
    [(1, 'gt', 0.0, 1), (1, 'mul', 3.0, 1)]
    """
    record = LineTrace()
    with modes.tracing(record), modes.nested_transform():
        function(*variables_for(arguments)[0])
    return record


def _here() -> Line:
    frame = modes.caller()
    return Line(frame.f_code.co_filename, frame.f_lineno)
