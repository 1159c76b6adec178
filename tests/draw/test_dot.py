import re

from chainrule import Value
from chainrule.draw import draw


def test_a_small_graph():
    x = Value(2.0, "x")
    y = x * 3.0 + x
    y.label = "y"
    y.backward()
    assert (
        draw(y).dot
        == """\
digraph chainrule {
  rankdir=LR;
  node [shape=record, style="rounded,filled", fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=10, color="#8b97a6"];
  n0 [label="x | data 2.0000 | grad 4.0000", fillcolor="#eef4fd", color="#7aa2dc"];
  n1 [label="data 3.0000", fillcolor="#f5f6f8", color="#b9c1cb"];
  n2 [label="* | data 6.0000 | grad 1.0000", fillcolor="#ffffff", color="#8b97a6"];
  n3 [label="+ | y | data 8.0000 | grad 1.0000", fillcolor="#effaf3", color="#55b07e"];
  n0 -> n2 [label="3"];
  n1 -> n2 [style=dashed];
  n2 -> n3 [label="1"];
  n0 -> n3 [label="1"];
}
"""
    )


def test_without_numbers():
    dot = draw(Value(2.0) * Value(3.0, "b"), numbers=False, direction="down").dot
    assert "rankdir=TB" in dot
    assert '[label="leaf"' in dot
    assert '[label="b"' in dot
    assert "n0 -> n2;" in dot


def test_signs_that_mean_something_in_records_are_escaped():
    label = 'a|b{c}<d>"e"\\f\ng & h'
    line = next(line for line in draw(Value(1.0, label)).dot.splitlines() if line.startswith("  n0"))
    assert r"a\|b\{c\}\<d\>\"e\"\\f\ng &amp; h | data" in line
    quoted = re.fullmatch(r'  n0 \[label="((?:[^"\\]|\\.)*)", .*\];', line)
    assert quoted
    assert not re.search(r"(?<!\\)[{}<>]", quoted[1])
