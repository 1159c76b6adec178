import copy
import math
import pickle
import random

import pytest

import chainrule
from chainrule import Value, operation
from chainrule.errors import ArgumentError, GraphError, OperandError
from chainrule.explain import explain


def neuron():
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    return chainrule.tanh(x1 * w1 + x2 * w2 + b)


NEURON = """\
The forward pass: the numbers, from the inputs to y
  inputs: x1 = 2, w1 = -3, x2 = 0, w2 = 1, b = 6.88137
  n1 = x1*w1 = 2*(-3) = -6
  n2 = x2*w2 = 0*1 = 0
  n3 = n1 + n2 = -6 + 0 = -6
  n4 = n3 + b = -6 + 6.88137 = 0.881374
  y = tanh(n4) = tanh(0.881374) = 0.707107

The backward pass: the chain rule, from y back to the inputs
  The .grad of a number is the derivative of y with respect to it: how fast y
  changes with it. Each operation takes the .grad of its result, which came from
  upstream, and hands on to each operand: upstream × local derivative. What
  arrives at a number several times is added up.

  Start at y itself: y.grad = dy/dy = 1

  1. y = tanh(n4), upstream y.grad = 1
       dy/dn4 = 1 - y*y = 1 - 0.707107*0.707107 = 0.5    n4.grad = 1 × 0.5 = 0.5

  2. n4 = n3 + b, upstream n4.grad = 0.5
       dn4/dn3 = 1    n3.grad = 0.5 × 1 = 0.5
       dn4/db = 1     b.grad = 0.5 × 1 = 0.5

  3. n3 = n1 + n2, upstream n3.grad = 0.5
       dn3/dn1 = 1    n1.grad = 0.5 × 1 = 0.5
       dn3/dn2 = 1    n2.grad = 0.5 × 1 = 0.5

  4. n2 = x2*w2, upstream n2.grad = 0.5
       dn2/dx2 = w2 = 1    x2.grad = 0.5 × 1 = 0.5
       dn2/dw2 = x2 = 0    w2.grad = 0.5 × 0 = 0

  5. n1 = x1*w1, upstream n1.grad = 0.5
       dn1/dx1 = w1 = -3    x1.grad = 0.5 × (-3) = -1.5
       dn1/dw1 = x1 = 2     w1.grad = 0.5 × 2 = 1

The derivatives of y with respect to the inputs
  x1.grad = -1.5
  w1.grad = 1
  x2.grad = 0.5
  w2.grad = 0
  b.grad = 0.5

  In words: if x1 grows by 0.001, y changes by about -0.0015."""


def test_the_neuron_of_the_lecture():
    told = explain(neuron())
    assert str(told) == repr(told) == NEURON
    assert told.derivatives == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5}, abs=1e-15)


def steps(root, **options):
    """The text of the backward pass, without its introduction and the summary."""
    return str(explain(root, **options)).split("dy/dy = 1\n\n")[1].split("\n\nThe derivatives")[0]


def test_a_neuron_as_one_weighted_sum():
    w, x = [Value(-3.0, "w1"), Value(1.0, "w2")], [Value(2.0, "x1"), Value(0.0, "x2")]
    text = str(explain(chainrule.weighted_sum(w, x, Value(6.5, "b"))))
    assert "  y = b + w1*x1 + w2*x2 = 6.5 + (-3*2) + 1*0 = 0.5\n" in text
    assert (
        """\
  1. y = b + w1*x1 + w2*x2, upstream y.grad = 1
       dy/db = 1           b.grad = 1 × 1 = 1
       dy/dw1 = x1 = 2     w1.grad = 1 × 2 = 2
       dy/dx1 = w1 = -3    x1.grad = 1 × (-3) = -3
       dy/dw2 = x2 = 0     w2.grad = 1 × 0 = 0
       dy/dx2 = w2 = 1     x2.grad = 1 × 1 = 1
"""
        in text
    )


def test_what_arrives_several_times_is_added_up():
    a = Value(3.0, "a")
    text = str(explain(a**2 + a * 5.0))
    assert "a.grad = 1 × 5 = 5\n" in text
    assert "a.grad = 5 + 1 × 6 = 5 + 6 = 11\n" in text
    assert text.rsplit("inputs\n", maxsplit=1)[-1].startswith("  a.grad = 5 + 6 = 11\n")


def test_an_operand_that_stands_twice_has_two_local_derivatives():
    a = Value(3.0, "a")
    assert (
        steps(a * a)
        == """\
  1. y = a*a, upstream y.grad = 1
       dy/d(1st a) = a = 3    a.grad = 1 × 3 = 3
       dy/d(2nd a) = a = 3    a.grad = 3 + 1 × 3 = 3 + 3 = 6"""
    )


def test_select_and_comparisons_let_nothing_flow_to_the_condition():
    x = Value(0.0, "x")
    text = steps(chainrule.select(x > 0, chainrule.sqrt(x), x * 2.0))
    assert "nothing flows to n1: a small change of n1 leaves y as it is\n" in text
    assert "2. n3 = x*2, upstream n3.grad = 1\n       dn3/dx = 2    x.grad = 1 × 2 = 2\n" in text
    assert "n2 = sqrt(x), upstream n2.grad = 0\n       nothing to hand on: y does not change with n2\n" in text
    assert explain(chainrule.select(x > 0, chainrule.sqrt(x), x * 2.0)).derivatives == {"x": 2.0}


def test_plain_numbers_get_no_gradient():
    assert steps(Value(2.0, "x") + 1.0) == "  1. y = x + 1, upstream y.grad = 1\n       dy/dx = 1    x.grad = 1 × 1 = 1"


