"""explain() and the graph: what became of a function, with the user's own lines."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import errors
from chainrule.compiler.pipeline import Wanted, passes
from chainrule.nn import MLP


def payoff(s, k):
    if s > k:
        return 3.0 * (s - k)
    return 0.0 * s


def test_before_the_first_call_there_is_nothing_to_explain():
    f = chainrule.compile(payoff)
    with pytest.raises(errors.TraceError, match="call payoff once"):
        f.explain()
    with pytest.raises(errors.TraceError, match="call payoff once"):
        _ = f.graph


def test_the_report_names_branches_and_constants_with_their_lines():
    f = chainrule.compile(payoff)
    f.value_and_grad(120.0, 100.0)
    text = " ".join(f.explain().split())
    assert "payoff: value and derivatives 1 trace; this one: 3 operations on 2 numbers of arguments" in text
    assert "1 guard branch, 1 time: line " in text
    assert "test_report.py, if s > k" in text
    assert "3.0, in mul: line " in text
    assert "native code came from the cache" in text or "compiled in" in text
    assert max(len(line) for line in f.explain().splitlines() if "/" not in line) <= 100


def test_the_report_tells_of_loops():
    model = MLP(3, [8, 1], activation="tanh", seed=1)
    f = chainrule.compile(lambda x, y: (model(x) - y) ** 2, in_axes=0, reduce="mean")
    f.value_and_grad(np.ones((40, 3)), np.ones(40))
    text = f.explain()
    assert "statements, in loops over 3, 8" in text
    assert "vectors of " in text
    assert "samples, " in text
    assert "operations" in text
    assert "bytes" in text
    assert all(f"    {name} " in text for name in ("differentiate", "group", "loops", "native code"))


def test_the_report_prints_the_pipeline_with_what_each_pass_left():
    f = chainrule.compile(lambda xs: sum(x * x + 0.0 for x in xs))
    f.value_and_grad([1.0] * 300)
    lines = f.explain().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith("  compiled in ")]
    assert " by this pipeline" in lines[start]
    rows = [re.fullmatch(r"    (\D+?) +[\d.]+ ms(?: +([\d,]+ \w+))?", line) for line in lines[start + 1 :]]
    left = {row[1]: row[2] for row in rows}
    names = [one.name for one in passes(Wanted(1, (0,)))]
    assert list(left) == ["trace", *names[:2], "look for loops", *names[2:], "group", "loops", "native code"]
    assert left["trace"] == f"{len(f.graph.whole().splitlines()) - 1:,} nodes"
    assert left["differentiate"] == f"{len(f.graph.whole('differentiate').splitlines()) - 1:,} nodes"
    assert left["loops"] == f"{len(f.graph['loops'].splitlines())} statements"
    assert left["look for loops"] is left["group"] is left["native code"] is None


def test_arrays_of_constants_threads_and_the_time_of_the_trace():
    def wave(x):
        for i in range(40):
            x = x + chainrule.sin(x) * (0.5 + i)
        return x

    f = chainrule.compile(wave, in_axes=0, threads=2)
    f([0.1, 0.2])
    text = f.explain()
    assert "[40]: constants 0.5, 1.5, 2.5, …" in text
    assert "large batches are shared out among 2 threads" in text
    assert "    trace " in text


def test_the_graph_at_each_stage():
    model = MLP(3, [8, 1], activation="tanh", seed=1)
    f = chainrule.compile(lambda x, y: (model(x) - y) ** 2, in_axes=0, reduce="mean")
    f.value_and_grad(np.ones((40, 3)), np.ones(40))
    assert f.graph.stages[0] == "trace"
    assert f.graph.stages[-1] == "loops"
    assert "tanh" in str(f.graph)
    assert "Σ samples" in f.graph["differentiate"] or "batch_sum" in f.graph["differentiate"]
    assert "each lane" in f.graph["loops"]
    with pytest.raises(errors.ArgumentError, match="there are trace, "):
        _ = f.graph["fused"]


def test_many_constants_of_a_line_are_counted():
    f = chainrule.compile(lambda x: sum(x * (i + 0.5) for i in range(40)))
    f(1.0)
    assert "0.5, 1.5, 2.5, … (40 in all), in mul: line" in " ".join(f.explain().split())


def test_more_than_a_few_lines_with_constants_are_counted(tmp_path):
    file = tmp_path / "long.py"
    file.write_text("def long(x):\n" + "".join(f"    x = x * {i}.5\n" for i in range(20)) + "    return x\n")
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    f = chainrule.compile(names["long"])
    f(1.0)
    assert "… and of 8 more lines" in f.explain()


def test_the_report_tells_of_what_was_compiled_not_of_what_the_function_is_now():
    scale = [2.0]
    f = chainrule.compile(lambda x: x * scale[0] if x > 0 else x * 7.0)
    assert f(3.0) == 6.0
    scale[0] = 5.0
    assert f(3.0) == 6.0
    text = " ".join(f.explain().split())
    assert "2.0, 1 time, in mul" in text
    assert "the function has other ones now" in text
    assert "5.0," not in text  # as 2.0 above; a time may end in these digits


def test_the_branches_of_a_batch_are_those_of_one_path():
    def root(a):
        x = a
        while abs(x * x - a) > 1e-12 * a:
            x = (x + a / x) / 2
        return x

    f = chainrule.compile(root, in_axes=0)
    f([4.0, 1.0, 1000.0])
    text = " ".join(f.explain().split())
    guards = int(text.split(" guards")[0].split()[-1])
    assert f"branch, {guards} times" in text
