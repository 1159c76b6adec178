"""Folded boxes are opened one level at a time, down to every single node."""

from __future__ import annotations

import random

import pytest

from chainrule import Value, losses, nn
from chainrule.draw.graph import trace

from .test_layout import described

OPENED = """(() => {
  const boxes = boxesOf(given.trace, given.opened);
  return boxes.boxes.map((box) => ({ ...box, uses: 0 }));
})()"""
ALL = """(() => {
  const opened = [];
  let [most, steps] = [0, 0];
  for (;;) {
    const { boxes, edges, boxOf } = boxesOf(given.trace, opened);
    if (edges.some(({ source, target }) => source >= target)) return "an edge runs backwards";
    if (new Set(boxes.flatMap((box) => box.places)).size !== given.trace.nodes.length) return "a node is in no box";
    if (boxOf.some((box, place) => !boxes[box].places.includes(place))) return "a node is not in its box";
    if (edges.some((edge) => edge.uses.length !== 2 * edge.size)) return "uses are missing";
    const folded = boxes.filter((box) => box.places.length > 1 && !given.done.includes(box.symbol));
    if (!folded.length || ++steps > given.steps) return { boxes: boxes.length, folded: folded.length };
    const box = folded[0];
    opened.push(box.results[box.results.length - 1]);
    most = Math.max(most, boxesOf(given.trace, opened).boxes.length - boxes.length);
  }
})()"""


def training(rows=20):
    model = nn.MLP(2, [8, 8, 1], activation="tanh", seed=0)
    rng = random.Random(0)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(rows)]
    return losses.mean_squared_error([model(x) for x in X], [1.0 if x[0] > 0 else -1.0 for x in X])


def long_sum():
    total = Value(0.0)
    for i in range(300):
        total = total + Value(float(i))
    return total


def recurrence():
    h, w = Value(0.1), Value(0.5, label="w")
    for _ in range(60):
        h = (h * w + 1.0).tanh()
    return h


def at(root, in_page, opened):
    nodes = trace([root])
    return in_page({"opening.js": "boxesOf"}, OPENED, {"trace": described(nodes), "opened": opened})


def labels(boxes):
    return [(box["label"], box["remark"]) for box in boxes]


def test_a_layer_opens_into_its_neurons_and_a_neuron_into_its_uses(in_page):
    root = training()
    folded = at(root, in_page, [])
    [layer] = [box for box in folded if box["place"] == "layer 1"]
    assert (layer["label"], layer["remark"]) == ("8 × [Σ + b → tanh]", "each 20 times")
    neuron = layer["results"][0]
    neurons = at(root, in_page, [neuron])
    assert labels(neurons).count(("[Σ + b → tanh]", "20 times")) == 8
    assert ("8 × [Σ + b → tanh]", "each 20 times") in labels(neurons)  # the second layer stays as it is
    uses = at(root, in_page, [neuron, neuron])
    assert labels(uses).count(("[Σ + b → tanh]", "20 times")) == 7
    assert labels(uses).count(("[Σ + b → tanh]", "")) == 20
    single = at(root, in_page, [neuron, neuron, neuron])
    assert [neuron] in [box["places"] for box in single]


def test_many_leaves_open(in_page):
    root = training()
    [weights] = [box for box in at(root, in_page, []) if box["label"] == "64 weights"]
    first = weights["places"][0]
    opened = at(root, in_page, [first])
    assert labels(opened).count(("3 weights", "")) == 21
    assert [first] in [box["places"] for box in at(root, in_page, [first, first])]


def test_a_long_sum_opens_into_shorter_ones(in_page):
    root = long_sum()
    last = len(trace([root]).values) - 1
    [sum_] = [box for box in at(root, in_page, []) if box["kind"] == "root"]
    assert (sum_["symbol"], sum_["remark"], sum_["results"]) == ("Σ", "300 × +", [last])
    opened = at(root, in_page, [last])
    assert [box["remark"] for box in opened if box["symbol"] == "Σ"] == ["13 × +"] * 23
    assert sum(len(box["places"]) for box in opened if box["kind"] in ("operation", "root")) == 300


@pytest.mark.parametrize("root", [training(3), long_sum(), recurrence()], ids=["training", "sum", "recurrence"])
def test_everything_opens_down_to_single_nodes(in_page, root):
    nodes = trace([root])
    found = in_page({"opening.js": "boxesOf"}, ALL, {"trace": described(nodes), "done": [], "steps": 2000})
    assert found == {"boxes": len(nodes.values), "folded": 0}
