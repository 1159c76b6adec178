"""The report of a gradient check: tables of derivatives, and the operations that are wrong, if any."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.check.differences import Estimate
from chainrule.core.operation import Operation
from chainrule.explain.notation import call, formula, short
from chainrule.explain.wording import counted, cut, wrapped

OK, KINK, WRONG, UNCLEAR, NOT_FINITE = "ok", "kink", "wrong", "unclear", "not finite"

ROWS_SHOWN = 20

ADVICE = (
    "Every operation of the graph agrees with its own differences, so a derivative gets lost between them: .data, "
    "detach() and float() cut the graph, stop_gradient() lets none through, and a plain number does not know what it "
    "was made of."
)
AT_A_KINK = (
    "No operation is wrong, but {call} is at a kink, where a convention stands for its derivative; what is made of it "
    "may have another one."
)
SECOND_ORDER = (
    "Write it in operators and operations of the table; .data, math.exp and the like cannot be differentiated again."
)


@dataclass(frozen=True)
class Comparison:
    """One derivative, calculated twice.

    Attributes:
        names: the input with respect to which it is taken; two inputs for a second derivative.
        at: the value of the input that was varied for the differences.
        numerical: the numerical derivative, with its error.
        analytical: the derivative by the chain rule.
        tolerance: the largest relative error that passes.
        of_operation: whether it is about one operation. At a kink, the derivative of an operation must lie between the
            slopes to both sides; where kinks of several operations meet, their conventions need not combine to such a
            derivative.
    """

    names: tuple[str, ...]
    at: float
    numerical: Estimate
    analytical: float
    tolerance: float
    of_operation: bool = False

    @property
    def relative_error(self) -> float:
        """The difference relative to the larger derivative; below a size that rounding hides, relative to that size."""
        numerical, analytical = self.numerical.derivative, self.analytical
        if numerical == analytical:
            return 0.0
        if not (math.isfinite(numerical) and math.isfinite(analytical)):
            return math.nan
        largest = max(math.fabs(numerical), math.fabs(analytical), 1e-8 * self.numerical.scale)
        return math.fabs(numerical - analytical) / largest

    @property
    def verdict(self) -> str:
        """The verdict on the comparison.

        `ok`; `wrong`; `kink` where the slopes to both sides differ or the function jumps; `unclear` where rounding
        errors hide the derivative; `not finite` where there is nothing to compare with.
        """
        numerical, analytical = self.numerical, self.analytical
        doubt = 4 * numerical.error
        largest = max(math.fabs(numerical.derivative), math.fabs(analytical))
        singular = numerical.kink or numerical.jump
        if not math.isfinite(numerical.derivative) or (singular and not math.isfinite(analytical)):
            return NOT_FINITE
        if singular:
            return KINK if numerical.jump or not self.of_operation or self._between_the_slopes() else WRONG
        if numerical.derivative == analytical:
            return OK
        if not math.fabs(numerical.derivative - analytical) <= self.tolerance * largest + doubt:
            return WRONG
        return OK if doubt <= self.tolerance * max(largest, numerical.scale) else UNCLEAR

    def _between_the_slopes(self) -> bool:
        low, high = sorted([self.numerical.left, self.numerical.right])
        slack = self.tolerance * max(math.fabs(low), math.fabs(high))
        return low - slack <= self.analytical <= high + slack


@dataclass(frozen=True)
class Culprit:
    """An operation whose local derivative is wrong, at the first place where it is."""

    op: Operation
    operands: tuple[float, ...]
    index: int
    """The operand of the wrong local derivative."""
    comparison: Comparison | None
    """The two numbers that differ; None if the local derivative could not be differentiated at all."""
    failure: str = ""
    places: int = 1
    """The number of places in the graph where it is wrong."""

    def lines(self) -> Iterator[str]:
        where = f" (and at {counted(self.places - 1, 'other place')})" if self.places > 1 else ""
        yield from wrapped("  ", f"The operation that is wrong: {self.op.name}, at {self._call()}{where}.")
        yield from wrapped("  ", self._complaint())

    def _call(self) -> str:
        return cut(call(self.op, self.operands))

    def _complaint(self) -> str:
        name = operand_name(self.op, self.index)
        text = formula(self.op, self.index)
        local = f"Its local derivative by {name}{f', {text},' if text else ''}"
        if self.comparison is None:
            return f"{local} cannot be differentiated again ({self.failure}). {SECOND_ORDER}"
        says, is_really = short(self.comparison.analytical), _rounded(self.comparison.numerical.derivative)
        if len(self.comparison.names) == 1:
            return f"{local} gives {says}, but numerically it is {is_really}."
        other = self.comparison.names[1]
        changes = f"{local} has by {other} the derivative {says}, but numerically that is {is_really}"
        return f"{changes}. {SECOND_ORDER}"


@dataclass(frozen=True)
class GradientReport:
    """The result of a gradient check; true if everything agrees, and a text to read from `str()`.

    Attributes:
        inputs: name and number of each input.
        value: what the function gives there.
        first, second: the comparisons of first and of second derivatives.
        failure: why there are no second derivatives though they were asked for; else "".
        culprits: operations that are wrong, looked for if a derivative is.
        notes: further sentences for the reader.
    """

    inputs: tuple[tuple[str, float], ...]
    value: float
    first: tuple[Comparison, ...]
    second: tuple[Comparison, ...] = ()
    failure: str = ""
    culprits: tuple[Culprit, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every derivative agrees, or is a matter of convention at a kink."""
        agree = all(one.verdict in (OK, KINK) for one in (*self.first, *self.second))
        return agree and not self.failure and not self.culprits

    def __bool__(self) -> bool:
        return self.ok

    def having(self, verdict: str) -> list[Comparison]:
        """The comparisons with a verdict."""
        return [one for one in (*self.first, *self.second) if one.verdict == verdict]

    def __str__(self) -> str:
        return "\n".join([line.rstrip() for line in self._lines()])

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        inputs = ", ".join([f"{name} = {short(x)}" for name, x in self.inputs[:ROWS_SHOWN]])
        more = f" and {counted(len(self.inputs) - ROWS_SHOWN, 'more input')}" if len(self.inputs) > ROWS_SHOWN else ""
        yield from wrapped("", f"Derivatives of a function that is {short(self.value)} at {inputs}{more}")
        yield from _table("first derivatives", self.first)
        if self.second:
            yield from _table("second derivatives", self.second)
        yield ""
        for sentence in self._verdict():
            yield from wrapped("", sentence)
        for one in self._kinks()[:ROWS_SHOWN]:
            yield from wrapped("  ", _kink(one))
        for culprit in self.culprits:
            yield from culprit.lines()
        for note in self.notes:
            yield from wrapped("  ", note)

    def _kinks(self) -> list[Comparison]:
        """The kinks to report: where a first derivative has a kink, the second one necessarily jumps."""
        inputs = {one.names[0] for one in self.first if one.verdict == KINK}
        return [one for one in self.having(KINK) if len(one.names) == 1 or one.names[-1] not in inputs]

    def _verdict(self) -> Iterator[str]:
        total = len(self.first) + len(self.second)
        if self.ok:
            counts = (
                f"{len(self.first)} first and {len(self.second)} second" if self.second else f"{len(self.first)} first"
            )
            kinks = f", {len(self.having(KINK))} of them at a kink" if self.having(KINK) else ""
            yield f"The chain rule is right: {counts} derivatives compared{kinks}."
        if wrong := self.having(WRONG):
            yield f"WRONG: {len(wrong)} of {counted(total, 'derivative')}."
        if unclear := self.having(UNCLEAR):
            yield f"UNCLEAR: {len(unclear)} of {counted(total, 'derivative')}, too much blurred by rounding errors."
        if lost := self.having(NOT_FINITE):
            yield f"NOT COMPARED: {len(lost)} of {counted(total, 'derivative')}, for lack of finite numbers."
        if self.failure:
            yield f"WRONG: there are no second derivatives{'' if self.culprits else f' ({self.failure})'}."


