"""Nodes whose whole expression has the same shape are one group."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.text import from_text
from chainrule.compiler.loops.rerolling.grouping import BATCHED_INPUT, CONSTANT, SHARED_INPUT, group


def members(text):
    """The nodes of each group, by the name of its operation."""
    return [(one.op.name, one.nodes) for one in group(from_text(text)).groups[3:]]


def test_inputs_and_constants_are_groups_by_themselves():
    grouping = group(from_text("%0 = input x, batched\n%1 = input y\n%2 = constant 1.0\n%3 = sum %0 %1 %2\nreturn %3"))
    assert [grouping.groups[k].nodes for k in (CONSTANT, SHARED_INPUT, BATCHED_INPUT)] == [[2], [1], [0]]


def test_the_same_expression_of_other_inputs_is_one_group():
    text = "%0 = input x\n%1 = input y\n%2 = exp %0\n%3 = sin %2\n%4 = exp %1\n%5 = sin %4\nreturn %3 %5"
    assert members(text) == [("exp", [2, 4]), ("sin", [3, 5])]


def test_inputs_of_samples_are_other_operands_than_shared_ones():
    text = "%0 = input x, batched\n%1 = input y\n%2 = exp %0\n%3 = exp %1\nreturn %2 %3"
    assert members(text) == [("exp", [2]), ("exp", [3])]


def test_sums_of_any_length_are_one_group():
    text = "%0 = input x\n%1 = exp %0\n%2 = sum %1 %1\n%3 = sum %1 %1 %1\nreturn %2 %3"
    grouping = group(from_text(text)).groups[-1]
    assert (grouping.op.name, grouping.nodes, grouping.runs[0].lengths.tolist()) == ("sum", [2, 3], [2, 3])
    assert grouping.runs[0].parts[0].places.tolist() == [0] * 5


def test_a_sum_has_a_run_for_each_stretch_of_equal_operands():
    text = "%0 = input x\n%1 = exp %0\n%2 = constant 1.0\n%3 = sum %1 %1 %2 %0 %0 %0\nreturn %3"
    runs = group(from_text(text)).groups[-1].runs
    assert [(run.lengths.tolist(), run.parts[0].group) for run in runs] == [
        ([2], 3),
        ([1], CONSTANT),
        ([3], SHARED_INPUT),
    ]


def test_no_member_depends_on_another():
    graph = Graph.of_inputs(["x"])
    for i in range(6):
        graph.add(ops.sin, i)
    graph.outputs = [6]
    assert all(len(one.nodes) == 1 for one in group(graph).groups[3:])


def test_what_is_put_to_other_uses_is_a_group_of_its_own():
    graph = Graph.of_inputs([f"x{i}" for i in range(8)])
    made = [graph.add(ops.exp, i) for i in range(8)]
    graph.outputs = [graph.add(ops.sin, k) for k in made[:4]] + [graph.add(ops.cos, k) for k in made[4:]]
    assert [one.nodes for one in group(graph).groups[3:5]] == [made[:4], made[4:]]
    assert [one.nodes for one in group(graph, split=False).groups[3:4]] == [made]


def test_groups_stand_behind_what_they_are_made_of():
    graph = Graph.of_inputs(["x", "y", "z"])
    rows = [graph.add(ops.mul, i, j) for i in range(3) for j in range(3)]
    graph.outputs = [graph.add(ops.sum, *rows[3 * i : 3 * i + 3]) for i in range(3)] + [graph.add(ops.exp, rows[4])]
    grouping = group(graph)
    for at, one in enumerate(grouping.groups):
        for operand in one.all_operands():
            assert operand.group < at
            assert all(
                grouping.group_of[grouping.groups[operand.group].nodes[k]] == operand.group for k in operand.places
            )


def test_the_terms_of_a_sum_are_put_together():
    text = "%0 = input x\n%1 = input y\n%2 = exp %0\n%3 = sin %0\n%4 = exp %1\n%5 = sin %1\n%6 = sum %2 %3 %4 %5 %0\n"
    grouping = group(from_text(text + "return %6")).groups[-1]
    assert [run.lengths.tolist() for run in grouping.runs] == [[2], [2], [1]]
    text = text.replace("sum", "weighted_sum %0").replace("%5 %0\n", "%5 %2 %5\n")
    grouping = group(from_text(text + "return %6")).groups[-1]
    assert [run.lengths.tolist() for run in grouping.runs] == [[3]]
    text = text.replace("weighted_sum %0", "largest")
    assert len(group(from_text(text + "return %6")).groups[-1].runs) == 6  # which of equals comes first may matter
