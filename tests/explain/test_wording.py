from chainrule import Value
from chainrule.engine import topological_order
from chainrule.explain.wording import counted, cut, derivative, equation, names_of, side_by_side, wrapped


def names(root):
    order = topological_order(root)
    named = names_of(order)
    return [named[id(node)] for node in order]


def test_names_are_labels_or_letters_in_order():
    a, b = Value(2.0, "a"), Value(3.0)
    c = a * b
    c.label = "n1"
    assert names((c + 1.0) * (b - a)) == ["a", "v1", "n1", "1", "n2", "n3", "y"]


def test_names_are_told_apart():
    w1, w2, w3, y = Value(1.0, "w"), Value(2.0, "w"), Value(3.0, "w_2"), Value(4.0, " y\n1 ")
    assert names(w1 + w2 + w3 + y) == ["w", "w_2", "n1", "w_2_2", "n2", "y 1", "y"]
    assert names(Value(1.0, "y") * Value(2.0, "out")) == ["y", "out", "out_2"]


def test_many_equal_labels_take_no_quadratic_time():
    total = Value(0.0, "w")
    for _ in range(20_000):
        total = total + Value(1.0, "w")
    assert len(set(names(total))) == 40_001


def test_a_plain_number_is_its_own_name():
    x = Value(2.0, "x")
    assert names(x * 0.1) == ["x", "0.1", "y"]
    assert names(Value(2.0)) == ["v1"]


def test_derivatives_of_names_that_are_not_one_word_have_parentheses():
    assert derivative("y", "x_1") == "dy/dx_1"
    assert derivative("loss", "layers.0.w") == "dloss/d(layers.0.w)"


def test_counted():
    assert [counted(n, "step") for n in (0, 1, 1234)] == ["0 steps", "1 step", "1,234 steps"]


def test_a_long_formula_keeps_its_ends():
    text = " + ".join([f"w{i}*x{i}" for i in range(100)])
    assert cut(text, 40) == "w0*x0 + w1*x1 + … + w98*x98 + w99*x99"
    assert cut("short enough", 40) == "short enough"
    assert cut("onelongword" * 10, 40) == "onelongword" * 10


def test_equations_break_before_an_equals_sign():
    parts = ["y", "a" * 30, "a" * 30, "b" * 30, "", "4"]
    assert list(equation("  ", parts)) == [f"  y = {'a' * 30} = {'b' * 30} = 4"]
    parts = ["y", "a" * 50, "b" * 50]
    assert list(equation("  ", parts)) == [f"  y = {'a' * 50}", f"      = {'b' * 50}"]


def test_parts_stand_side_by_side_where_they_fit():
    assert list(side_by_side("1. ", ["a", "b"])) == ["1. a, b"]
    assert list(side_by_side("1. ", ["a" * 50, "b" * 50])) == ["1. " + "a" * 50, "   " + "b" * 50]


def test_wrapped_text_keeps_a_name_with_its_number():
    lines = list(wrapped("inputs: ", ", ".join([f"x{i} = {i}" for i in range(20)])))
    assert all(len(line) <= 80 for line in lines)
    assert all(line.count("=") == line.count("x") for line in lines)
    assert [line[:8] for line in lines] == ["inputs: "] + [" " * 8] * (len(lines) - 1)
