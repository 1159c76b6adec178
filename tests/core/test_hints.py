"""Which function was called where Python asks a Value for a float: it is told from the caller's own line."""

from __future__ import annotations

import math
import statistics
import sys
from fractions import Fraction
from math import sin as sine
from types import SimpleNamespace

import pytest

from chainrule import Value, compile, ops
from chainrule.core.instructions import called, found
from chainrule.core.operation import TABLE
from chainrule.errors import OperandError

V = Value(0.5)
ANY = "say chainrule.exp(v), not math.exp(v), or take the number alone, v.data"


class Holder:
    tanh = math.tanh

    def __init__(self):
        self.functions = [math.tanh]
        self.f = math.tanh

    def of(self, v):
        return math.tanh(v)


def generated():
    yield math.tanh(V)


def shadowed(math):
    return math.tanh(V)


class Math:
    tanh = staticmethod(sine)


TANH = "say chainrule.tanh(v), not math.tanh(v)"
ASKED = {
    "in a module": (lambda: math.tanh(V), TANH),
    "in a method": (lambda: Holder().of(V), TANH),
    "in a comprehension": (lambda: [math.tanh(v) for v in [V]], TANH),
    "in a generator": (lambda: list(generated()), TANH),
    "over several lines": (
        lambda: math.tanh(
            V * 2 if V else V,
        ),
        TANH,
    ),
    "of a result": (lambda: math.tanh(math.tanh(0.1) * V), TANH),
    "of a star": (lambda: math.atan2(*[V, V]), "say chainrule.atan2("),
    "by another name": (lambda: sine(V), "say chainrule.sin(v), not math.sin(v)"),
    "text": (lambda: exec("import math as m\nm.tanh(v)", {"v": V}), TANH),
    "an attribute": (lambda: Holder().f(V), ANY),
    "an item": (lambda: Holder().functions[0](V), ANY),
    "another's module": (lambda: shadowed(Math), ANY),
    "out of sight": (lambda: list(map(math.tanh, [V])), ANY),
    "a float": (lambda: float(V), "go on with v itself, or take the number alone, v.data"),
    "a float within": (lambda: math.tanh(float(V)), "go on with v itself"),
    "a text": (lambda: "%.1f" % V, 'say f"{v:.2f}", or "%.2f" % v.data'),  # noqa: UP031
    "a text of a product": (lambda: "%.1f" % (2 * V * math.tanh(1.0)), 'say f"{v:.2f}", or "%.2f" % v.data'),
    "a library": (lambda: statistics.fmean([V]), "statistics.fmean knows plain numbers alone: give it v.data, or ["),
    "a library's class": (lambda: Fraction.from_float(V), ""),
}


@pytest.mark.parametrize("what", ASKED)
def test_the_words_are_those_for_what_was_called(what):
    ask, words = ASKED[what]
    with pytest.raises((OperandError, TypeError)) as caught:
        ask()
    assert words in str(caught.value)


def test_every_function_of_math_that_is_an_operation_is_named():
    shared = [name for name, op in TABLE.items() if hasattr(math, name) and op.operand_names and op.built_in]
    assert {"exp", "tanh", "sqrt", "pow", "atan2"} <= {*shared}
    for name in shared:
        operands = ", ".join("v" for _ in TABLE[name].operand_names)
        with pytest.raises((OperandError, TypeError)) as caught:
            exec(f"math.{name}({operands})", {"math": math, "v": V})
        if isinstance(caught.value, OperandError):  # erf and the like of Python ask in other ways
            assert f"chainrule.{name}(" in str(caught.value)


def test_a_value_that_is_not_asked_costs_no_look(monkeypatch):
    monkeypatch.setattr("chainrule.core.hints.caller", lambda: pytest.fail("somebody looked"))
    assert ops.tanh(V).data == math.tanh(0.5)
    assert f"{V:.2f}" == "0.50"


def test_in_a_compiled_function_no_number_is_offered():
    pytest.importorskip("llvmlite")
    for f in (math.tanh, float, round, lambda x: "%f" % x, statistics.fmean, math.gamma):  # noqa: UP031
        with pytest.raises(OperandError) as caught:
            compile(lambda x, f=f: f([x] if f is statistics.fmean else x))(1.0)
        assert "v.data)" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("here(1)", ("here",)),
        ("a.here(1)", ("a", "here")),
        ("a.b.here(1, 2)", ("a", "b", "here")),
        ("[a][0].here()", ("", "here")),
        ("(lambda: a)().here()", ("", "here")),
        ("[here][0](1)", ()),
    ],
)
def test_a_callee_has_its_name_part_by_part(text, name):
    names = []

    def here(*_):
        frame = sys._getframe(1)
        names.append(called(frame.f_code, frame.f_lasti))

    a = SimpleNamespace(here=here, b=SimpleNamespace(here=here))
    exec(text, {"a": a, "here": here})
    assert names == [name]


def test_a_name_is_looked_up_through_modules_alone():
    frame = sys._getframe()
    assert found(frame, ("math", "tanh")) is math.tanh
    assert found(frame, ("Holder", "tanh")) is None
    assert found(frame, ("len",)) is len
    assert found(frame, ("no_such_name",)) is None
    assert found(frame, ()) is None
    assert found(frame, ("", "index")) is None
