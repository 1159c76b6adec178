"""What is fetched ahead."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.levels import prefetching, sections
from chainrule.compiler.levels.kernel import compile_graph
from chainrule.compiler.levels.schedule import schedule


def test_lines_that_nothing_touched_for_long_are_fetched(monkeypatch):
    for name, number in {"REUSE_DISTANCE": 40, "PREFETCH_DISTANCE": 10, "MOST_LINES": 5}.items():
        monkeypatch.setattr(prefetching, name, number)
    draw = random.Random(3)
    table = np.array([draw.randrange(800) for _ in range(2000)], np.int32)
    at = np.array(sorted({0, *(draw.randrange(2000) for _ in range(200))}))
    runs = np.array([[[draw.randrange(90) * 8, 16], [draw.randrange(90) * 8, 0]] for _ in at])
    first, many, slots = prefetching.prefetch_list(table, at, runs)

    touched, expected = {}, []
    for call in range(2):  # what is fetched is that of any call but the first
        for place, slot in enumerate(table.tolist()):
            now, line = place + call * len(table), slot // 8
            if call and now - touched.get(line, -100) > 40:
                expected.append((np.searchsorted(at, max(place - 10, 0), side="right") - 1, line))
            touched[line] = now
            for segment in np.flatnonzero(at == place):
                begin = runs[segment, 0, 0] // 8
                touched |= dict.fromkeys((begin, begin + 1), now + 0.5)
    for segment, (begin, count) in enumerate(zip(first, many, strict=True)):
        own = [line for before, line in expected if before == segment]
        assert (slots[begin : begin + count] // 8).tolist() == own[:5]
    assert many.sum() > 500


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_results_are_the_same(seed, draw, run, monkeypatch, same_bits):
    graph, numbers = draw(seed, outputs=200, sums=20, samples=50)
    plain = run(compile_graph(graph), graph, numbers)
    monkeypatch.setattr(sections, "LARGE", 0)
    monkeypatch.setattr(prefetching, "REUSE_DISTANCE", 10)
    kernel = compile_graph(graph)
    assert kernel.plan.ahead
    assert all(same_bits(a, b) for a, b in zip(plain[:2], run(kernel, graph, numbers)[:2], strict=True))


def test_small_graphs_do_not_fetch(draw):
    assert not schedule(draw(0, outputs=60)[0]).ahead
