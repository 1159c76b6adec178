"""Statements that run in the same loops."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.codegen.nests import nests, own_place
from chainrule.compiler.loops.program import Index, Read, Statement

HERE = Index(0, (1,))


def statement(target, *reads, axes=(4,), **options):
    return Statement(target, axes, ops.sum, list(reads), [], **options)


def read(array, *indices, **options):
    return Read(array, list(indices) or [HERE], **options)


def test_what_is_read_where_it_is_made_shares_the_loops():
    (nest,) = nests([statement(2, read(0)), statement(3, read(2)), statement(4, read(3), read(2))], {4})
    assert [s.target for s in nest.statements] == [2, 3, 4]
    assert nest.stored == {4}


def test_what_is_read_elsewhere_needs_loops_of_its_own():
    first, second = nests([statement(2, read(0)), statement(3, read(2, Index(3, (-1,))))], {3})
    assert (first.stored, second.stored) == ({2}, {3})


def test_other_axes_are_other_loops():
    three = nests([statement(2, read(0)), statement(3, read(0), axes=(5,)), statement(4, read(0), axes=(4, 1))], set())
    assert [nest.axes for nest in three] == [(4,), (5,), (4, 1)]


def test_a_statement_joins_the_last_loops_if_nothing_needs_it_later():
    (nest,) = nests([statement(2, read(0)), statement(3, read(1))], {2, 3})
    assert nest.stored == {2, 3}


@pytest.mark.parametrize(
    ("read", "is_own"),
    [
        (read(2), True),
        (read(2, Index(0, (1, 0))), True),
        (read(2, Index(1, (1,))), False),
        (read(2, Index(0, (2,))), False),
        (read(2, Index(0, (1, 1))), False),
        (read(2, Index(0, (1,), None, 1)), False),
        (read(2, HERE, lane=Index(0, (1,))), False),
        (read(2, HERE, HERE), False),
    ],
)
def test_the_own_place(read, is_own):
    assert own_place(read, 1) is is_own


def test_the_own_place_in_a_chain_is_behind_what_it_begins_with():
    assert own_place(read(2, Index(1, (1,))), 1, row=1)
    assert not own_place(read(2), 1, row=1)


@pytest.mark.parametrize("count", [3, 8, 13])
def test_loops_one_after_the_other_and_within_each_other(count, agree):
    graph = Graph.of_inputs([f"x{i}" for i in range(count)])
    made = [graph.add(ops.exp, i) for i in range(count)]
    turned = [graph.add(ops.sub, a, b) for a, b in zip(made, reversed(made), strict=True)]
    both = [graph.add(ops.mul, a, b) for a, b in zip(made, turned, strict=True)]
    table = [graph.add(ops.atan2, a, b) for a in made for b in turned]
    graph.outputs = [*both, *[graph.add(ops.sum, *table[i * count : (i + 1) * count]) for i in range(count)]]
    agree(graph, [i / 10 for i in range(count)])
