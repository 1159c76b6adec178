"""List scheduling: the order of calculation, in batches of nodes of one family that can be calculated together.

Each batch takes all ready nodes of one family: the family whose most urgent node has the greatest height. The height of
a node is the length of the longest path from it to a result, the usual priority of list scheduling. Nodes of other
families wait and become more, so there are far fewer batches than if the graph were cut into levels.
"""

from __future__ import annotations

import numpy as np

from chainrule.compiler.levels.nodes import Ints


def heights(start: Ints, operands: Ints, results: Ints, inner: np.ndarray) -> Ints:
    """The number of nodes on the longest path from each node to a result, itself included; 0 if it leads to no result.

    Args:
        start: for each node where its operands begin, then the end of the last node's.
        operands: the operands of all nodes; each comes before its users.
        results: the nodes that are needed.
        inner: for each node whether it is an operation.
    """
    known = [0] * (len(start) - 1)
    for node in results.tolist():
        known[node] = 1
    of, begins = operands.tolist(), start.tolist()
    for node in np.flatnonzero(inner)[::-1].tolist():
        if known[node]:
            above = known[node] + 1
            for k in of[begins[node] : begins[node + 1]]:
                if known[k] < above:  # noqa: PLR1730  max() takes four times as long
                    known[k] = above
    return np.array(known)


def list_schedule(family: Ints, height: Ints, producers: Ints, consumers: Ints) -> tuple[Ints, Ints]:
    """Orders nodes topologically, in batches of one family.

    Args:
        family: for each node the number of its family.
        height: for each node its height.
        producers, consumers: pairs of nodes of which the second reads the first.

    Returns:
        order: all nodes.
        ends: for each batch the place in `order` where it ends.
    """
    n = len(family)
    by_producer = np.argsort(producers, kind="stable")
    users = consumers[by_producer].tolist()
    begins = np.searchsorted(producers[by_producer], np.arange(n + 1)).tolist()
    pending = np.bincount(consumers, minlength=n).tolist()
    families, priority = family.tolist(), height.tolist()
    ready: list[list[int]] = [[] for _ in range(int(family.max(initial=-1)) + 1)]
    most_urgent: dict[int, int] = {}  # the greatest height of each family's ready nodes
    for node in [node for node, count in enumerate(pending) if not count]:
        ready[families[node]].append(node)
        most_urgent[families[node]] = max(most_urgent.get(families[node], 0), priority[node])
    order: list[int] = []
    ends = []
    while most_urgent:
        chosen = max(most_urgent, key=most_urgent.__getitem__)
        del most_urgent[chosen]
        batch, ready[chosen] = ready[chosen], []
        order += batch
        ends.append(len(order))
        for node in batch:
            for k in users[begins[node] : begins[node + 1]]:
                pending[k] = left = pending[k] - 1
                if not left:
                    f = families[k]
                    ready[f].append(k)
                    if most_urgent.get(f, 0) < priority[k]:
                        most_urgent[f] = priority[k]
    return np.array(order, np.int64), np.array(ends, np.int64)
