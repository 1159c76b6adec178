"""Operations written by a closure, as in micrograd: the error has the user's own operation, as chainrule has it."""

from __future__ import annotations

import math

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import OperandError, ReadOnlyError


class Own(Value):
    """A class with more operations, as programs for micrograd have it."""

    def __init__(self, data, _children=(), _op=""):
        super().__init__(data, _children, _op)

    def softsign(self):
        t = abs(self.data)
        out = Own(self.data / (1 + t), (self,), "softsign")

        def _backward():
            self.grad += out.grad / (1 + t) ** 2

        out._backward = _backward
        return out


def blend(a, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(a.data * math.exp(other.data), (a, other), "blend")

    def _backward():
        a.grad += math.exp(other.data) * out.grad
        other.grad += out.data * out.grad

    out._backward = _backward
    return out


def square_after(v):
    out = Value(v.data**2)

    def _backward():
        v.grad += -(2 * v.data) * out.grad

    out._backward = _backward
    return out


def cube(x):
    return Value(x.data**3, (x,), "cube")


def unseen(x):
    out = Value(pick(x), {x})
    out._backward = lambda: None
    return out


WRITTEN = [
    (lambda: Own(2.0).softsign(), "softsign", ["1.0 / (1 + abs(x)) ** 2"], "x / (1 + abs(x))"),
    (lambda: blend(Value(2.0), 3.0), "blend", ["chainrule.exp(b)", "y"], "a * chainrule.exp(b)"),
    (lambda: square_after(Value(3.0)), "square_after", ["-(2 * x)"], "x ** 2"),
    (lambda: cube(Value(3.0)), "cube", ["..."], "x ** 3"),
    (lambda: unseen(Value(3.0)), "unseen", ["..."], "pick(x)"),
]


def pick(x):
    return x.data


@pytest.mark.parametrize(("call", "name", "slopes", "value"), WRITTEN, ids=[name for _, name, *_ in WRITTEN])
def test_the_error_has_the_user_s_own_operation(call, name, slopes, value):
    with pytest.raises(ReadOnlyError) as caught:
        call()
    operands = "x" if len(slopes) == 1 else "a, b"
    local = ", ".join(f"lambda {operands}, y: {slope}" for slope in slopes)
    local = local if len(slopes) == 1 else f"[{local}]"
    code = f"    @chainrule.operation(local={local})\n    def {name}({operands}):\n        return {value}"
    assert code in str(caught.value)


def test_the_code_of_the_error_runs_and_its_derivatives_are_right():
    for call, name, slopes, _ in WRITTEN[:3]:
        with pytest.raises(ReadOnlyError) as caught:
            call()
        lines = [line[4:] for line in str(caught.value).splitlines() if line.startswith("    ")]
        made = {"chainrule": chainrule}
        exec("\n".join(lines), made)
        try:
            point = [0.5] * len(slopes)
            right = chainrule.check_gradients(made[name], point, order=1).ok
            assert right == (name != "square_after")  # which has a wrong sign, in the closure as well
        finally:
            chainrule.core.operation.forget(name)


def test_what_is_in_the_table_is_named():
    with pytest.raises(ReadOnlyError, match=r"already: chainrule\.tanh\(x\)"):
        Value(0.5, (Value(1.0),), "tanh")
    with pytest.raises(ReadOnlyError, match=r"already: chainrule\.add\(a, b\)"):
        Value(0.5, (Value(1.0), Value(1.0)), "+")


def test_code_without_text_gets_an_example():
    with pytest.raises(ReadOnlyError, match=r"def cube\(x\)"):
        exec("Value(1.0, (Value(1.0),), '!')", {"Value": Value})


def test_the_empty_operands_of_a_leaf_are_no_operands():
    for leaf in (Value(2.0, ()), Value(2.0, (), ""), Value(2.0, []), Own(2.0)):
        assert (leaf.data, leaf.label, leaf.is_leaf()) == (2.0, "", True)
    assert Value(2.0, (), "", "x").label == "x"


@pytest.mark.parametrize("call", [lambda: Value(1.0, 3), lambda: Value(1.0, 2.0, ""), lambda: Value(1.0, None)])
def test_a_label_of_another_kind_is_refused(call):
    with pytest.raises(OperandError, match="a label is a str"):
        call()


def test_names_of_other_engines_say_what_to_write():
    v = Value(1.0)
    with pytest.raises(AttributeError, match=r"chainrule\.logsumexp\(xs\)"):
        v.softmax([v])
    with pytest.raises(AttributeError, match=r"chainrule\.topological_order\(v\)"):
        v.topo()
    assert not hasattr(v, "softmax")
