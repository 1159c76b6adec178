from chainrule import Value
from chainrule.draw import draw
from chainrule.draw.graph import one_by_one, trace
from chainrule.draw.text import LINES, render_text
from chainrule.draw.theme import columns


def test_the_lectures_neuron(neuron):
    assert (
        draw(neuron).text
        == """\
                           data      grad    local
o = tanh                 0.7071    1.0000
└─ n = +                 0.8814    0.5000      0.5
   ├─ x1w1 + x2w2 = +   -6.0000    0.5000        1
   │  ├─ x1w1 = *       -6.0000    0.5000        1
   │  │  ├─ x1           2.0000   -1.5000       -3
   │  │  └─ w1          -3.0000    1.0000        2
   │  └─ x2w2 = *        0.0000    0.5000        1
   │     ├─ x2           0.0000    0.5000        1
   │     └─ w2           1.0000    0.0000        0
   └─ b                  6.8814    0.5000        1"""
    )


def test_without_numbers(neuron):
    assert draw(neuron, numbers=False).text.splitlines()[:3] == ["o = tanh", "└─ n = +", "   ├─ x1w1 + x2w2 = +"]


def test_where_no_derivative_flows():
    text = draw(Value(2.0, "x") > 1.0).text
    assert (
        text
        == """\
                 data      grad    local
>              1.0000  none yet
├─ x           2.0000  none yet        –
└─ constant    1.0000                  –"""
    )


def test_columns_stay_when_numbers_change():
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = x * w
    seen = set()
    for number in (2.0, -0.5, -12.3456, 1.5e-7, 0.0):
        x.data = number
        y.refresh()
        y.backward()
        seen.add(tuple(map(len, draw(y).text.splitlines())))  # the last column is flush right
    assert len(seen) == 1


def test_several_roots():
    a = Value(2.0, "a")
    assert (
        draw([a * 3, a]).text
        == """\
                 data      grad    local
*              6.0000  none yet
├─ #1 a        2.0000  none yet        3
└─ constant    3.0000                  –"""
    )


def test_every_node_is_written_out_once_even_in_a_deep_graph():
    x = node = Value(0.5, "x")
    for i in range(40):
        node = node.tanh()
        node.label = f"step {i}"
    lines = draw(node * x, fold=False).text.splitlines()
    for i in range(40):
        written = [line for line in lines if f"step {i} " in line and "↓" not in line and "↑" not in line]
        assert len(written) == 1
    assert not any("not shown" in line for line in lines)
    assert max(map(columns, lines)) <= 80


def test_a_long_graph_is_cut_and_says_so():
    node = Value(0.5)
    for _ in range(1000):
        node = node.tanh()
    lines = draw(node, fold=False).text.splitlines()
    assert len(lines) == 1 + LINES + 1
    written = sum("↓" not in line for line in lines[1:-1])
    assert lines[-1] == f"… {1001 - written} of 1,001 nodes not shown"


def test_the_line_limit_is_exact():
    graph = one_by_one(trace([Value(1.0) * Value(2.0)]))
    assert "not shown" not in render_text(graph, lines=3)
    assert render_text(graph, lines=2).endswith("… 1 of 3 nodes not shown")


def test_a_folded_graph_counts_nodes_and_not_boxes():
    total = sum((Value(0.1).tanh() for _ in range(100)), Value(0.0))
    text = draw(total, fold=True).text
    assert "100 × [tanh]" in text
    assert "not shown" not in text


def test_names_give_way_to_numbers():
    y = Value(1.5e-300, "a name that is much too long for a terminal of eighty columns, whatever comes behind it") * 3
    lines = draw(y).text.splitlines()
    assert max(map(columns, lines)) <= 80
    assert "1.50e-300" in lines[2]
    assert "…" in lines[2]


def test_wide_characters_take_two_columns():
    y = Value(1.0, "学习率") * Value(2.0, "rate")
    lines = draw(y).text.splitlines()
    assert len({columns(line) for line in lines[2:]}) == 1


def test_control_characters_do_not_reach_the_terminal():
    text = draw(Value(1.0, "red\x1b[31m\nnext")).text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2
