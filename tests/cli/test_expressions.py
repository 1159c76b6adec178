"""`chainrule draw`, `explain` and `check`."""

from __future__ import annotations

import math
import sys
from xml.etree import ElementTree

import pytest

from chainrule import Value, operation, ops
from chainrule.explain import explain
from chainrule.expression import parse

NEURON = ["tanh(x1*w1 + x2*w2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.8813735870195432"]


def derivatives(text):
    return {line.partition(".grad = ")[0]: float(line.partition(".grad = ")[2]) for line in text.splitlines()}


def test_the_lectures_neuron_is_explained(run):
    code, out, err = run("explain", *NEURON)
    assert (code, err) == (0, "")
    values = dict(word.split("=") for word in NEURON[1:])
    told = explain(parse(NEURON[0], {name: float(number) for name, number in values.items()}).root)
    assert out == f"{told}\n"
    assert "w1.grad" in out


def test_quiet_explanations_are_the_derivatives(run):
    code, out, err = run("explain", *NEURON, "--quiet")
    assert (code, err) == (0, "")
    assert derivatives(out) == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-x*y", "x=2", "y=-3"], {"x": 3.0, "y": -2.0}),
        (["--quiet", "-x", "x=-1e-3"], {"x": -1.0}),
        (["-(-x)", "x=1"], {"x": 1.0}),
        (["--", "-x**2", "x=3"], {"x": -6.0}),
        (["cos(a)", "a=pi/2"], {"a": -1.0}),
    ],
)
def test_minus_signs_in_front_are_no_options(run, words, expected):
    code, out, err = run("explain", *([] if "--quiet" in words else ["--quiet"]), *words)
    assert (code, err) == (0, "")
    assert derivatives(out) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2])
def test_a_right_derivative_passes(run, order):
    code, out, err = run("check", "sin(x)*exp(-y)", "x=1", "y=0.5", "--order", order)
    assert (code, err) == (0, "")
    assert "The chain rule is right: 2 first" in out
    assert ("second derivatives" in out) == (order == 2)
    assert run("check", "sin(x)*exp(-y)", "x=1", "y=0.5", "--order", order, "--quiet") == (0, "", "")


def test_a_wrong_derivative_fails_and_its_operation_is_named(run, own_operations):
    @operation(local=lambda x, y: 2 * x, samples=[(1.0,)])
    def cube(x):
        return x * x * x

    for quiet in ([], ["--quiet"]):
        code, out, err = run("check", "x + cube(x)", "x=2", *quiet)
        assert (code, err) == (1, "")
        assert "WRONG" in out
        assert "cube" in out


def test_a_function_with_no_derivative_there_fails(run):
    assert run("check", "log(x)", "x=-1").code == 1


def test_an_expression_without_variables(run):
    assert run("explain", "2*3").code == 0
    assert run("check", "2*3").code == 0


# ---- drawing ----


def test_the_graph_is_a_tree_on_the_terminal(run):
    code, out, err = run("draw", *NEURON)
    assert (code, err) == (0, "")
    for word in ("tanh", "x1", "w1", "-3", "0.7071", "0.5"):
        assert word in out


@pytest.mark.parametrize(
    ("ending", "library", "head"), [(".png", "resvg_py", b"\x89PNG"), (".pdf", "cairosvg", b"%PDF")]
)
def test_a_picture_for_slides(run, folder, monkeypatch, ending, library, head):
    try:
        pytest.importorskip(library)
    except OSError:
        pytest.skip("the system has no cairo")
    assert run("draw", "x*x", "x=3", "--out", f"g{ending}", "--quiet") == (0, "", "")
    assert (folder / f"g{ending}").read_bytes().startswith(head)
    monkeypatch.setitem(sys.modules, library, None)
    refused = run("draw", "x*x", "x=3", "--out", f"h{ending}")
    assert refused.code == 2
    assert "pip install 'chainrule[picture]'" in refused.err
    assert not (folder / f"h{ending}").exists()


@pytest.mark.parametrize("ending", [".svg", ".html", ".dot", ".txt"])
def test_the_graph_in_a_file(run, folder, ending):
    file = folder / f"graph{ending}"
    code, out, err = run("draw", *NEURON, "--out", file.name)
    assert (code, out) == (0, "")
    assert err == f"the graph is in graph{ending}\n"
    text = file.read_text()
    assert "tanh" in text
    assert "0.7071" in text
    if ending == ".svg":
        assert ElementTree.fromstring(text).tag.endswith("svg")
    assert [other.name for other in folder.iterdir()] == [file.name]


def test_gradients_are_drawn(run):
    root = parse("x*x", {"x": 3.0}).root
    root.backward()
    assert math.isclose(root.operands[0].grad, 6.0)
    assert "6" in run("draw", "x*x", "x=3").out


def test_a_drawing_is_replaced_only_by_force(run, folder):
    (folder / "g.svg").write_text("mine")
    assert run("draw", "x*x", "x=3", "--out", "g.svg").code == 2
    assert (folder / "g.svg").read_text() == "mine"
    assert run("draw", "x*x", "x=3", "--out", "g.svg", "--force", "--quiet") == (0, "", "")
    assert "<svg" in (folder / "g.svg").read_text()


def test_expand_writes_a_weighted_sum_out(run):
    words = ["weighted_sum([w1, w2], [x1, x2], b)", "w1=1", "w2=2", "x1=3", "x2=4", "b=5"]
    folded, expanded = run("draw", *words), run("draw", *words, "--expand")
    assert folded.code == expanded.code == 0
    assert "16" in folded.out
    assert "16" in expanded.out
    assert len(expanded.out.splitlines()) > len(folded.out.splitlines())


def test_expressions_leave_no_trace_in_values_of_the_program(run):
    x = Value(2.0, label="x")
    ops.tanh(x).backward()
    before = x.peek_grad()
    run("explain", "tanh(x)", "x=2")
    assert x.peek_grad() == before
