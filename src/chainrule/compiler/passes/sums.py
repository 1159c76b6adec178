"""Long sums: chains of additions become one node, as the table's `sum` and `weighted_sum` are."""

from __future__ import annotations

from chainrule import ops
from chainrule.compiler.graph import Graph, used
from chainrule.compiler.passes.fold import is_number
from chainrule.compiler.passes.rebuild import prune


def gather_sums(graph: Graph) -> Graph:
    """Chains of additions whose parts are used nowhere else become one `sum`, or one `weighted_sum` of products.

    The order of the additions stays; only the sign of a zero may change.

    >>> from chainrule.compiler.text import from_text, to_text
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
    if not all(used(graph)):  # what nothing needs must not count as a use
        graph = prune(graph)
    alone = _used_once(graph)
    new = graph.with_same_inputs()
    place = list(range(graph.inputs))
    inside = _inside(graph, alone)
    products = [one and op is ops.mul for op, one in zip(graph.ops, alone, strict=True)]
    for i in range(graph.inputs, len(graph)):
        op = graph.ops[i]
        if op is None:
            place.append(new.constant(graph.numbers[i]))
        elif inside[i]:
            place.append(-1)  # goes into the one sum that uses it
        elif op is ops.add or op is ops.sum:
            of_table = op is ops.sum  # stays one, whatever its length: sums of different lengths may be one loop
            place.append(_sum(new, _terms(graph, i, inside), graph, products, place, of_table))
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


def _inside(graph: Graph, alone: list[bool]) -> list[bool]:
    """For each node whether it is an addition within the sum that uses it: the first operand there."""
    inside = [False] * len(graph)
    for op, operands in zip(graph.ops, graph.operands, strict=True):
        if (op is ops.add or op is ops.sum) and operands:
            first = operands[0]
            inside[first] = alone[first] and (graph.ops[first] is ops.add or graph.ops[first] is ops.sum)
    return inside


def _terms(graph: Graph, i: int, inside: list[bool]) -> list[int]:
    """The terms of a sum, from left to right."""
    rest: list[tuple[int, ...]] = []
    node = i
    while True:
        operands = graph.operands[node]
        if not operands or not inside[operands[0]]:
            return [k for part in [operands, *reversed(rest)] for k in part]
        rest.append(operands[1:])
        node = operands[0]


def _sum(new: Graph, terms: list[int], graph: Graph, products: list[bool], place: list[int], of_table: bool) -> int:
    """Adds the node of a sum; `products` says which nodes are products that nothing else uses."""
    if len(terms) > 1 and not of_table and is_number(graph, terms[0], 0.0):
        terms = terms[1:]
    rest = terms if products[terms[0]] else terms[1:]
    if len(terms) > 1 and not of_table and all(products[k] for k in rest):
        bias = new.constant(0.0) if len(rest) == len(terms) else place[terms[0]]
        return new.add(ops.weighted_sum, bias, *[place[f] for k in rest for f in graph.operands[k]])
    if len(terms) == 1 and not of_table:
        return place[terms[0]]
    return new.add(ops.sum if len(terms) != 2 or of_table else ops.add, *[place[k] for k in terms])
