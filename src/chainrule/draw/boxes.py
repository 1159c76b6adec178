"""The boxes of a folded picture: turns groups of nodes into records with a caption, a count and spans of numbers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from chainrule.draw.expand import NEURON
from chainrule.draw.figures import Span
from chainrule.draw.graph import WRITTEN, Edge, Graph, Kind, Node, Trace, record
from chainrule.draw.units import CHAIN, CONSTANT, LEAF, SUMS, Units

TIMES = "\N{MULTIPLICATION SIGN}"
SHOWN = 4
"""A caption lists at most so many different labels or operations."""
MANY = {"bias": "biases", "weight": "weights", "input": "inputs"}
"""The plurals of leaves by their role."""


@dataclass(frozen=True, slots=True)
class Group:
    """Units that are drawn as one box, in stages that each feed the next."""

    stages: list[list[int]]


@dataclass(slots=True)
class _Box:
    """A box without its caption: its nodes, and the group that it stands for or the role of its leaves."""

    places: list[int] = field(default_factory=list)
    group: Group | None = None
    role: str = ""
    sources: dict[int, list[float]] = field(default_factory=dict)
    links: Counter[int] = field(default_factory=Counter)


def picture(trace: Trace, units: Units, groups: Sequence[Group], *, leaves_apart: bool = True) -> Graph:
    """Builds the graph of the boxes: one for each group, and one for all leaves that the same group uses first and
    alike.

    Without `leaves_apart`, all leaves are in one box and all constants in another.
    """
    boxes, box_of = _boxes(trace, units, groups, leaves_apart=leaves_apart)
    for place, sources in enumerate(trace.operands):
        box = box_of[place]
        for source, local in zip(sources, trace.values[place].locals, strict=True):
            if box_of[source] != box:
                boxes[box].links[box_of[source]] += 1
                if local is not None:
                    boxes[box].sources.setdefault(box_of[source], []).append(local)
    order = _order(boxes)
    number = {box: i for i, box in enumerate(order)}
    layers = _layers(trace, units, boxes, order)
    nodes = [_node(trace, units, boxes[box], layers.get(box, 0)) for box in order]
    edges = [
        Edge(number[source], number[box], _local(boxes[box].sources.get(source)), size)
        for box in order
        for source, size in sorted(boxes[box].links.items(), key=lambda link: number[link[0]])
    ]
    return Graph(nodes, edges, list(dict.fromkeys(number[box_of[root]] for root in trace.roots)))


def _local(locals_: list[float] | None) -> Span | None:
    return Span.of(locals_) if locals_ else None


def _boxes(trace: Trace, units: Units, groups: Sequence[Group], *, leaves_apart: bool) -> tuple[list[_Box], list[int]]:
    """The boxes with their nodes, and the box of each node."""
    boxes = [_Box(group=group) for group in groups]
    box_of = [-1] * len(trace.values)
    for number, group in enumerate(groups):
        for stage in group.stages:
            for unit in stage:
                for place in units.members[unit]:
                    box_of[place] = number
                boxes[number].places += units.members[unit]
    known: dict[object, int] = {}

    def put(place: int, user: int, role: str) -> None:
        constant = trace.values[place].constant
        if constant and role == "bias" and trace.values[place].data == 0:
            box_of[place] = user  # a neuron without a bias needs no box for the 0
            boxes[user].places.append(place)
            return
        key = (constant, user, role) if leaves_apart else constant
        box_of[place] = known.setdefault(key, len(boxes))
        if box_of[place] == len(boxes):
            boxes.append(_Box(role=role if leaves_apart else ""))
        boxes[box_of[place]].places.append(place)

    for place, sources in enumerate(trace.operands):
        for i, source in enumerate(sources):
            if box_of[source] < 0:
                put(source, box_of[place], _role(trace, place, i))
    for root in trace.roots:
        if box_of[root] < 0:
            put(root, -1, "")
    return boxes, box_of


def _role(trace: Trace, place: int, index: int) -> str:
    """The role in which an operation uses an operand, if it is known."""
    operation = trace.values[place].op
    name = operation.name if operation is not None else ""
    if name == NEURON:
        return "bias" if index == 0 else "weight" if index % 2 else "input"
    return "" if name in SUMS else f"{name} {index}"


def _order(boxes: Sequence[_Box]) -> list[int]:
    """Sorts the boxes topologically (Kahn, Topological Sorting of Large Networks, 1962), preferring early nodes."""
    users: list[list[int]] = [[] for _ in boxes]
    waiting = [len(box.links) for box in boxes]
    for number, box in enumerate(boxes):
        for source in box.links:
            users[source].append(number)
    ready = [number for number in range(len(boxes)) if not waiting[number]]
    order = []
    while ready:
        number = min(ready, key=lambda n: boxes[n].places[0])
        ready.remove(number)
        order.append(number)
        for user in users[number]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return order


def _layers(trace: Trace, units: Units, boxes: Sequence[_Box], order: Sequence[int]) -> dict[int, int]:
    """Numbers the layers of neurons: one more than the deepest layer that feeds a box. A recurrence has no layers.

    A single weighted sum of leaves is not called a layer: it may just as well be a penalty.
    """
    if any(box.group is not None and _is_series(units, box.group) for box in boxes):
        return {}
    behind: dict[int, int] = {}
    layers: dict[int, int] = {}
    for number in order:
        box = boxes[number]
        depth = max((behind[source] for source in box.links), default=0)
        neurons = _neurons(trace, units, box.group) if box.group is not None else []
        if neurons and (depth or len(neurons) > 1):
            depth += 1
            layers[number] = depth
        behind[number] = depth
    return layers


def _neurons(trace: Trace, units: Units, group: Group) -> list[int]:
    """The units of a group that are the sums of neurons, whose weights are leaves; empty if there are none.

    A product with constants does not count (`1 - target * score` belongs to a loss), and neither does a weighted sum
    whose weights were calculated: the mean of squares in a normalisation, the scores of attention.
    """
    for i, stage in enumerate(group.stages):
        name = units.names[stage[0]]
        if name == NEURON:
            weights = trace.operands[units.members[stage[0]][-1]][1::2]
            if all(units.unit_of[weight] == LEAF for weight in weights):
                return stage
        elif name in SUMS and i:
            factors = group.stages[i - 1][0]
            if units.names[factors] == "mul" and LEAF in units.operands[factors]:
                return stage
    return []


def _is_series(units: Units, group: Group) -> bool:
    """Whether units of one stage feed each other."""
    for stage in group.stages:
        inside = set(stage)
        if any(place in inside for unit in stage for place in units.operands[unit]):
            return True
    return False


def _node(trace: Trace, units: Units, box: _Box, layer: int) -> Node:
    group = box.group
    if group is None:
        return _leaf_node(trace, box)
    results = [units.members[unit][-1] for unit in group.stages[-1]]
    is_root = any(units.is_root[unit] for unit in group.stages[-1])
    if len(box.places) == 1:
        node = record(trace, trace.values[box.places[0]], is_root=is_root)
        return replace(node, place=f"layer {layer}" if layer else "")
    kind: Kind = "root" if is_root else "operation"
    data, grad = _span(trace, results)
    if len(group.stages) == len(results) == 1:
        label = trace.label(trace.values[results[0]])
        return Node(kind, "Σ", label, data, grad, len(box.places), remark=f"{len(box.places):,} {TIMES} +")
    label, remark = _series(trace, box) if _is_series(units, group) else _caption(trace, units, group)
    return Node(kind, "", label, data, grad, len(box.places), f"layer {layer}" if layer else "", remark)


def _span(trace: Trace, places: Iterable[int]) -> tuple[Span, Span]:
    values = [trace.values[place] for place in places]
    return Span.of(value.data for value in values), Span.of(trace.grad(value) for value in values)


def _caption(trace: Trace, units: Units, group: Group) -> tuple[str, str]:
    """A caption such as "16 × [Σ + b → tanh]", and a remark such as "each 100 times"."""
    steps = []
    count = len(group.stages[-1])
    for i, stage in enumerate(group.stages):
        result = trace.values[units.members[stage[0]][-1]]
        symbol = "Σ" if units.names[stage[0]] == CHAIN else result.op.symbol if result.op is not None else ""
        portion = len(stage) // len(group.stages[i + 1]) if i + 1 < len(group.stages) else 1
        steps.append(f"{portion} of {symbol}" if portion > 1 else symbol)
    remark = ""
    neurons = _neurons(trace, units, group)
    different = len({_parameters(trace, units, unit) for unit in neurons})
    if different < len(neurons) == count and count % different == 0:
        remark = f"{'each ' if different > 1 else ''}{count // different:,} times"
        count = different
    return f"{f'{count:,} {TIMES} ' if count > 1 else ''}[{' → '.join(steps)}]", remark


def _parameters(trace: Trace, units: Units, unit: int) -> tuple[int, ...]:
    """The identity of a neuron: the nodes of its bias and weights, as far as its sum shows them."""
    places = [place for node in units.members[unit] for place in trace.operands[node]]
    if units.names[unit] == NEURON:
        return tuple(place for place in (places[0], *places[1::2]) if units.unit_of[place] != CONSTANT)
    return tuple(place for place in places if trace.values[place].op is None) or (unit,)


def _series(trace: Trace, box: _Box) -> tuple[str, str]:
    """A caption for units that feed each other: how many there are of which operation."""
    symbols = Counter(op.symbol for place in box.places if (op := trace.values[place].op) is not None)
    if len(symbols) == 1:
        return f"{len(box.places):,} {TIMES} {next(iter(symbols))}", "in series"
    listed = [f"{count:,} {TIMES} {symbol}" for symbol, count in symbols.most_common(SHOWN)]
    more = ", …" if len(symbols) > SHOWN else ""
    return f"{len(box.places):,} operations in series", ", ".join(listed) + more


def _leaf_node(trace: Trace, box: _Box) -> Node:
    first = trace.values[box.places[0]]
    if len(box.places) == 1:
        node = record(trace, first)
        return replace(node, place=box.role if box.role in MANY else "")
    data, grad = _span(trace, box.places)
    label, remark = _leaves(trace, box)
    if any(id(trace.values[place]) in trace.written for place in box.places):
        remark = f"{WRITTEN}: {remark}" if remark else WRITTEN
    kind: Kind = "constant" if first.constant else "leaf"
    return Node(kind, "", label, data, None if first.constant else grad, len(box.places), remark=remark)


def _leaves(trace: Trace, box: _Box) -> tuple[str, str]:
    """A caption such as "32 weights", and what they are called. Inputs are counted for one sample, where that is
    known."""
    leaves = [trace.values[place] for place in box.places]
    word = MANY.get(box.role, "constants" if leaves[0].constant else "leaves")
    names = [trace.names.get(id(leaf), "") for leaf in leaves]
    if box.role == "input" and all(names):
        samples = {name.partition("[")[0] for name in names}
        count = len(set(names)) // len(samples)
        inputs = f"{count:,} {word if count > 1 else box.role}"
        return inputs, f"{len(samples):,} samples" if len(samples) > 1 else ""
    labels = [label for leaf in leaves[:SHOWN] if (label := leaf.label)]
    if labels:
        return f"{len(leaves):,} {word}", ", ".join(labels) + (", …" if len(leaves) > SHOWN else "")
    return f"{len(leaves):,} {word}", _pattern(names) if all(names) else ""


def _pattern(names: Sequence[str]) -> str:
    """What names have in common, with a star in each place in which they differ.

    >>> _pattern(["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.1.w.0"])
    'layers.0.neurons.*.w.*'
    """
    columns = list(itertools.zip_longest(*[name.split(".") for name in names]))
    return ".".join([column[0] if len(set(column)) == 1 else "*" for column in columns])
