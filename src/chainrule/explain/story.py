"""Explains the chain rule on the user's own numbers.

`explain(value)` walks through a graph like `backward()` and records every step: the upstream gradient, the local
derivative, their product, and what it was added to. It keeps gradients of its own, so those of the graph do not change.

>>> x = Value(3.0, label="x")
>>> print(explain(x * x))
The forward pass: the numbers, from the inputs to y
  inputs: x = 3
  y = x*x = 3*3 = 9
<BLANKLINE>
The backward pass: the chain rule, from y back to the inputs
  The .grad of a number is the derivative of y with respect to it: how fast y
  changes with it. Each operation takes the .grad of its result, which came from
  upstream, and hands on to each operand: upstream × local derivative. What
  arrives at a number several times is added up.
<BLANKLINE>
  Start at y itself: y.grad = dy/dy = 1
<BLANKLINE>
  1. y = x*x, upstream y.grad = 1
       dy/d(1st x) = x = 3    x.grad = 1 × 3 = 3
       dy/d(2nd x) = x = 3    x.grad = 3 + 1 × 3 = 3 + 3 = 6
<BLANKLINE>
The derivatives of y with respect to the inputs
  x.grad = 3 + 3 = 6
<BLANKLINE>
  In words: if x grows by 0.001, y changes by about 0.006.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from chainrule.core.packing import Row
from chainrule.engine import Value, topological_order
from chainrule.errors import ArgumentError, GraphError, OperandError, shown
from chainrule.explain.notation import call, formula, short
from chainrule.explain.wording import (
    WIDTH,
    counted,
    cut,
    derivative,
    equation,
    factor_text,
    gradient_text,
    name_or_number,
    names_of,
    side_by_side,
    without_repeats,
    wrapped,
)
from chainrule.ops import chain, stop_gradient

OPERANDS_SHOWN = 12
"""How many operands of one operation are explained; a neuron may have hundreds."""

ORDINALS = ("1st", "2nd", "3rd")

INTRODUCTION = (
    "The .grad of a number is the derivative of {y} with respect to it: how fast {y} changes with it. Each operation "
    "takes the .grad of its result, which came from upstream, and hands on to each operand: upstream × local "
    "derivative. What arrives at a number several times is added up."
)


@dataclass(frozen=True)
class Deposit:
    """One product of the chain rule: what an operation passes to one of its operands."""

    index: int
    operand: Value
    local: float | None
    """The local derivative; None where nothing flows, because the operation is constant in that operand."""
    product: float
    before: float | None
    """The operand's gradient before this product was added; None if nothing had arrived there yet."""


