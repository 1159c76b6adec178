"""Spelling out: an operation on many numbers, in simpler ones that loops can be made of."""

from __future__ import annotations

from chainrule import ops
from chainrule.compiler.graph import Graph
from chainrule.compiler.passes.rebuild import rebuild
from chainrule.operation import Operation


def spell_out(graph: Graph) -> Graph:
    """logsumexp(xs) becomes m + log Σ exp(x - m), with m the largest.

    >>> from chainrule.compiler.text import from_text, to_text
    >>> print(to_text(spell_out(from_text("%0 = input x\\n%1 = input y\\n%2 = logsumexp %0 %1\\nreturn %2"))))
    %0 = input x
    %1 = input y
    %2 = largest %0 %1
    %3 = sub %0 %2
    %4 = exp %3
    %5 = sub %1 %2
    %6 = exp %5
    %7 = sum %4 %6
    %8 = log %7
    %9 = add %2 %8
    return %9
    """
    return rebuild(graph, _spelt_out)


def _spelt_out(new: Graph, op: Operation, operands: tuple[int, ...], _: int) -> int:
    if op is not ops.logsumexp:
        return new.add(op, *operands)
    shift = new.add(ops.largest, *operands)
    powers = [new.add(ops.exp, new.add(ops.sub, x, shift)) for x in operands]
    return new.add(ops.add, shift, new.add(ops.log, new.add(ops.sum, *powers)))
