"""Loops whose iterations depend on each other."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import Value, compile, grad, ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.rerolling import recurrences as recurrences_module
from chainrule.compiler.loops.rerolling.grouping import group
from chainrule.compiler.loops.rerolling.recurrence_builder import to_program
from chainrule.compiler.loops.rerolling.recurrences import group_with_recurrences, most_groups


def stepped(step, count, names=("x", "a", "b"), states=1):
    """A graph of one step after the other; a step takes the graph, the states and its number, and gives new states."""
    graph = Graph.of_inputs(names)
    state = list(range(states))
    for k in range(count):
        state = step(graph, state, k)
    graph.outputs = state
    return graph


def loop_lengths(graph):
    return [chain.length for chain in group_with_recurrences(graph).recurrences]


def test_a_scalar_state():
    graph = stepped(lambda g, s, k: [g.add(ops.sin, s[0])], 9)
    assert loop_lengths(graph) == [9]
    text = str(to_program(graph, group_with_recurrences(graph)))
    assert text.splitlines() == ["a2[i<1] = identity(a0[0])", "a2[i<9] recurrence 0 = sin(a2[i])"]


def test_a_loop_begins_where_its_iterations_are_alike():
    graph = stepped(lambda g, s, k: [g.add(ops.sin, g.add(ops.mul, s[0], 1))], 9)
    assert str(to_program(graph, group_with_recurrences(graph))).splitlines() == [
        "a2[] = mul(a0[0], a0[1])",
        "a4[i<1] = identity(a2)",
        "a3[i<8] recurrence 0 = sin(a4[i])",
        "a4[i<8] recurrence 0 = mul(a3[i], a0[1])",
        "a5[] = sin(a4[8])",
    ]


def test_three_steps_are_no_loop():
    assert loop_lengths(stepped(lambda g, s, k: [g.add(ops.sin, g.add(ops.mul, s[0], 1))], 3)) == []


def test_a_state_of_several_numbers(agree):
    def step(g, s, k):
        return [
            g.add(ops.tanh, g.add(ops.sum, g.add(ops.mul, s[0], a), g.add(ops.mul, s[1], b)))
            for a, b in [(2, 3), (4, 5)]
        ]

    graph = stepped(step, 12, ["x", "y", "a", "b", "c", "d"], states=2)
    assert loop_lengths(graph)[0] >= 11
    agree(graph, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


@pytest.mark.parametrize("lag", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [4, 7, 8, 9, 33])
def test_states_of_before_the_last_step(lag, count, agree):
    graph = Graph.of_inputs(["a", "b", *[f"x{i}" for i in range(lag)]])
    row = list(range(2, 2 + lag))
    for _ in range(count):
        row.append(
            graph.add(ops.sin, graph.add(ops.add, graph.add(ops.mul, row[-1], 0), graph.add(ops.mul, row[-lag], 1)))
        )
    graph.outputs = [row[-1], graph.add(ops.sum, *row[lag:])]
    agree(graph, [0.5, -0.3, *[0.1 * i for i in range(lag)]])


@pytest.mark.parametrize("count", [5, 8, 16, 17])
def test_sums_over_all_steps_in_either_direction(count, agree):
    graph = Graph.of_inputs(["x", "a", "b"])
    row, zero = [0], graph.constant(0.0)
    for _ in range(count):
        row.append(graph.add(ops.sin, graph.add(ops.mul, row[-1], 1)))
    squares = [graph.add(ops.mul, s, s) for s in row[1:]]
    pairs = [k for s, q in zip(row[1:], reversed(squares), strict=True) for k in (s, q)]
    graph.outputs = [
        graph.add(ops.sum, *row[1:]),
        graph.add(ops.sum, *reversed(row[1:])),
        graph.add(ops.weighted_sum, zero, *pairs),
        graph.add(ops.weighted_sum, 2, *[k for s in row[1:] for k in (s, s)]),
        graph.add(ops.largest, *row),
    ]
    agree(graph, [0.7, 1.9, 0.3])


def test_a_step_that_one_iteration_lacks(agree):
    def step(g, s, k):
        more = g.add(ops.sin, g.add(ops.mul, s[0], 1))
        return [more if k == 6 else g.add(ops.add, more, 2)]

    agree(stepped(step, 14), [0.1, 0.5, 0.3])


def test_the_first_step_adds_a_parameter_the_others_numbers(agree):
    def step(g, s, k):
        return [g.add(ops.add, g.add(ops.mul, g.add(ops.sin, s[0]), 1), 2 if k == 0 else g.constant(1 + k / 10))]

    agree(stepped(step, 8), [0.1, 0.9, 5.0])


def test_the_first_step_adds_a_number_the_others_a_parameter(agree):
    def step(g, s, k):
        return [g.add(ops.add, g.add(ops.mul, g.add(ops.sin, s[0]), 1), g.constant(1.0) if k == 0 else 2)]

    agree(stepped(step, 8), [0.1, 0.9, 5.0])


def test_products_that_are_written_in_two_ways(agree):
    def step(g, s, k):
        return [g.add(ops.sin, g.add(ops.mul, s[0], 1) if k % 2 else g.add(ops.weighted_sum, zero, s[0], 1))]

    graph = Graph.of_inputs(["x", "a"])
    zero, state = graph.constant(0.0), [0]
    for k in range(9):
        state = step(graph, state, k)
    graph.outputs = state
    agree(graph, [0.1, 0.5])


@pytest.mark.parametrize("count", [5, 6, 7, 8, 16])
def test_a_state_that_only_later_differs_from_sample_to_sample(count, calculate, distance):
    a, p = Value(0.5), Value(0.7)

    def run(x):
        s, before, other = p, p, p
        row = []
        for _ in range(count):
            s, before, other = ops.sin(a * s + x), s, other * a + before
            row.append(other)
        return [other, row[0] + row[1]]

    calculation = calculate(run, [0.3], [a, p], batched=[0], samples=3, order=0)
    assert distance(calculation.interpreted(), calculation.eager()) < 1e-12
    assert distance(calculation.native(), calculation.eager()) < 1e-12


@pytest.mark.parametrize("start", ["a number", "a parameter", "an expression", "the sample"])
def test_what_a_state_begins_with(start, calculate, distance):
    a, p = Value(0.5), Value(0.7)

    def run(x, y):
        s = {"a number": 0.25, "a parameter": p, "an expression": p * a + 1.0, "the sample": y}[start]
        for _ in range(9):
            s = ops.tanh(s * a + x)
        return s

    for options in ({}, {"batched": [0, 1], "samples": 9}, {"batched": [1], "samples": 9, "reduce": "mean"}):
        calculation = calculate(run, [0.3, 0.4], [a, p], **options)
        assert distance(calculation.interpreted(), calculation.eager()) < 1e-12
        assert distance(calculation.native(), calculation.eager()) < 1e-12


def test_many_small_loops_are_not_looked_for(monkeypatch):
    """A grid with fixed ends: with each step, what the ends are made of reaches further in."""
    graph = Graph.of_inputs(["k", *[f"u{i}" for i in range(30)]])
    cells = list(range(1, 31))
    for _ in range(60):
        three = zip(cells[:-2], cells[1:-1], cells[2:], strict=True)
        inner = [graph.add(ops.weighted_sum, m, 0, left, 0, right) for left, m, right in three]
        cells = [cells[0], *inner, cells[-1]]
    graph.outputs = cells[1:-1]
    asked = []
    monkeypatch.setattr(recurrences_module, "group", lambda *given: asked.append(given) or group(*given))
    grouping = group_with_recurrences(graph)
    assert len(asked) <= 3
    assert len(grouping.groups) > most_groups(graph)


def test_loops_that_are_as_long_are_found_at_one_look(agree, monkeypatch):
    looks = []
    look = lambda *arguments: looks.append(1) or group(*arguments)  # noqa: E731
    monkeypatch.setattr(recurrences_module, "group", look)
    graph = Graph.of_inputs(["x", "y", "z"])
    ends = []
    for op, start in ((ops.sin, 0), (ops.tanh, 1), (ops.cos, 2)):
        node = start
        for _ in range(40):
            node = graph.add(op, graph.add(ops.mul, node, start))
        ends.append(node)
    graph.outputs = [graph.add(ops.sum, *ends)]
    assert loop_lengths(graph) == [39, 39, 39]
    assert len(looks) == 2  # and one that finds no more
    agree(graph, [0.5, 0.3, 0.2])


@pytest.mark.parametrize("op", [ops.atan, ops.tanh, ops.sin], ids=lambda op: op.name)
@pytest.mark.parametrize(("times", "rows", "columns"), [(3, 4, 4), (2, 4, 4), (3, 4, 3), (4, 5, 3), (6, 3, 2)])
def test_loops_side_by_side_that_are_written_down_one_after_the_other(op, times, rows, columns):
    """The reverse sweep has the cells of a row in one order, and its nodes in another."""

    def total(xs):
        cells = [[xs[(columns * r + c) % 6] + 0.1 * r for c in range(columns)] for r in range(rows)]
        for _ in range(times):
            for row in cells:
                for c in range(columns):
                    row[c] = op(1.93 * row[c - 1])
        return ops.sum([cell for row in cells for cell in row])

    point = [0.73, 1.21, 0.19, -0.11, -0.42, -1.31]
    assert compile(total).grad(point) == pytest.approx(grad(total)(point), rel=1e-9, abs=1e-12)
