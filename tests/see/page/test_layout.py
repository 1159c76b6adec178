"""Layout and folding in JavaScript beside those of Python: the same boxes, at the same places."""

from __future__ import annotations

import random

import pytest

import chainrule
from chainrule import Value, losses, nn
from chainrule.draw.fold import fold
from chainrule.draw.graph import one_by_one, trace
from chainrule.draw.layout import Size, lay_out


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    return (x * w + b).tanh()


def diamond(depth):
    y = Value(1.5, label="a")
    for _ in range(depth):
        y = y * y + y
    return y


def chain(length):
    y = Value(0.5)
    for i in range(length):
        y = (y * 1.1 + i).tanh()
    return y


STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a.tanh(),
    lambda a, b: a - 2.0,
    lambda a, b: a / (b * b + 1),
]


def at_random(seed):
    rng = random.Random(seed)
    values = [Value(rng.uniform(-1, 1), label=f"x{i}" if rng.random() < 0.5 else "") for i in range(4)]
    for _ in range(rng.randint(3, 70)):
        a, b = rng.choice(values[-9:]), rng.choice(values)
        values.append(rng.choice(STEPS)(a, b))
    return values[-1] * values[-2]


def training(sizes, rows):
    model = nn.MLP(2, sizes, activation="tanh", seed=0)
    rng = random.Random(0)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(rows)]
    return losses.mean_squared_error([model(x) for x in X], [1.0 if x[0] > 0 else -1.0 for x in X])


GRAPHS = {
    "a leaf": lambda: Value(2.0),
    "neuron": neuron,
    "a sum with itself": lambda: (a := Value(3.0, label="a")) + a,
    "softmax": lambda: chainrule.logsumexp([Value(float(i)) * 0.1 for i in range(40)]),
    "recurrence": lambda: chain(40),
    **{f"diamond {n}": lambda n=n: diamond(n) for n in (1, 3, 8, 30)},
    **{f"chain {n}": lambda n=n: chain(n) for n in (1, 5, 12)},
    **{f"MLP {sizes}, {rows} rows": lambda sizes=sizes, rows=rows: training(sizes, rows)
       for sizes in ([1], [3, 1], [4, 4, 1]) for rows in (1, 4, 30)},
    **{f"random {seed}": lambda seed=seed: at_random(seed) for seed in range(30)},
}  # fmt: skip

NAMES = ("op", "symbol", "label", "constant", "data")


def described(nodes):
    """A trace as the page's modules take it."""
    return {
        "nodes": [
            {
                "op": x.op.name if x.op else "",
                "symbol": x.op.symbol if x.op else "",
                "label": x.label,
                "constant": x.constant,
                "data": x.data,
            }
            for x in nodes.values
        ],
        "operands": nodes.operands,
        "roots": nodes.roots,
    }


def test_there_are_fifty_graphs():
    assert len(GRAPHS) >= 50


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("limit", [None, 60, 12])
def test_boxes_and_places_are_those_of_python(in_page, name, limit):
    root = GRAPHS[name]()
    nodes = trace([root])
    if limit is None and len(nodes.values) > 200:
        pytest.skip("drawn one by one, it is larger than any picture")
    graph = one_by_one(nodes) if limit is None else fold(nodes, limit)
    imports = {"fold.js": "fold", "boxes.js": "oneByOne", "layout.js": "layOut"}
    made = "oneByOne(given.trace)" if limit is None else "fold(given.trace, given.limit)"
    found = in_page(imports, made, {"trace": described(nodes), "limit": limit})
    assert [(box["kind"], box["symbol"], box["place"], len(box["places"])) for box in found["boxes"]] == [
        (node.kind, node.symbol, node.place, node.size) for node in graph.nodes
    ]
    if limit is not None:
        of_groups = [i for i, node in enumerate(graph.nodes) if node.size > 1 and node.kind not in ("leaf", "constant")]
        assert [(found["boxes"][i]["label"], found["boxes"][i]["remark"]) for i in of_groups] == [
            (graph.nodes[i].label, graph.nodes[i].remark) for i in of_groups
        ]
    edges = [(edge.source, edge.target) for edge in graph.edges]
    assert [(edge["source"], edge["target"]) for edge in found["edges"]] == edges
    assert sorted(place for box in found["boxes"] for place in box["places"]) == list(range(len(nodes.values)))
    rng = random.Random(name)
    sizes = [(rng.uniform(40, 120), rng.uniform(20, 50)) for _ in graph.nodes]
    labels = [rng.choice([(0.0, 0.0), (44.0, 17.0)]) for _ in edges]
    expected = lay_out([Size(*x) for x in sizes], edges, [Size(*x) for x in labels])
    laid = in_page(
        imports,
        "layOut(given.sizes.map(([along, across]) => ({ along, across })), given.edges, "
        "given.labels.map(([along, across]) => ({ along, across })))",
        {"sizes": sizes, "edges": edges, "labels": labels},
    )
    for part in ("boxes", "labels"):
        for at, right in zip(laid[part], getattr(expected, part), strict=True):
            assert abs(at["along"] - right.along) <= 0.5
            assert abs(at["across"] - right.across) <= 0.5
    for path, right in zip(laid["routes"], expected.routes, strict=True):
        assert [(x["along"], x["across"]) for x in path] == [pytest.approx(tuple(x), abs=0.5) for x in right]
