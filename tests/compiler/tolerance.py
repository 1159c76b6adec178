"""How far native code may be from the eager engine: a running error analysis of a traced graph, at given numbers.

The rule is: within 8 units in the last place (ulp) of the sum of the magnitudes that were added. What is added up in a
number y, and how an error of an earlier number gets there, is taken like this.

- A chain of additions (`add`, `sub`, `sum`, `weighted_sum`, whose partial sums are used nowhere else) may be added in
  any order, and its products may be fused into it. What was added are its terms: y may be off by 8 ulp(Σ |term|), and
  by what the eager engine itself lost by adding from left to right: 1e16 + 0.6 + 0.6 + … stays 1e16 there, however many
  terms there are. That is no bound, but the difference from the exact sum.
- Any other operation that rounds may be off by 8 ulp(|y|): 2 for native code, 1 for the C library, and there is room
  for those which the table puts together from several (`softplus`). Some end in a sum (`logsumexp`, `mean`, `lgamma`
  below 0): 8 ulp of what is added there. Operations that choose, compare or give whole numbers round nothing.
- What an operand is off by moves y by the local derivative times that, or, where that is more, by as much as is seen
  when the operand is moved by it. These parts of y's error are added up.

So each number has a bound of the form 8 ulp(Σ over everything that went into it of |its share|), and the bound of a sum
does not grow with its length. A derivative needs no rule of its own: what is traced is the function together with its
derivative by the eager transform, and so the chain rule's products and sums, the local derivatives, and what their
operands are off by, are nodes like all others.

Where a question is nearer to its turning point than its operands are certain, two right answers differ: this is `Near`.
The questions are comparisons, what Python asks, the poles and ends of functions, cuts, and the edge of overflow. Equal
numbers are certain to be equal, if one was chosen from the other (as the largest of a list is one of the list).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.core.operation import Operation

ULPS = 8
COMPARISONS = {ops.lt, ops.le, ops.gt, ops.ge, ops.eq, ops.ne}
SUMS = {ops.add, ops.sub, ops.sum, ops.weighted_sum}
SAME = {ops.identity: 1.0, ops.stop_gradient: 1.0, ops.neg: -1.0}
CHOOSING = {ops.max, ops.min, ops.clip, ops.select, ops.largest, ops.take, ops.relu, ops.abs}
WHOLE = {ops.argmax, ops.sign, ops.floor, ops.ceil, ops.round, ops.floordiv}
EXACT = COMPARISONS | CHOOSING | WHOLE
CIRCLE = {ops.sin, ops.cos, ops.tan}


class Near(Exception):  # noqa: N818 - not an error: the numbers are nearer to a branch than they are certain
    """Nearer to a branch than the numbers are certain."""


def ulps(x: float) -> float:
    """8 ulp of a number; of an infinite one, nothing."""
    return ULPS * math.ulp(x) if math.isfinite(x) else 0.0


class Analysis:
    """The numbers of a graph and their errors.

    Args:
        graph: a traced function.
        inputs: its numbers.

    Attributes:
        values: the number of each node.
        errors: how far native code may be off.
        added: the sum of the magnitudes that were added to make it.
        inherited: the part of the error that comes from its terms; the rest are 8 ulp of what was added.
        lost: how far the eager engine's sum of these terms is from the exact one.

    Raises:
        Near: see there.
    """

    def __init__(self, graph: Graph, inputs: Sequence[float]) -> None:
        self.graph, n = graph, len(graph)
        self.values, self.errors, self.added = list(inputs) + [0.0] * (n - len(inputs)), [0.0] * n, [0.0] * n
        self.inherited, self.lost, self.source = [0.0] * n, [0.0] * n, list(range(n))
        self.once = _used_once(graph)
        for i in range(n):
            op = graph.ops[i]
            if op is not None:
                self._operation(i, op, graph.operands[i])
            else:
                if i >= graph.inputs:
                    self.values[i] = graph.numbers[i]
                self.added[i] = _magnitude(self.values[i])
        for node, _ in graph.guards:
            self._truth(node)

    def _operation(self, i: int, op: Operation, operands: tuple[int, ...]) -> None:
        xs = [self.values[k] for k in operands]
        y = self.values[i] = op.value(*xs)
        if op is ops.mul and math.isinf(y) and all(map(math.isfinite, xs)):
            raise Near("overflow of a product, which, fused into a sum, may be finite")
        if op in COMPARISONS:
            self._compared(*operands)
        elif op is ops.argmax and y < len(xs):  # else there is none, but nan
            for k in operands:  # which stay equal to the largest where they are the same number
                self._compared(operands[int(y)], k)
        elif op in SUMS:
            self._sum(i, op, operands)
            return
        elif op in SAME or self._by_one(op, operands):
            of = operands[0] if op in SAME or (math.fabs(xs[1]) == 1 and not self.errors[operands[1]]) else operands[1]
            self._pass_on(i, of)
            return
        else:
            if op in CHOOSING:
                self._choose(i, op, operands)
            self.inherited[i] = self._moved(op, operands, xs, y)
        self.added[i] = _magnitude(y)
        exact = op in EXACT or (op in (ops.mul, ops.chain) and self._exact_zero(operands))
        self.errors[i] = self.inherited[i] + (0.0 if exact else ulps(_added(op, xs, y) if math.isfinite(y) else y))
        self._edge(i)

    def _exact_zero(self, operands: tuple[int, ...]) -> bool:
        return any(self.values[k] == 0 and not self.errors[k] for k in operands)

    def _by_one(self, op: Operation, operands: tuple[int, ...]) -> bool:
        """Whether this is a product with a certain 1 or -1."""
        return op in (ops.mul, ops.chain) and any(
            math.fabs(self.values[k]) == 1 and not self.errors[k] for k in operands
        )

    def _pass_on(self, i: int, of: int) -> None:
        """The number itself, or with another sign: still the sum that it was."""
        self.errors[i] = self.errors[of]
        self.added[i], self.inherited[i], lost = self._part(of)
        self.lost[i] = lost if self.values[i] == self.values[of] else -lost
        if self.values[i] == self.values[of]:
            self.source[i] = self.source[of]

    def _part(self, k: int) -> tuple[float, float, float]:
        """What a term brings into a sum: the magnitudes added, its error but for that of adding, and what was lost."""
        if self.once[k]:
            return self.added[k], self.inherited[k], self.lost[k]
        return _magnitude(self.values[k]), self.errors[k], 0.0

    def _sum(self, i: int, op: Operation, operands: tuple[int, ...]) -> None:
        values, added, inherited, terms = self.values, 0.0, 0.0, []
        for at, k in enumerate(operands[:1] if op is ops.weighted_sum else operands):
            magnitude, error, lost = self._part(k)
            added, inherited = added + magnitude, inherited + error
            sign = -1.0 if op is ops.sub and at else 1.0
            terms += [sign * values[k], sign * lost]
        if op is ops.weighted_sum:
            for a, b in zip(operands[1::2], operands[2::2], strict=True):
                added += _magnitude(values[a] * values[b])
                terms.append(values[a] * values[b])
                if self.errors[a] or self.errors[b]:
                    inherited += self._moved(ops.mul, (a, b), [values[a], values[b]], values[a] * values[b])
        if not math.isfinite(added):
            raise Near("overflow, which may depend on the order of the terms")
        y = values[i]
        self.added[i], self.inherited[i] = (added, inherited) if math.isfinite(y) else (0.0, 0.0)
        self.lost[i] = math.fsum([*terms, -y]) if math.isfinite(y) else 0.0
        self.errors[i] = inherited + ulps(added) + math.fabs(self.lost[i]) if math.isfinite(y) else 0.0
        self._edge(i)

    def _edge(self, i: int) -> None:
        y, error = self.values[i], self.errors[i]
        if not math.isfinite(error) or (math.isfinite(y) and math.isinf(math.fabs(y) + error)):
            raise Near("the edge of overflow")

    # ---- questions ----
    def _compared(self, a: int, b: int) -> None:
        values, room = self.values, self.errors[a] + self.errors[b]
        if room and self.source[a] != self.source[b] and math.fabs(values[a] - values[b]) <= room:
            raise Near("a comparison")

    def _truth(self, k: int) -> None:
        if self.errors[k] and math.fabs(self.values[k]) <= self.errors[k]:
            raise Near("a question whether a number is 0")

    def _choose(self, i: int, op: Operation, operands: tuple[int, ...]) -> None:
        """An operation that gives one of its operands: which one it was."""
        if op is ops.select:
            self._truth(operands[0])
            operands = operands[1:] if self.values[operands[0]] else operands[:0:-1]
        elif op is ops.take:
            if self.errors[operands[0]]:
                raise Near("a place")
            operands = operands[1:]
        for k in operands:
            if self.values[k] == self.values[i]:
                self.source[i] = self.source[k]
                return

    # ---- errors of operands ----
    def _moved(self, op: Operation, operands: tuple[int, ...], xs: list[float], y: float) -> float:
        """How far the operands' errors move a result."""
        total = 0.0
        for at, k in enumerate(operands):
            error = self.errors[k] + (math.ulp(xs[at]) if op is ops.gelu and math.isfinite(xs[at]) else 0.0)
            if error:
                total += self._moved_by(op, at, error, xs, y)
        return total

    def _moved_by(self, op: Operation, at: int, error: float, xs: list[float], y: float) -> float:
        x = xs[at]
        if op in CIRCLE and error > 1e-3:
            raise Near("an angle of which nothing is certain")
        if op is ops.div and at == 1 and math.fabs(x) <= error:
            raise Near("a pole")
        slope = op.local(at, xs, y)
        found = math.fabs(slope) * error if slope is not None and math.isfinite(slope) else 0.0
        for moved in (x - error, x + error):
            other = op.value(*xs[:at], moved, *xs[at + 1 :])
            if math.isnan(other) != math.isnan(y) or ((math.isinf(y) or math.isinf(other)) and other != y):
                raise Near("where a function ends")
            found = max(found, math.fabs(other - y)) if math.isfinite(y) else 0.0
        if op is ops.atan2 and found > 3:
            raise Near("a cut")
        return found


