"""Gathers long sums: chains of additions become single nodes, like the table's `sum` and `weighted_sum`."""

from __future__ import annotations

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.passes.fold import is_number
from chainrule.compiler.graph.passes.rebuild import prune


def gather_sums(graph: Graph) -> Graph:
    """Gathers chains of additions into single `sum` nodes, or `weighted_sum` nodes of products.

    Only additions whose results are used nowhere else are gathered. So are long chains with subtractions (a loss that
    loops over `loss -= …`); short ones stay. The order of the additions stays the same; only the sign of a zero may
    change.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> text = '''%0 = input w
    ... %1 = input x
    ... %2 = input b
    ... %3 = mul %0 %1
    ... %4 = add %2 %3
    ... %5 = mul %0 %0
    ... %6 = add %4 %5
    ... return %6'''
    >>> print(to_text(gather_sums(from_text(text))))
    %0 = input w
    %1 = input x
    %2 = input b
    %3 = weighted_sum %2 %0 %1 %0 %0
    return %3
    """
    return _gathered(prune(graph))  # dead nodes must not count as uses


def _gathered(graph: Graph) -> Graph:
    single_use = _single_uses(graph)
    new = graph.with_same_inputs()
    place = list(range(graph.inputs))
    additive = _additive(graph, single_use)
    absorbed = _absorbed(graph, single_use, additive)
    products = [one and op is ops.mul for op, one in zip(graph.ops, single_use, strict=True)]
    sums = _Sums(new, graph, products, place)
    for i in range(graph.inputs, len(graph)):
        op = graph.ops[i]
        if op is None:
            place.append(new.constant(graph.numbers[i]))
        elif absorbed[i]:
            place.append(-1)  # becomes part of the sum that uses it
        elif additive[i]:
            place.append(sums.add(_terms(graph, i, absorbed), op is ops.sum))
        else:
            place.append(new.add(op, *[place[k] for k in graph.operands[i]]))
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return prune(new)


def _single_uses(graph: Graph) -> list[bool]:
    """For each node whether it is an operand exactly once, and neither output nor guard."""
    uses = [0] * len(graph)
    for operands in graph.operands:
        for k in operands:
            uses[k] += 1
    for node in [*graph.outputs, *[node for node, _ in graph.guards]]:
        uses[node] += 2
    return [n == 1 for n in uses]


LONG_CHAIN = 8
"""A chain with so many subtractions is long."""


def _additive(graph: Graph, single_use: list[bool]) -> list[bool]:
    """For each node whether it may be part of a sum: an addition, or a subtraction in a long chain."""
    additive = [op is ops.add or op is ops.sum for op in graph.ops]
    if ops.sub not in graph.ops:
        return additive
    firsts = [-1] * len(graph)
    run = [0] * len(graph)  # the number of subtractions in the chain up to here
    for i, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if (additive[i] or op is ops.sub) and operands:
            first = operands[0]
            if single_use[first] and (additive[first] or graph.ops[first] is ops.sub):
                firsts[i] = first
            run[i] = (op is ops.sub) + (run[first] if firsts[i] >= 0 else 0)
    for i in range(len(graph) - 1, -1, -1):  # then the number in the whole chain
        if firsts[i] >= 0:
            run[firsts[i]] = run[i]
        additive[i] = additive[i] or (graph.ops[i] is ops.sub and run[i] >= LONG_CHAIN)
    return additive


def _absorbed(graph: Graph, single_use: list[bool], additive: list[bool]) -> list[bool]:
    """For each node whether it is an addition that becomes part of the sum that uses it: that sum's first operand."""
    absorbed = [False] * len(graph)
    for one, operands in zip(additive, graph.operands, strict=True):
        if one and operands:
            absorbed[operands[0]] = single_use[operands[0]] and additive[operands[0]]
    return absorbed


def _terms(graph: Graph, i: int, absorbed: list[bool]) -> list[tuple[int, bool]]:
    """The terms of a sum from left to right, each with whether it is subtracted."""
    rest: list[list[tuple[int, bool]]] = []
    node = i
    while True:
        operands = graph.operands[node]
        own = [(k, at > 0 and graph.ops[node] is ops.sub) for at, k in enumerate(operands)]
        if not operands or not absorbed[operands[0]]:
            return [term for part in [own, *reversed(rest)] for term in part]
        rest.append(own[1:])
        node = operands[0]


class _Sums:
    """Adds sums to a new graph.

    Args:
        new: the new graph.
        graph: the old one.
        products: for each old node whether it is a product that nothing else uses.
        place: for each old node its new one.
    """

    def __init__(self, new: Graph, graph: Graph, products: list[bool], place: list[int]) -> None:
        self.new, self.graph, self.products, self.place = new, graph, products, place

    def add(self, terms: list[tuple[int, bool]], of_table: bool) -> int:
        """Adds the sum of these terms; returns its node.

        A sum that is `of_table`, the user's own call of `sum`, stays one whatever its length: sums of different lengths
        may become one loop.
        """
        new, products = self.new, self.products
        if len(terms) > 1 and not of_table and not terms[1][1] and is_number(self.graph, terms[0][0], 0.0):
            terms = terms[1:]
        rest = terms if products[terms[0][0]] else terms[1:]
        if len(terms) > 1 and not of_table and all(products[k] for k, _ in rest):
            bias = new.constant(0.0) if len(rest) == len(terms) else self.place[terms[0][0]]
            return new.add(ops.weighted_sum, bias, *[f for k, minus in rest for f in self._factors(k, minus)])
        if len(terms) == 1 and not of_table:
            return self.place[terms[0][0]]
        summands = [self._signed(k, minus) for k, minus in terms]
        return new.add(ops.sum if len(terms) != 2 or of_table else ops.add, *summands)

    def _signed(self, k: int, minus: bool) -> int:
        return self.new.add(ops.neg, self.place[k]) if minus else self.place[k]

    def _factors(self, k: int, minus: bool) -> tuple[int, int]:
        a, b = self.graph.operands[k]
        return self._signed(a, minus), self.place[b]
