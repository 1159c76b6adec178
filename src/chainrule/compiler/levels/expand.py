"""Expands operations that have no loop of their own into operations of the table that have one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.passes.spell_out import PLAIN, place_of_largest, plain_arithmetic
from chainrule.compiler.levels.nodes import VARYING, phases
from chainrule.compiler.levels.segments import MOST_OPERANDS
from chainrule.core.operation import Operation


def expanded(graph: Graph, exact: bool) -> Graph:
    """Expands `largest`, `argmax`, `sum_of_squares`, `mean`, `var`, `prod`; unless it is to be exact, also `logsumexp`
    and long `norm`s.

    The largest of a list, and its place, is found by a tournament of pairs, and the next four become sums and products;
    all give the same bits. `logsumexp` becomes `exp` and `log`, and a long `norm` the norm of the norms of its parts.

    >>> graph = Graph.of_inputs(["x", "y", "z"])
    >>> graph.outputs = [graph.add(ops.largest, 0, 1, 2)]
    >>> [op.name for op in expanded(graph, exact=True).ops if op]
    ['max', 'max']
    """
    expansions: dict[Operation, Callable[[Graph, list[int]], int]] = {ops.largest: _largest, ops.argmax: _argmax}
    expansions |= {op: functools.partial(_plain, op) for op in PLAIN}
    if not exact:
        expansions |= {ops.logsumexp: _logsumexp, ops.norm: _norm}
    if not any(op in expansions for op in set(graph.ops) if op is not None):
        return graph
    new = graph.with_same_inputs()
    place = list(range(graph.inputs))
    for i in range(graph.inputs, len(graph)):
        op, operands = graph.ops[i], [place[k] for k in graph.operands[i]]
        if op is None:
            place.append(new.constant(graph.numbers[i]))
        elif op in expansions and operands:
            place.append(expansions[op](new, operands))
        else:
            place.append(new.add(op, *operands))
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return new


def _largest(graph: Graph, xs: list[int]) -> int:
    while len(xs) > 1:
        pairs = [graph.add(ops.max, a, b) for a, b in zip(xs[::2], xs[1::2], strict=False)]
        xs = pairs + xs[2 * len(pairs) :]
    return xs[0]


def _argmax(graph: Graph, xs: list[int]) -> int:
    return place_of_largest(graph, xs, _largest)


def _plain(op: Operation, graph: Graph, xs: list[int]) -> int:
    return plain_arithmetic(graph, op, xs)


def _norm(graph: Graph, xs: list[int]) -> int:
    while len(xs) > MOST_OPERANDS:
        xs = [graph.add(ops.norm, *xs[k : k + MOST_OPERANDS]) for k in range(0, len(xs), MOST_OPERANDS)]
    return graph.add(ops.norm, *xs)


def _logsumexp(graph: Graph, xs: list[int]) -> int:
    """log Σ exp(x - m) + m, where m is the largest x, or 0 where that is infinite."""
    most = _largest(graph, xs)
    zero, infinite = graph.constant(0.0), graph.constant(float("inf"))
    m = graph.add(ops.select, graph.add(ops.eq, graph.add(ops.abs, most), infinite), zero, most)
    total = graph.add(ops.sum, *[graph.add(ops.exp, graph.add(ops.sub, x, m)) for x in xs])
    return graph.add(ops.add, graph.add(ops.log, total), m)


def with_guards(graph: Graph) -> tuple[Graph, int | None, int | None]:
    """Adds nodes that count the guards that do not hold: one for guards that samples share, one for those of each
    sample.

    Returns:
        The graph and the two nodes; None in place of a node without guards.
    """
    if not graph.guards:
        return graph, None, None
    new = replace(graph, ops=list(graph.ops), operands=list(graph.operands), numbers=list(graph.numbers))
    phase = phases(graph)
    zero = new.constant(0.0)
    differs: tuple[list[int], list[int]] = ([], [])
    for node, outcome in dict.fromkeys(graph.guards):
        differs[int(phase[node] == VARYING)].append(new.add(ops.eq if outcome else ops.ne, node, zero))
    shared, each = [new.add(ops.sum, *row) if row else None for row in differs]
    return new, shared, each