@dataclass(frozen=True)
class Step:
    """One operation of the backward pass."""

    node: Value
    upstream: float
    deposits: tuple[Deposit, ...]


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`; `str()` or `print()` gives its text.

    Attributes:
        root: the Value that was explained.
        order: every Value of its graph, operands before results.
        steps: the operations in backward order, with what each passed on.
        names: by `id()`, the name of each Value in the text.
        gradients: by `id()`, the derivative of the root with respect to each Value.
    """

    root: Value
    order: tuple[Value, ...] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    names: dict[int, str] = field(repr=False)
    gradients: dict[int, float] = field(repr=False)
    limit: int = 50

    def __reduce__(self) -> tuple:
        """A copy is told anew of the copied graph, whose Values have another `id()`.

        Raises:
            GraphError: a number was changed since this was told: a copy could not be told any more.
        """
        _refuse_changed(self.order, self.names)
        return partial(explain, limit=self.limit), (self.root,)

    @property
    def derivatives(self) -> dict[str, float]:
        """The derivative of the root with respect to each input, by name."""
        return {self.names[id(leaf)]: self.gradients[id(leaf)] for leaf in _inputs(self.order)}

    def __str__(self) -> str:
        return "\n".join([line.rstrip() for line in _Writer(self).lines()])

    __repr__ = __str__


def explain(value: Value, *, limit: int = 50) -> Explanation:
    """Explains how the derivatives of `value` arise, step by step, on its own numbers.

    It neither reads nor writes gradients: the explanation starts from zero, as after `zero_grad()`.

    Args:
        value: the result to explain, made by operations on Values. Labels of Values are used as names.
        limit: the most operations to show; of a larger graph, those nearest to the result.

    Returns:
        An `Explanation`: print it, or take its numbers from `.derivatives` and `.steps`.

    Raises:
        OperandError: `value` is not a Value.
        ArgumentError: `limit` is not at least 1.
        GraphError: a number was changed after the graph was calculated; `value.refresh()` repairs that.

    >>> x = Value(3.0, label="x")
    >>> explain(x * x).derivatives
    {'x': 6.0}
    """
    if not isinstance(value, Value):
        raise OperandError(
            f"explain needs a Value but got the {type(value).__name__} {shown(value)}: make it of Values"
        )
    if limit < 1:
        raise ArgumentError(f"explain cannot show {shown(limit)} operations: give a limit of at least 1")
    order = topological_order(value)
    names = names_of(order)
    _refuse_changed(order, names)
    gradients = {id(value): 1.0}
    steps = tuple([_step(node, gradients) for node in reversed(order) if node.operands])
    gradients = {id(node): gradients.get(id(node), 0.0) for node in order}
    return Explanation(value, tuple(order), steps, names, gradients, limit)


def _step(node: Value, gradients: dict[int, float]) -> Step:
    """The chain rule at one node, as in the engine: a zero on either side deposits nothing."""
    upstream = gradients.get(id(node), 0.0)
    deposits = []
    for index, (operand, local) in enumerate(zip(node.operands, node.locals, strict=True)):
        before = gradients.get(id(operand))
        product = 0.0
        if local is not None and upstream != 0:
            product = chain(upstream, local)
            gradients[id(operand)] = product + (before or 0.0)
        deposits.append(Deposit(index, operand, local, product, before))
    return Step(node, upstream, tuple(deposits))


def _refuse_changed(order: Sequence[Value], names: dict[int, str]) -> None:
    for node in order:
        if node.op is None or not node.operands:
            continue
        numbers = Row([operand.data for operand in node.operands])
        edges = [(i, local) for i, local in enumerate(node.locals) if local is not None]
        same = all(_same(local, node.op.local(i, numbers, node.data)) for i, local in edges)
        if not same or not _same(node.data, node.op.value(*numbers)):
            called = call(node.op, [name_or_number(operand, names) for operand in node.operands])
            message = f"{names[id(node)]} = {called} was calculated before one of its numbers was changed"
            raise GraphError(f"{message}: call refresh() on the result, then explain it")


def _same(a: float, b: float | None) -> bool:
    return b is not None and (a == b or (math.isnan(a) and math.isnan(b)))


def _inputs(order: Sequence[Value]) -> list[Value]:
    return [node for node in order if not node.operands and not node.constant]


# ---- the text ------------------------------------------------------------------------------------------------------


class _Writer:
    """Writes an explanation, section by section."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.y = explanation.names[id(explanation.root)]
        self.arrived: dict[int, list[float]] = {}
        for step in explanation.steps:
            for deposit in step.deposits:
                if deposit.local is not None and step.upstream != 0:
                    self.arrived.setdefault(id(deposit.operand), []).append(deposit.product)

    def lines(self) -> Iterator[str]:
        if not self.explanation.root.operands:
            yield f"{self.y} = {short(self.explanation.root.data)} is an input: no operation made it."
            yield "Its derivative with respect to itself is 1, and there is nothing to go back to."
            return
        yield from self.forward()
        yield ""
        yield from self.backward()
        yield ""
        yield from self.summary()

    def name(self, node: Value) -> str:
        return self.explanation.names[id(node)]

    def names(self, nodes: Sequence[Value]) -> list[str | float]:
        return [name_or_number(node, self.explanation.names) for node in nodes]

    # -- forward

    def forward(self) -> Iterator[str]:
        yield f"The forward pass: the numbers, from the inputs to {self.y}"
        inputs = _inputs(self.explanation.order)
        shown = [f"{self.name(leaf)} = {short(leaf.data)}" for leaf in inputs[: self.explanation.limit]]
        if len(inputs) > len(shown):
            shown.append(f"and {len(inputs) - len(shown):,} more")
        yield from wrapped("  inputs: ", ", ".join(shown))
        nodes = [step.node for step in reversed(self.explanation.steps[: self.explanation.limit])]
        hidden = len(self.explanation.steps) - len(nodes)
        if hidden:
            yield f"  ... {counted(hidden, 'earlier operation')} not shown ..."
        finite = True
        for node in nodes:
            yield from self.calculated(node)
            if finite and not math.isfinite(node.data):
                finite = False
                yield from self.not_finite(node)

    def calculated(self, node: Value) -> Iterator[str]:
        """`n1 = x1*w1 = 2*(-3) = -6`"""
        assert node.op is not None
        with_names = call(node.op, self.names(node.operands))
        with_numbers = call(node.op, [operand.data for operand in node.operands])
        yield from equation("  ", [self.name(node), with_names, with_numbers, short(node.data)])

    def not_finite(self, node: Value) -> Iterator[str]:
        if all(math.isfinite(operand.data) for operand in node.operands):
            yield f"    ({self.name(node)} is not a finite number: whatever is made of it may be lost as well)"

    # -- backward

    def backward(self) -> Iterator[str]:
        y = self.y
        yield f"The backward pass: the chain rule, from {y} back to the inputs"
        yield from wrapped("  ", INTRODUCTION.format(y=y))
        yield ""
        yield f"  Start at {y} itself: {y}.grad = {derivative(y, y)} = 1"
        shown = self.explanation.steps[: self.explanation.limit]
        for position, step in enumerate(shown, start=1):
            yield ""
            yield from self.step(position, step)
        hidden = len(self.explanation.steps) - len(shown)
        if hidden:
            yield ""
            yield f"  ... {counted(hidden, 'further step')} not shown (a larger limit shows more) ..."

    def step(self, position: int, step: Step) -> Iterator[str]:
        assert step.node.op is not None
        name, head = self.name(step.node), f"  {position}. "
        made = call(step.node.op, self.names(step.node.operands))
        upstream = f"upstream {name}.grad = {gradient_text(step.upstream)}"
        yield from side_by_side(head, [f"{name} = {cut(made)}", upstream])
        indent = " " * (len(head) + 2)
        if step.upstream == 0:
            yield f"{indent}nothing to hand on: {self.y} does not change with {name}"
            return
        deposits = [deposit for deposit in step.deposits if not deposit.operand.constant]
        shown = deposits[:OPERANDS_SHOWN]
        for deposit in shown:
            if deposit.local is None:
                operand = self.name(deposit.operand)
                constant = f"{name} counts as a constant"
                unmoved = f"a small change of {operand} leaves {name} as it is"
                why = constant if step.node.op is stop_gradient else unmoved
                yield f"{indent}nothing flows to {operand}: {why}"
        flowing = [deposit for deposit in shown if deposit.local is not None]
        rows = [(self.local(step, deposit), self.deposited(step, deposit)) for deposit in flowing]
        width = max([len(local) for local, _ in rows], default=0)
        for local, deposited in rows:
            if len(indent) + width + 4 + len(deposited) <= WIDTH:
                yield f"{indent}{local:{width}}    {deposited}"
            else:
                yield from equation(indent, local.split(" = "))
                yield from equation(indent + "  ", deposited.split(" = "))
        if len(deposits) > len(shown):
            yield f"{indent}... and {counted(len(deposits) - len(shown), 'more operand')} in the same way ..."

    def local(self, step: Step, deposit: Deposit) -> str:
        """`dy/dn4 = 1 - y*y = 1 - 0.707107*0.707107 = 0.5`"""
        node, op = step.node, step.node.op
        assert op is not None
        assert deposit.local is not None
        parts = [derivative(self.name(node), self.place(node, deposit.index))]
        numbers = [operand.data for operand in node.operands]
        parts.append(formula(op, deposit.index, self.names(node.operands), self.name(node)) or "")
        parts.append(formula(op, deposit.index, numbers, node.data) or "")
        parts.append(short(deposit.local))
        return " = ".join(without_repeats(parts))

    def place(self, node: Value, index: int) -> str:
        """The name of the operand with respect to which a local derivative is taken; `1st x` where x is an operand
        several times."""
        operands = node.operands
        name = self.name(operands[index])
        places = [i for i, operand in enumerate(operands) if operand is operands[index]]
        if len(places) == 1:
            return name
        position = places.index(index)
        return f"{ORDINALS[position] if position < len(ORDINALS) else f'{position + 1}th'} {name}"

    def deposited(self, step: Step, deposit: Deposit) -> str:
        """`a.grad = 2 + 1 × 3 = 2 + 3 = 5`"""
        name = self.name(deposit.operand)
        assert deposit.local is not None
        product = f"{factor_text(step.upstream)} × {factor_text(deposit.local)}"
        added = gradient_text(deposit.product)
        parts = [f"{name}.grad", product, added]
        if deposit.before is not None:
            before, total = gradient_text(deposit.before), gradient_text(deposit.before + deposit.product)
            parts = [parts[0], f"{before} + {product}", f"{before} + {factor_text(deposit.product)}", total]
        return " = ".join(parts)

    # -- summary

    def summary(self) -> Iterator[str]:
        inputs = _inputs(self.explanation.order)
        yield f"The derivatives of {self.y} with respect to the inputs"
        for leaf in inputs[: self.explanation.limit]:
            yield from self.summed(leaf)
        if len(inputs) > self.explanation.limit:
            yield f"  ... and {counted(len(inputs) - self.explanation.limit, 'more input')} ..."
        if not inputs:
            yield "  There are none: it is made of plain numbers only."
        yield from self.in_words(inputs)

    def in_words(self, inputs: Sequence[Value]) -> Iterator[str]:
        """The meaning of the largest derivative."""
        slopes = [(self.explanation.gradients[id(leaf)], self.name(leaf)) for leaf in inputs]
        slopes = [(slope, name) for slope, name in slopes if math.isfinite(slope) and slope != 0]
        if slopes and math.isfinite(self.explanation.root.data):
            slope, name = max(slopes, key=lambda pair: math.fabs(pair[0]))
            change = float(f"{0.001 * slope:.3g}")
            yield ""
            text = f"if {name} grows by 0.001, {self.y} changes by about {short(change)}."
            yield from wrapped("  In words: ", text)

    def summed(self, leaf: Value) -> Iterator[str]:
        """`a.grad = 2 + 3 = 5`"""
        total = gradient_text(self.explanation.gradients[id(leaf)])
        arrived = self.arrived.get(id(leaf), [])
        parts = [f"{self.name(leaf)}.grad", total]
        if 1 < len(arrived) <= OPERANDS_SHOWN:
            parts.insert(1, " + ".join([factor_text(product) for product in arrived]).lstrip())
        elif len(arrived) > OPERANDS_SHOWN:
            parts[1] += f"  (the sum of {len(arrived):,} products)"
        yield from equation("  ", parts)