def operand_name(op: Operation, index: int) -> str:
    """The name of an operand in the operation's definition; #1, #2, … for a variadic operation."""
    return op.operand_names[index] if op.operand_names else f"#{index + 1}"


def _table(title: str, comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The rows of a table of derivatives; of many, those that do not agree come first, and the rest is counted."""
    ordered = list(comparisons)
    if len(ordered) > ROWS_SHOWN:
        ordered.sort(key=lambda one: one.verdict == OK)
    shown, hidden = ordered[:ROWS_SHOWN], ordered[ROWS_SHOWN:]
    rows = [(title, "numerical", "analytical", "rel. error", "")]
    for one in shown:
        name, error = cut(", ".join(one.names), 22), "-" if one.verdict == KINK else _error(one.relative_error)
        rows.append((name, _numerical(one.numerical), short(one.analytical), error, one.verdict))
    widths = [max([len(row[column]) for row in rows]) for column in range(4)]
    yield ""
    for name, numerical, analytical, error, verdict in rows:
        figures = f"{numerical:>{widths[1]}}  {analytical:>{widths[2]}}  {error:>{widths[3]}}"
        yield f"  {name:{widths[0]}}  {figures}  {verdict}"
    if hidden:
        agree = len([one for one in hidden if one.verdict == OK])
        which = "all ok" if agree == len(hidden) else f"{agree:,} of them ok"
        largest = _error(max([one.relative_error for one in hidden]))
        yield f"  ... and {len(hidden):,} more, {which}; largest relative error {largest} ..."


def _numerical(estimate: Estimate) -> str:
    """The text of a numerical derivative: one number, the slopes to both sides of a kink, or "none" at a jump."""
    if estimate.jump:
        return "none"
    return f"{_rounded(estimate.left)} | {_rounded(estimate.right)}" if estimate.kink else _rounded(estimate.derivative)


def _rounded(x: float) -> str:
    """A numerical derivative without the digits that are only rounding errors."""
    return short(float(f"{x:.12g}"))


def _error(error: float) -> str:
    return "-" if not math.isfinite(error) else "0" if error == 0 else short(float(f"{error:.1g}"))


def _kink(one: Comparison) -> str:
    by, estimate, takes = ", ".join(one.names), one.numerical, short(one.analytical)
    where = f"at {one.names[-1]} = {short(one.at)}" + (f" (second derivative by {by})" if len(one.names) > 1 else "")
    if estimate.jump:
        return f"Jump {where}: there is no slope; the chain rule takes {takes}."
    sides = f"the slope is {_rounded(estimate.left)} to the left and {_rounded(estimate.right)} to the right"
    return f"Kink {where}: {sides}; the chain rule takes {takes}."
