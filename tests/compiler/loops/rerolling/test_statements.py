"""From groups to statements: what goes into which loop, and which element of which array each operand is."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.text import from_text
from chainrule.compiler.loops.rerolling.grouping import group
from chainrule.compiler.loops.rerolling.recurrence_builder import to_program


def program(text):
    graph = from_text(text)
    return str(to_program(graph, group(graph)))


def inputs(count):
    return Graph.of_inputs([f"x{i}" for i in range(count)])


# ---- what becomes of small graphs ----------------------------------------------------------------------------------


def test_what_is_used_once_is_calculated_on_the_spot():
    text = "%0 = input x\n%1 = input y\n%2 = mul %0 %1\n%3 = exp %2\n%4 = sin %3\nreturn %4"
    assert program(text) == "a2[] = sin(exp(mul(a0[0], a0[1])))"


def test_what_is_used_twice_has_an_array():
    text = "%0 = input x\n%1 = exp %0\n%2 = mul %1 %1\nreturn %2"
    assert program(text) == "a2[] = exp(a0[0])\na3[] = mul(a2, a2)"


def test_members_of_a_group_are_a_loop():
    graph = inputs(6)
    graph.outputs = [graph.add(ops.exp, i) for i in range(1, 6)]
    assert str(to_program(graph, group(graph))) == "a2[i<5] = exp(a0[i])"


def test_a_matrix_times_a_vector_is_two_loops():
    graph, zero = inputs(8), 8
    graph.constant(0.0)
    rows = [[0, 1], [2, 3], [4, 5]]
    graph.outputs = [graph.add(ops.weighted_sum, zero, row[0], 6, row[1], 7) for row in rows]
    assert str(to_program(graph, group(graph))) == "a2[i<3] = weighted_sum(0.0, Σ[2] a0[2i+j] · a0[j+6])"


def test_equal_constants_are_a_number_and_others_an_array():
    graph = inputs(3)
    graph.outputs = [graph.add(ops.mul, i, graph.constant(2.0)) for i in range(3)]
    assert str(to_program(graph, group(graph))) == "a2[i<3] = mul(a0[i], 2.0)"
    graph = inputs(3)
    graph.outputs = [graph.add(ops.mul, i, graph.constant(2.0 + i)) for i in range(3)]
    program = to_program(graph, group(graph))
    assert str(program) == "a3[i<3] = mul(a0[i], a2[i])"
    assert program.arrays[2].data.tolist() == [2.0, 3.0, 4.0]


def test_zeros_of_both_signs_are_two_constants(agree):
    graph = inputs(4)
    graph.outputs = [graph.add(ops.atan2, graph.constant(x), i) for i, x in enumerate([0.0, -0.0, 0.0, -0.0])]
    agree(graph, [-1.0, -1.0, 1.0, 1.0])
    assert to_program(graph, group(graph)).arrays[2].kind == "data"


def test_a_product_alone_in_a_sum_is_a_product():
    graph = inputs(4)
    zero = graph.constant(0.0)
    graph.outputs = [graph.add(ops.weighted_sum, zero, i, 3) for i in range(3)]
    assert str(to_program(graph, group(graph))) == "a2[i<3] = mul(a0[i], a0[3])"


def test_a_triangle_has_bounds(agree):
    graph = inputs(5)
    made = [graph.add(ops.exp, i) for i in range(5)]
    graph.outputs = [graph.add(ops.sum, *made[: i + 1]) for i in range(5)]
    assert str(to_program(graph, group(graph))).splitlines()[1] == "a3[i<5] = sum(Σ[5, 0 ≤ k < i+1] a2[j])"
    agree(graph, [0.1, 0.2, 0.3, 0.4, 0.5])


def test_outputs_and_guards_that_nothing_calculates(agree):
    graph = Graph.of_inputs(["x", "w"], batched=[0])
    graph.outputs = [0, 1, graph.constant(3.0), 0]
    graph.guards = [(0, True), (1, False)]
    agree(graph, [0.0, 0.0], [[1.0, 0.0, 2.0]])


# ---- operands in an order of their own -----------------------------------------------------------------------------


def test_runs_of_equal_length_in_all_but_cut_elsewhere(agree):
    graph = inputs(3)
    exps, sines = [graph.add(ops.exp, i) for i in (0, 1)], [graph.add(ops.sin, i) for i in (1, 2)]
    graph.outputs = [graph.add(ops.sum, exps[0], *sines), graph.add(ops.sum, *exps, sines[1])]
    agree(graph, [0.1, 0.2, 0.3])


@pytest.mark.parametrize("place", [0.0, 1.0])
def test_take_counts_its_operands(place, agree):
    graph = inputs(3)
    a, b = graph.add(ops.exp, 1), graph.add(ops.exp, 2)
    graph.outputs = [graph.add(ops.sum, a, b), graph.add(ops.take, 0, b, a)]
    agree(graph, [place, 0.2, 0.3])


def test_takes_of_different_lengths(agree):
    graph = inputs(4)
    made = [graph.add(ops.exp, i) for i in (1, 2, 3)]
    graph.outputs = [graph.add(ops.take, 0, *made[:2]), graph.add(ops.take, 0, *made), *made]
    agree(graph, [2.0, 0.2, 0.3, 0.4])


def test_lists_of_different_lengths_along_a_table(agree):
    graph = inputs(6)
    a, b = [graph.add(ops.exp, i) for i in range(4)], [graph.add(ops.sin, i) for i in (4, 5)]
    table = [graph.add(ops.mul, x, y) for x in a for y in b]
    graph.outputs = [graph.add(ops.largest, *table), *[graph.add(ops.largest, *table[i : i + 2]) for i in (0, 2, 4, 6)]]
    agree(graph, [0.4, 0.3, 0.2, 0.1, 0.5, 0.6])


def test_operands_backwards_and_with_steps(agree):
    graph = inputs(12)
    made = [graph.add(ops.exp, i) for i in range(12)]
    graph.outputs = [graph.add(ops.sub, made[i], made[11 - i]) for i in range(12)]
    graph.outputs += [graph.add(ops.sum, *made[i::3]) for i in range(3)]
    graph.outputs += [graph.add(ops.largest, *reversed(made[4 * i : 4 * i + 4])) for i in range(3)]
    agree(graph, [i / 10 for i in range(12)])


def test_operands_in_no_order_at_all(agree):
    graph = inputs(17)
    made = [graph.add(ops.exp, i) for i in range(17)]
    order = [(7 * i * i + 3 * i) % 17 for i in range(17)]
    graph.outputs = [graph.add(ops.atan2, made[i], made[k]) for i, k in enumerate(order)]
    agree(graph, [i / 10 for i in range(17)])