def _magnitude(x: float) -> float:
    """What a number brings into a sum of magnitudes: infinities and nan are certain, and bring nothing."""
    return math.fabs(x) if math.isfinite(x) else 0.0


def _added(op: Operation, xs: Sequence[float], y: float) -> float:
    """What an operation adds up to make its result, which is smaller where it cancels."""
    if op in (ops.logsumexp, ops.logaddexp):  # the logarithm of a sum, and the largest of the operands
        return _magnitude(max(xs)) + _magnitude(y - max(xs))
    if op is ops.mean:
        return math.fsum(map(math.fabs, xs)) / len(xs)
    if op in (ops.lgamma, ops.digamma) and xs[0] < 0:
        return 1 + op.value(1 - xs[0])
    if op is ops.polygamma and xs[1] < 0:
        return max(math.fabs(y), math.fabs(op.value(xs[0], 1 - xs[1])))
    return y


def _used_once(graph: Graph) -> list[bool]:
    uses = [0] * len(graph)
    for operands in graph.operands:
        for k in operands:
            uses[k] += 1
    for node in graph.outputs:
        uses[node] += 1
    return [n == 1 for n in uses]


def near(got: float, wanted: float, tolerance: float) -> bool:
    """Whether a number is within the tolerance; nan equals nan."""
    if math.isnan(wanted) or math.isnan(got):
        return math.isnan(wanted) and math.isnan(got)
    return got == wanted or math.fabs(got - wanted) <= tolerance


def same(got: Any, wanted: float) -> bool:
    """Whether two numbers have the same bits; nan equals nan."""
    return float(got).hex() == float(wanted).hex()
