"""Operations written by a closure, as in micrograd: the error has the user's own operation, as chainrule has it."""

from __future__ import annotations

import math
import pickle
import runpy

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


class Named(Value):
    """The same by name."""

    def __init__(self, data, _children=(), _op=""):
        super().__init__(data, _children=_children, _op=_op)


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
    leaves = [Value(2.0, ()), Value(2.0, (), ""), Value(2.0, []), Own(2.0), Named(2.0), Value(2.0, None)]
    leaves += [Value(2.0, label=None), Value(2.0, (), "", None), Value(2.0, None, None, None), Value(2.0, _op=None)]
    for leaf in leaves:
        assert (leaf.data, leaf.label, leaf.is_leaf()) == (2.0, "", True)
    named = [Value(2.0, (), "", "x"), Value(2.0, _children=(), _op="", label="x"), Value(2.0, "x", _children=set())]
    assert [leaf.label for leaf in named] == ["x", "x", "x"]


def test_an_operation_without_operands_is_the_name_of_a_leaf():
    leaves = Value(2.0, (), "weight"), Value(2.0, _op="weight"), Value(2.0, (), "input", "weight")
    assert [(leaf.label, leaf._op, leaf.is_leaf()) for leaf in leaves] == [("weight", "", True)] * 3


@pytest.mark.parametrize(
    "call",
    [
        lambda x: Value(1.0, _children=(x,), _op="twice"),
        lambda x: Value(1.0, {x}),
        lambda x: Value(1.0, (), "tanh"),
        lambda x: Value(1.0, _op="+"),
        lambda x: Value(1.0, "label", (x,), "twice"),
        lambda x: Value(1.0, (), "", "label", (x,)),
        lambda x: Value(1.0, (), 5),
    ],
)
def test_a_result_is_not_made_from_outside(call):
    with pytest.raises(ReadOnlyError, match="is a leaf"):
        call(Value(1.0))


@pytest.mark.parametrize("call", [lambda: Value(1.0, 3), lambda: Value(1.0, 2.0, ""), lambda: Value(1.0, (), "", 5)])
def test_a_label_of_another_kind_is_refused(call):
    with pytest.raises(OperandError, match="a label is a str"):
        call()


MODULE = """
import math
from chainrule import Value
values = [Value(0.5)]
for x in values:
    inner = 1.0 + math.exp(x.data)
    out = Value(math.log(inner), (x,), "soft_plus")
    def _backward():
        x.grad += 1.0 / (1.0 + math.exp(-x.data)) * out.grad
    out._backward = _backward
"""


def test_an_operation_written_in_a_module_is_shown_as_well(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(MODULE)
    with pytest.raises(ReadOnlyError) as caught:
        runpy.run_path(str(path))
    said = str(caught.value)
    assert "lambda x, y: 1.0 / (1.0 + chainrule.exp(-x))" in said
    assert "def soft_plus(x):\n        return chainrule.log(1.0 + chainrule.exp(x))" in said


# ---- what changes nothing is let pass --------------------------------------------------------------------------------


def nothing():
    pass


def test_no_closure_is_taken_away():
    x = Value(2.0)
    y = x * x
    y._backward = x._backward = None
    x._backward, x._prev, x._children, x._op = nothing, set(), (), ""
    del y._backward
    assert pickle.loads(pickle.dumps(y)).data == 4.0
    y.backward()
    assert x.grad == 4.0


@pytest.mark.parametrize("name", ["_prev", "_children", "_local_grads", "_op", "operands", "op"])
@pytest.mark.parametrize("x", [None, (), "delete"])
def test_a_result_stays_what_it_is(name, x):
    y = Value(2.0) * 3.0
    with pytest.raises(ReadOnlyError, match=r"(?s)leave the line out.*pickle\.dumps\(v\) works.*v\.detach\(\)"):
        delattr(y, name) if x == "delete" else setattr(y, name, x)


@pytest.mark.parametrize("function", [lambda: None, nothing])
def test_the_step_of_a_result_is_not_taken_away_by_a_function_that_does_nothing(function):
    with pytest.raises(ReadOnlyError, match=r"v\.detach\(\)"):
        (Value(2.0) * 3.0)._backward = function
    with pytest.raises(ReadOnlyError, match="chainrule has it"):
        Value(2.0)._backward = lambda: 5
