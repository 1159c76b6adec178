"""Tables of slots: each entry is looked at before native code goes there."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.levels.emit import build
from chainrule.compiler.levels.kernel import LevelKernel, compile_graph
from chainrule.compiler.levels.schedule import schedule
from chainrule.compiler.levels.sections import Field
from chainrule.compiler.levels.table_bounds import check_plan
from chainrule.compiler.native.llvm import BoundsError, Machine


def planned(samples=False):
    """A plan with sums of different lengths, before the samples and for each of them."""
    graph = Graph.of_inputs([f"x{i}" for i in range(12)], [10, 11] if samples else [])
    sums = [graph.add(ops.sum, *range(n)) for n in (2, 3, 5, 8, 9)]
    bent = [graph.add(ops.sin, node) for node in sums]
    last = graph.add(ops.mul, graph.add(ops.sum, *bent), graph.add(ops.add, 10, 11))
    graph.outputs = [graph.add(BATCH_SUM, last), last] if samples else [last]
    return schedule(graph, Machine.default().lanes(64))


@pytest.mark.parametrize("samples", [False, True], ids=["alone", "batch"])
def test_a_plan_of_a_graph_is_as_it_should_be(samples):
    check_plan(planned(samples))


def spoilt(section, field, by):
    """A section of which the last segment says something else."""
    segments = section.segments.copy()
    segments[-1, [Field.SHORT_FIRST, Field.LONG_FIRST] if field == Field.SHORT_FIRST else field] += by
    return replace(section, segments=segments)


@pytest.mark.parametrize(
    "field", [Field.TABLE, Field.ENTRIES, Field.SHORT_FIRST, Field.NODES, Field.KIND, Field.PREFETCH_COUNT]
)
@pytest.mark.parametrize("by", [10_000, -10_000])
def test_a_segment_that_goes_elsewhere_is_refused(field, by):
    plan = planned()
    with pytest.raises(BoundsError, match="outside of its memory"):
        check_plan(replace(plan, before=spoilt(plan.before, field, by)))


@pytest.mark.parametrize("number", [-1, 10_000])
def test_a_slot_that_is_none_is_refused(number):
    plan = planned()
    table = plan.before.table.copy()
    table[3] = number
    with pytest.raises(BoundsError, match="table"):
        check_plan(replace(plan, before=replace(plan.before, table=table)))
    with pytest.raises(BoundsError, match="output"):
        check_plan(replace(plan, shared=np.full_like(plan.shared, number)))


@pytest.mark.parametrize("name", ["columns", "uniform", "sums", "each"])
def test_a_row_that_is_none_is_refused(name):
    plan = planned(samples=True)
    check_plan(plan)
    batch = replace(plan.batch, **{name: getattr(plan.batch, name) + 10_000})
    with pytest.raises(BoundsError):
        check_plan(replace(plan, batch=batch))


def test_a_kernel_looks_at_its_plan_first():
    plan = planned()
    code = build(plan, Machine.default())
    LevelKernel(plan, code)
    with pytest.raises(BoundsError):
        LevelKernel(replace(plan, before=spoilt(plan.before, Field.SHORT_FIRST, 10_000)), code)


def test_a_sum_of_more_terms_than_there_are_numbers():
    """The number of its terms stands in the table, where the vectors of the block before it read on."""
    graph = Graph.of_inputs(["x", "y"])
    bent = [graph.add(ops.sum, 0, *[1] * k) for k in range(2, 9)]
    graph.outputs = [*bent, graph.add(ops.sum, *[0] * 3000)]
    shared, _, _ = compile_graph(graph).run(np.array([1.0, 2.0]))
    assert shared.tolist() == [1.0 + 2.0 * k for k in range(2, 9)] + [3000.0]


@pytest.mark.parametrize("place", [-1, 3, 10**6, -(10**6)])
@pytest.mark.parametrize("strict", [False, True])
def test_a_place_beside_a_list_is_an_error_or_a_nan(place, strict):
    """As in the eager engine, whose error it is where the place was given as an integer."""

    def pick(row, i):
        return chainrule.take(row, i)

    compiled = chainrule.compile(pick, strict=strict)
    assert compiled([1.0, 2.0, 3.0], 1) == 2.0
    try:
        expected = pick([1.0, 2.0, 3.0], place)
    except Exception as error:
        with pytest.raises(type(error)):
            compiled([1.0, 2.0, 3.0], place)
    else:
        actual = compiled([1.0, 2.0, 3.0], place)
        assert actual == expected or (np.isnan(actual) and np.isnan(expected))
