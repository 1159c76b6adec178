"""Length families: one kernel for the traces of a function at lists of different lengths.

A kernel whose SIMD lanes are the elements of a list can also run with fewer lanes. So when a loss is traced for a
shorter list than a kernel was compiled for, the graphs are compared: if the shorter graph is the longer one with fewer
terms in its sums and other constants, the kernel serves both. Before it does, its results for the shorter list are
checked against the eager engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.rerolling.grouping import N_ARY


@dataclass
class Shortening:
    """The way in which a shorter graph lies within a longer one.

    Attributes:
        kept: the number of terms, in the shorter graph, of the sums that have more in the longer one; 0 if there is no
            such sum.
        full: the number of their terms in the longer graph.
        constants: the constants of the longer graph that differ in the shorter one, with their numbers there.
    """

    kept: int = 0
    full: int = 0
    constants: dict[int, float] = field(default_factory=dict)


def shortening(short: Graph, long: Graph) -> Shortening | None:
    """Finds out how `short` lies within `long`; returns None if it does not.

    >>> from chainrule.compiler.graph.text import from_text
    >>> long = from_text("%0 = input a\\n%1 = input b\\n%2 = sum %0 %1\\n%3 = constant .5\\n%4 = mul %2 %3\\nreturn %4")
    >>> short = from_text("%0 = input a\\n%1 = sum %0\\n%2 = constant 1.0\\n%3 = mul %1 %2\\nreturn %3")
    >>> long.arguments, short.arguments = 2, 1
    >>> shortening(short, long)
    Shortening(kept=1, full=2, constants={3: 1.0})
    """
    found = Shortening()
    seen: dict[int, int] = {}
    pairs = list(zip(short.outputs, long.outputs, strict=True))
    pairs += [(a, b) for (a, _), (b, _) in zip(short.guards, long.guards, strict=False)]
    if [outcome for _, outcome in short.guards] != [outcome for _, outcome in long.guards]:
        return None
    more = long.arguments - short.arguments
    while pairs:
        a, b = pairs.pop()
        if seen.setdefault(a, b) != b:
            return None
        op = short.ops[a]
        if op is not long.ops[b]:
            return None
        if op is None:
            if not _leaves_agree(short, a, long, b, more, found):
                return None
            continue
        below, above = short.operands[a], long.operands[b]
        if len(below) != len(above) and not _shorter(op, below, above, found):
            return None
        pairs += [(x, y) for x, y in zip(below, above, strict=False) if seen.get(x) != y]
    return found


def _leaves_agree(short: Graph, a: int, long: Graph, b: int, more: int, found: Shortening) -> bool:
    """Returns whether two leaves are the same input, or both constants; adds constants that differ to `found`."""
    if short.is_constant(a) != long.is_constant(b):
        return False
    if not short.is_constant(a):
        return a == b if a < short.arguments else a + more == b
    x = short.numbers[a]
    if x != long.numbers[b] or b in found.constants:
        return found.constants.setdefault(b, x) == x
    return True


def _shorter(op: object, below: tuple[int, ...], above: tuple[int, ...], found: Shortening) -> bool:
    """Returns whether `op` takes any number of terms, and the operands `below` have no more terms than those `above`;
    writes both counts into `found`."""
    if op not in N_ARY or len(below) > len(above):
        return False
    before, step = N_ARY[op]
    kept, full = (len(below) - before) // step, (len(above) - before) // step
    if found.kept not in (0, kept) or found.full not in (0, full):
        return False
    found.kept, found.full = kept, full
    return True


def with_free_constants(graph: Graph, constants: list[int]) -> Graph:
    """Returns the graph with these constants as inputs, which come after all others.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> graph = from_text("%0 = input x\\n%1 = constant 0.5\\n%2 = mul %0 %1\\nreturn %2")
    >>> print(to_text(with_free_constants(graph, [1])))
    %0 = input x
    %1 = input c0
    %2 = mul %0 %1
    return %2
    """
    new = Graph.of_inputs([*graph.names, *[f"c{i}" for i in range(len(constants))]], sorted(graph.batched))
    new.arguments = graph.arguments
    place = {i: i for i in range(graph.inputs)} | {node: graph.inputs + i for i, node in enumerate(constants)}
    for i in range(graph.inputs, len(graph)):
        op = graph.ops[i]
        if i not in place:
            operands = [place[k] for k in graph.operands[i]]
            place[i] = new.constant(graph.numbers[i]) if op is None else new.add(op, *operands)
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return new