def test_numbers_that_are_not_finite_are_named_once():
    u = Value(-1.0, "u")
    text = str(explain(chainrule.log(u) * 2.0 + 1.0))
    assert text.count("is not a finite number") == 1
    assert "n1 = log(u) = log(-1) = nan\n    (n1 is not a finite number" in text
    assert "In words" not in text
    assert "x.grad = 1 × inf = inf" in str(explain(chainrule.sqrt(Value(0.0, "x"))))


def test_an_input_has_nothing_to_explain():
    expected = "x = 3 is an input: no operation made it.\n"
    assert str(explain(Value(3.0, "x"))).startswith(expected)
    assert explain(Value(3.0, "x")).derivatives == {"x": 1.0}


def test_inputs_without_influence_are_listed_with_zero():
    x, y = Value(3.0, "a"), Value(2.0, "b")
    assert explain(x * (y > 1.0)).derivatives == {"a": 1.0, "b": 0.0}


def test_gradients_and_the_watch_for_a_forgotten_zero_grad_are_left_alone(recwarn):
    x = Value(3.0, "x")
    y = x * x
    y.backward()
    before = x.peek_grad()
    str(explain(y))
    assert x.peek_grad() == before == 6.0
    x.data = 4.0  # would make the gradient a used one, had it been read
    y.refresh().backward()
    x.data = 5.0
    assert x.grad == 14.0
    assert not recwarn


def test_a_changed_number_is_refused_until_refresh():
    x, w = Value(3.0, "x"), Value(0.0, "w")
    y = x * w + 1.0
    x.data = 4.0  # y itself stays as it was, but the derivative by w does not
    with pytest.raises(GraphError, match=r"n1 = x\*w was calculated before one of its numbers was changed"):
        explain(y)
    assert explain(y.refresh()).derivatives == {"x": 0.0, "w": 4.0}


def test_a_large_graph_is_cut_with_a_line_that_says_so():
    y = x = Value(1.0, "x")
    for _ in range(100):
        y = y * 1.5
    text = str(explain(y, limit=2))
    assert "  ... 98 earlier operations not shown ...\n  n99 = n98*1.5" in text
    assert "  ... 98 further steps not shown (a larger limit shows more) ..." in text
    assert text.count("upstream n") == 1
    assert explain(y, limit=2).derivatives == {"x": 1.5**100}
    assert x.peek_grad() == 0.0


def test_many_operands_and_inputs_are_cut():
    w, x = [Value(float(i), f"w{i}") for i in range(100)], [Value(1.0, f"x{i}") for i in range(100)]
    text = str(explain(chainrule.weighted_sum(w, x), limit=3))
    assert "inputs: w0 = 0, x0 = 1, w1 = 1, and 197 more" in text
    assert "... and 188 more operands in the same way ..." in text
    assert "... and 197 more inputs ..." in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_many_ways_are_counted_in_the_summary():
    x = Value(2.0, "x")
    text = str(explain(chainrule.sum([x] * 30)))
    assert "  x.grad = 30  (the sum of 30 products)\n" in text


@pytest.mark.slow
def test_a_hundred_thousand_additions_are_explained_without_recursion():
    y = x = Value(1.0, "x")
    for _ in range(100_000):
        y = y + x
    assert explain(y).derivatives == {"x": 100_001.0}


def test_an_operation_of_ones_own_is_explained(own_operations):
    @operation(local=lambda x, y: 3 * x * x)
    def cube(x):
        return x * x * x

    @operation(local=lambda x, y: math.cos(x))
    def sine(x):
        return math.sin(x)

    x = Value(2.0, "x")
    assert "dy/dx = 3*x*x = 3*2*2 = 12    x.grad = 1 × 12 = 12" in str(explain(cube(x)))
    assert "dy/dx = -0.416147    x.grad = 1 × (-0.416147) = -0.416147" in str(explain(sine(x)))


def test_labels_are_names():
    x = Value(2.0, "x")
    h = x * 3.0
    h.label = "h"
    loss = h * h
    loss.label = "loss"
    text = str(explain(loss))
    assert "  h = x*3 = 2*3 = 6\n  loss = h*h = 6*6 = 36\n" in text
    assert "loss.grad = dloss/dloss = 1" in text


def test_the_gradients_are_those_of_backward():
    rng = random.Random(1)
    leaves = [Value(rng.uniform(-2, 2), f"x{i}") for i in range(5)]
    values = list(leaves)
    for _ in range(60):
        a, b = rng.choice(values), rng.choice(values)
        values.append(rng.choice([a + b, a * b, a - b, a.tanh(), chainrule.max(a, b), a.relu()]))
    root = chainrule.sum(values)
    actual = explain(root).derivatives
    root.backward()
    assert actual == {leaf.label: leaf.grad for leaf in leaves}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: explain(3.0), OperandError, "explain needs a Value but got the float 3.0"),
        (lambda: explain(Value(1.0), limit=0), ArgumentError, "cannot show 0 operations"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_an_explanation_may_be_copied_and_pickled(again):
    told = explain(neuron() * 3.0 + 1.0)
    actual = again(told)
    assert str(actual) == str(told)
    assert actual.derivatives == told.derivatives
    assert str(again(actual)) == str(told)


def test_an_explanation_of_earlier_numbers_is_refused_when_it_is_pickled():
    x = Value(2.0)
    told = explain(x * x)
    x.data = 3.0
    with pytest.raises(GraphError, match="refresh"):
        pickle.dumps(told)
