"""Long sums: chains of additions become one node, as the table's `sum` and `weighted_sum` are."""

from __future__ import annotations

from chainrule import ops
from chainrule.compiler.graph.graph import Graph, used
from chainrule.compiler.graph.passes.fold import is_number
from chainrule.compiler.graph.passes.rebuild import prune


def gather_sums(graph: Graph) -> Graph:
    """Chains of additions whose parts are used nowhere else become one `sum`, or one `weighted_sum` of products. So do
    long chains with subtractions (a loss that loops over `loss -= …`); short ones stay as they are.

    The order of the additions stays; only the sign of a zero may change.

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
    return _gathered(graph if all(used(graph)) else prune(graph))  # what nothing needs must not count as a use


def _gathered(graph: Graph) -> Graph:
    alone = _used_once(graph)
    new = graph.with_same_inputs()
    place = list(range(graph.inputs))
    chained = _chained(graph, alone)
    inside = _inside(graph, alone, chained)
    products = [one and op is ops.mul for op, one in zip(graph.ops, alone, strict=True)]
    sums = _Sums(new, graph, products, place)
    for i in range(graph.inputs, len(graph)):
        op = graph.ops[i]
        if op is None:
            place.append(new.constant(graph.numbers[i]))
        elif inside[i]:
            place.append(-1)  # goes into the one sum that uses it
        elif chained[i]:
            place.append(sums.add(_terms(graph, i, inside), op is ops.sum))
        else:
            place.append(new.add(op, *[place[k] for k in graph.operands[i]]))
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return new if all(used(new)) else prune(new)


def _used_once(graph: Graph) -> list[bool]:
    """For each node whether it is an operand exactly once, and neither output nor guard."""
    uses = [0] * len(graph)
    for operands in graph.operands:
        for k in operands:
            uses[k] += 1
    for node in [*graph.outputs, *[node for node, _ in graph.guards]]:
        uses[node] += 2
    return [n == 1 for n in uses]


FEWEST = 8
"""With so many subtractions, a chain is long."""


def _chained(graph: Graph, alone: list[bool]) -> list[bool]:
    """For each node whether it may be part of a sum: an addition, or a subtraction in a long chain."""
    chained = [op is ops.add or op is ops.sum for op in graph.ops]
    if ops.sub not in graph.ops:
        return chained
    firsts = [-1] * len(graph)
    run = [0] * len(graph)  # so many subtractions there are in the chain up to here
    for i, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if (chained[i] or op is ops.sub) and operands:
            first = operands[0]
            if alone[first] and (chained[first] or graph.ops[first] is ops.sub):
                firsts[i] = first
            run[i] = (op is ops.sub) + (run[first] if firsts[i] >= 0 else 0)
    for i in range(len(graph) - 1, -1, -1):  # and so many in all of it
        if firsts[i] >= 0:
            run[firsts[i]] = run[i]
        chained[i] = chained[i] or (graph.ops[i] is ops.sub and run[i] >= FEWEST)
    return chained


def _inside(graph: Graph, alone: list[bool], chained: list[bool]) -> list[bool]:
    """For each node whether it is an addition within the sum that uses it: the first operand there."""
    inside = [False] * len(graph)
    for one, operands in zip(chained, graph.operands, strict=True):
        if one and operands:
            inside[operands[0]] = alone[operands[0]] and chained[operands[0]]
    return inside


def _terms(graph: Graph, i: int, inside: list[bool]) -> list[tuple[int, bool]]:
    """The terms of a sum, from left to right, each with whether it is subtracted."""
    rest: list[list[tuple[int, bool]]] = []
    node = i
    while True:
        operands = graph.operands[node]
        own = [(k, at > 0 and graph.ops[node] is ops.sub) for at, k in enumerate(operands)]
        if not operands or not inside[operands[0]]:
            return [term for part in [own, *reversed(rest)] for term in part]
        rest.append(own[1:])
        node = operands[0]


class _Sums:
    """Adds the nodes of sums to a new graph.

    Args:
        new: that graph.
        graph: the old one.
        products: which of its nodes are products that nothing else uses.
        place: for each of its nodes that of the new one.
    """

    def __init__(self, new: Graph, graph: Graph, products: list[bool], place: list[int]) -> None:
        self.new, self.graph, self.products, self.place = new, graph, products, place

    def add(self, terms: list[tuple[int, bool]], of_table: bool) -> int:
        """The node of a sum of these terms; one `of_table` stays one, whatever its length: sums of different lengths
        may be one loop."""
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
