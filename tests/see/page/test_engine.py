"""The engine in the page against the engine: random graphs over the whole table, forward, backward and in order."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

import pytest

import chainrule.see
from chainrule import Value, topological_order
from chainrule.core.operation import TABLE
from chainrule.see.javascript import module_of

ENGINE = (Path(chainrule.see.__file__).parent / "page" / "engine.js").read_text(encoding="utf-8")
BUILT_IN = [op for op in TABLE.values() if op.built_in]
GRAPHS = 500
CLOSE = 1e-12

RUN = """
return given.map(([nodes, leaves]) => {
  const plain = nodes.map((node) => ({ ...node, data: fromHex(node.data) }));
  const numbers = Object.fromEntries(Object.entries(leaves).map(([k, x]) => [k, fromHex(x)]));
  const { data, locals, fixed } = evaluate(plain, operations, numbers);
  const root = nodes.length - 1, order = walkOrder(plain, root);
  const { deposits, grads } = backward(plain, locals, order, root, 1);
  const hexes = locals.map((row) => row.map((x) => (x === null ? null : toHex(x))));
  return { data: data.map(toHex), locals: hexes, fixed, order,
    grads: grads.map(toHex), deposits: deposits.map((each) => [each.from, each.position, each.into, each.why,
      ...[each.upstream, each.local ?? 0, each.product, each.before, each.after].map(toHex)]) };
});
"""


def unhexed(x):
    return struct.unpack(">d", bytes.fromhex(x))[0]


def hexed(x):
    return struct.pack(">d", x).hex()


def tame(v):
    """Whether a number is such that small errors before it stay small."""
    slopes = [x for x in v.locals if x is not None]
    return math.isfinite(v.data) and abs(v.data) < 1e3 and all(math.isfinite(x) and abs(x) < 1e3 for x in slopes)


def random_graph(seed):
    """A graph of 3 to 40 results; each may use any number before it, the same one several times, and plain numbers."""
    chance = random.Random(seed)
    made = [Value(chance.uniform(-3, 3)) for _ in range(chance.randint(1, 6))]
    wanted = len(made) + chance.randint(3, 40)
    while len(made) < wanted:
        op = chance.choice(BUILT_IN)
        count = len(op.operand_names) if op.operand_names else 2 * chance.randint(0, 3) + 1
        operands = [chance.choice(made[-8:]) for _ in range(count)]
        if op.operand_names and count > 1 and chance.random() < 0.3:
            operands[chance.randrange(count)] = chance.choice([2.0, 0.0, -1.0, chance.uniform(0, 3)])
        if not any(isinstance(x, Value) for x in operands) or (op.name == "mean" and not operands):
            continue
        result = Value._record(op, operands)
        if tame(result):
            made.append(result)
    return made[-1]


def document(root, chance):
    """The nodes below a root as records, in an order in which operands come first, but not that of the walk."""
    order = topological_order(root)
    rank = {id(v): 0 for v in order}
    for v in order:
        rank[id(v)] = max([rank[id(x)] + 1 for x in v.operands], default=0)
    rows = sorted(order, key=lambda v: (rank[id(v)], chance.random()))
    at = {id(v): i for i, v in enumerate(rows)}
    nodes = [
        {
            "op": None if v.op is None else v.op.name,
            "operands": [at[id(x)] for x in v.operands],
            "data": hexed(v.data),
            "constant": v.constant,
        }
        for v in rows
    ]
    return rows, nodes, [at[id(v)] for v in order]


@pytest.fixture(scope="module")
def graphs():
    return [random_graph(seed) for seed in range(GRAPHS)]


@pytest.fixture(scope="module")
def compared(graphs, javascript):
    chance = random.Random(0)
    documents = [document(root, chance) for root in graphs]
    given = [[nodes, {}] for _, nodes, _ in documents]
    found = javascript(module_of(BUILT_IN) + ENGINE, RUN, given)
    return list(zip(graphs, documents, found, strict=True))


def test_the_graphs_hold_nearly_every_operation(compared):
    assert len({v.op for _, (rows, _, _), _ in compared for v in rows if v.op}) > len(BUILT_IN) - 8


def test_the_order_of_the_walk_is_the_engines(compared):
    assert len(compared) == GRAPHS
    for _, (_, _, order), found in compared:
        assert found["order"] == order


def test_gradients_are_those_of_python_to_1e_12_of_the_absolute_contributions(compared):
    worst, numbers = 0.0, 0
    for root, (rows, _, order), found in compared:
        root.backward()
        sizes = [0.0] * len(rows)
        sizes[-1] = 1.0
        at = {id(v): i for i, v in enumerate(rows)}
        for i in reversed(order):
            for x, local in zip(rows[i].operands, rows[i].locals, strict=True):
                sizes[at[id(x)]] += abs(local or 0.0) * sizes[i]
        for v, grad, size in zip(rows, map(unhexed, found["grads"]), sizes, strict=True):
            numbers += 1
            assert abs(grad - v.grad) <= CLOSE * size, (v.op, grad, v.grad, size)
            worst = max(worst, abs(grad - v.grad) / size if size else 0.0)
    print(f"{numbers:,} gradients of {GRAPHS} graphs, at most {worst:.1e} of the absolute contributions away")
    assert numbers > 5_000


def test_deposits_are_made_in_the_engines_order_with_its_reasons(compared):
    reasons = set()
    for root, (rows, _, order), found in compared:
        at = {id(v): i for i, v in enumerate(rows)}
        wanted = [[i, k, at[id(x)]] for i in reversed(order) for k, x in enumerate(rows[i].operands)]
        assert [each[:3] for each in found["deposits"]] == wanted
        grads = [0.0] * len(rows)
        grads[-1] = 1.0
        for source, position, into, why, *numbers in found["deposits"]:
            upstream, local, product, before, after = map(unhexed, numbers)
            reasons.add(why)
            assert (upstream, before) == (grads[source], grads[into])
            if why:
                assert (product, after) == (0.0, before)
                assert (why == "no flow") == (rows[source].locals[position] is None)
                assert why != "zero upstream" or upstream == 0
                assert why != "zero local" or local == 0 != upstream
            else:
                assert product == local * upstream
                assert after == before + product
            grads[into] = after
        assert root.grad == 1.0
    assert reasons == {"", "no flow", "zero upstream", "zero local"}


def test_an_edited_leaf_is_calculated_anew(javascript):
    a, b = Value(2.0), Value(3.0)
    y = (a * b).tanh() + a
    rows, nodes, _ = document(y, random.Random(1))
    at = next(i for i, v in enumerate(rows) if v is a)
    (found,) = javascript(module_of(BUILT_IN) + ENGINE, RUN, [[nodes, {at: hexed(-0.25)}]])
    x = Value(-0.25)
    again = (x * 3.0).tanh() + x
    again.backward()
    assert unhexed(found["data"][-1]) == pytest.approx(again.data, rel=1e-14)
    assert unhexed(found["grads"][at]) == pytest.approx(x.grad, rel=1e-14)
    assert found["fixed"] == []


def test_a_node_without_a_readable_operation_keeps_its_number_and_says_so(javascript):
    nodes = [
        {"op": None, "operands": [], "data": hexed(2.0)},
        {"op": "of_my_own", "operands": [0], "data": hexed(8.0), "locals": [12.0]},
        {"op": "neg", "operands": [1], "data": hexed(-8.0)},
    ]
    same, edited = javascript(module_of(BUILT_IN) + ENGINE, RUN, [[nodes, {}], [nodes, {0: hexed(3.0)}]])
    assert (same["fixed"], edited["fixed"]) == ([], [1])
    assert unhexed(edited["data"][2]) == -8.0
    assert [unhexed(x) for x in same["grads"]] == [-12.0, -1.0, 1.0]


def test_where_python_would_raise_the_node_is_named(javascript, own_operations):
    @chainrule.operation(local=lambda x, y: -1 / (x * x))
    def inverse(x):
        return 1 / x

    body = """
      const nodes = [{ op: null, operands: [], data: 0 }, { op: "inverse", operands: [0], data: 0 }];
      try { evaluate(nodes, operations); } catch (error) { return [error.message, error.node]; }
    """
    assert javascript(module_of([inverse]) + ENGINE, body) == ["ZeroDivisionError: division by zero", 1]
