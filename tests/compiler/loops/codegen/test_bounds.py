"""The ranges of addresses, against the enumeration of every place that loops go to, masked out or not."""

from __future__ import annotations

import itertools
import math
import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.loops.codegen.bounds import Bounds, Range
from chainrule.compiler.loops.codegen.build import module_of, plan
from chainrule.compiler.loops.codegen.layout import NOWHERE, area_ranges
from chainrule.compiler.loops.codegen.strides import flattened, lane_stride
from chainrule.compiler.loops.program import reads
from chainrule.compiler.native.llvm import Machine

from .ragged_sums import ragged


class Counter:
    """A whole number of native code, as the prover sees one: an object and nothing more."""


@pytest.mark.parametrize("seed", range(60))
def test_a_range_holds_every_number_and_is_as_narrow_as_can_be_without_relations(seed):
    draw, known = random.Random(seed), Bounds()
    ranges = [(low, low + draw.randrange(4)) for low in [draw.randrange(-3, 4) for _ in range(3)]]
    counters = [Counter() for _ in ranges]
    for counter, (low, high) in zip(counters, ranges, strict=True):
        known.define_variable(counter, low, high)
    made = [(counter, lambda at, i=i: at[i]) for i, counter in enumerate(counters)]
    for _ in range(5):
        (a, of_a), (b, of_b), times, x = draw.choice(made), draw.choice(made), draw.randrange(-3, 4), Counter()
        known.define_sum(x, a, b, times)
        made.append((x, lambda at, a=of_a, b=of_b, n=times: a(at) + n * b(at)))
    points = list(itertools.product(*[range(low, high + 1) for low, high in ranges]))
    for x, of_x in made:
        numbers = [of_x(at) for at in points]
        assert known.range(x) == (min(numbers), max(numbers))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_relation_narrows_a_range_and_never_cuts_it(sign):
    known, i, j, at = Bounds(), Counter(), Counter(), Counter()
    known.define_variable(i, 0, 9)
    known.define_variable(j, 0, 9)
    known.relate(i, j, sign, 2, 5)
    points = [(a, b) for a in range(10) for b in range(10) if 2 <= a + sign * b <= 5]
    for times in range(-3, 4):
        known.define_sum(at, i, j, times)
        actual, numbers = known.range(at), [a + times * b for a, b in points]
        assert actual.low <= min(numbers)
        assert actual.high >= max(numbers)
    known.define_sum(at, i, j, sign)
    assert known.range(at) == Range(2, 5)


def test_of_what_is_not_known_there_is_no_range():
    known, x, at = Bounds(), Counter(), Counter()
    known.define_sum(at, x, 1)
    assert known.range(x) is None
    assert known.range(at) is None


# ---- every address of a program --------------------------------------------------------------------------------------


def places_read(plan, lanes):
    """Every address that a program's code goes to, but for those in the caller's rows: of each read its text, its area,
    and all places there."""
    program, layout = plan.program, plan.layout
    for statement in program.statements:
        inner = [((), x) for x in statement.arguments]
        inner += [((one.length,), part) for one in statement.sums for part in one.parts]
        for more, expression in inner:
            for read in reads(expression):
                area, offset = layout.place[read.array]
                if area == NOWHERE:
                    continue
                extents = (*statement.axes, *more)
                axes = np.array(list(itertools.product(*map(range, extents)))).T
                shape = program.arrays[read.array].shape
                start, strides, tables = flattened(shape, read.indices, len(axes))
                flat = np.full(math.prod(extents), start)
                for stride, axis in zip(strides, axes, strict=True):
                    flat = flat + stride * axis
                for index, scale in tables:
                    where = [np.minimum(a, n - 1) for a, n in zip(axes, index.table.shape, strict=True)]
                    flat = flat + scale * index.table[tuple(where)]
                step = lane_stride(shape, read.indices) if statement.lanes and area == "shared" else 0
                beyond = step * np.arange(-(-(program.lanes or 1) // lanes) * lanes)
                yield f"a{statement.target}: {read}", area, (offset + flat[:, None] + beyond).ravel()


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("batched", [False, True], ids=["alone", "batch"])
def test_what_is_not_clamped_lies_in_its_area(seed, batched, calculate):
    program, draw = ragged(seed), random.Random(seed)
    x, w = [[draw.uniform(-1, 1) for _ in range(size)] for size in program.sizes]
    options = {"batched": range(len(x)), "samples": 3} if batched else {}
    calculation = calculate(program.function, [x, w], order=1, **options)
    machine = Machine.named("sse2")
    planned = plan(calculation.program(), machine)
    module_of(planned, machine)
    lanes = machine.lanes(64)
    room = area_ranges(planned.program, planned.layout, lanes, planned.vectors, len(planned.each))
    for text, area, places in places_read(planned, lanes):
        unit = planned.vectors * lanes if area == "scratch" else 1
        inside = (places * unit >= room[area].begin) & ((places + 1) * unit <= room[area].end)
        assert inside.all() or text in planned.address_report.clamped, text
