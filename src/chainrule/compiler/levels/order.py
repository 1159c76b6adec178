"""The order of calculation: batches of nodes of one family that can be calculated side by side.

Each batch takes all nodes of a family that are ready, of that family which has the most urgent one, urgent meaning:
with the longest way to go from there to a result. Others wait meanwhile and become more, so that there are far fewer
batches than if the graph were cut into levels.
"""

from __future__ import annotations

import numpy as np

from chainrule.compiler.levels.nodes import Ints


def heights(start: Ints, operands: Ints, results: Ints, inner: np.ndarray) -> Ints:
    """For each node the nodes on the longest way from there to a result, itself included; 0 if it leads to none.

    Args:
        start: where the operands of each node begin; one more for the end.
        operands: all of them, earlier nodes.
        results: the nodes that are wanted.
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


def batches(family: Ints, height: Ints, below: Ints, above: Ints) -> tuple[Ints, Ints]:
    """Nodes in an order in which they can be calculated, in batches of one family.

    Args:
        family: for each node a number, the same for those that can be calculated side by side.
        height: for each node how urgent it is.
        below, above: pairs of nodes, the second made of the first.

    Returns:
        order: all nodes.
        ends: for each batch the place in `order` where it ends.
    """
    n = len(family)
    by_below = np.argsort(below, kind="stable")
    users = above[by_below].tolist()
    begins = np.searchsorted(below[by_below], np.arange(n + 1)).tolist()
    waits = np.bincount(above, minlength=n).tolist()
    families, urgencies = family.tolist(), height.tolist()
    ready: list[list[int]] = [[] for _ in range(int(family.max(initial=-1)) + 1)]
    urgent: dict[int, int] = {}  # of each family with ready nodes the greatest height among them
    for node in [node for node, waiting in enumerate(waits) if not waiting]:
        ready[families[node]].append(node)
        urgent[families[node]] = max(urgent.get(families[node], 0), urgencies[node])
    order: list[int] = []
    ends = []
    while urgent:
        chosen = max(urgent, key=urgent.__getitem__)
        del urgent[chosen]
        batch, ready[chosen] = ready[chosen], []
        order += batch
        ends.append(len(order))
        for node in batch:
            for k in users[begins[node] : begins[node + 1]]:
                waits[k] = left = waits[k] - 1
                if not left:
                    f = families[k]
                    ready[f].append(k)
                    if urgent.get(f, 0) < urgencies[k]:
                        urgent[f] = urgencies[k]
    return np.array(order, np.int64), np.array(ends, np.int64)
