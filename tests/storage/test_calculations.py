"""A result has the number and the local derivatives that its operation's record says, to the bit."""

from __future__ import annotations

from fractions import Fraction

import pytest

from chainrule import Value, operation
from chainrule.core.operation import TABLE, forget
from chainrule.core.packing import Row
from chainrule.errors import OperandError

SPECIAL = [0.0, -0.0, 1.0, -2.5, float("inf"), float("-inf"), float("nan"), 5e-324, 1e308]
NAMES = [name for name, op in TABLE.items() if op.samples]


def points(op):
    """The samples of an operation, and each of them with a special number in one place."""
    for sample in op.samples:
        yield sample
        for i in range(len(sample)):
            yield from [(*sample[:i], x, *sample[i + 1 :]) for x in SPECIAL]


@pytest.mark.parametrize("name", NAMES)
def test_number_and_local_derivatives_are_those_of_the_record(name):
    op = TABLE[name]
    for point in points(op):
        numbers = [float(x) for x in point]
        node = op.on([Value(x) for x in numbers])
        y = float(op.value(*numbers))
        assert repr(node.data) == repr(y), point
        row = Row(numbers) if op.operand_names is None else numbers
        slopes = [op.slope(i, row, y) if op.flows(i) else None for i in range(len(numbers))]
        assert list(map(repr, node.locals)) == list(map(repr, slopes)), point


@pytest.mark.parametrize("name", NAMES)
def test_constants_have_no_local_derivative(name):
    op = TABLE[name]
    for i in range(len(op.samples[0])):
        operands = [Value(x) if k == i else x for k, x in enumerate(op.samples[0])]
        node = op.on(operands)
        assert [local is None for local in node.locals] == [k != i or not op.flows(i) for k in range(len(operands))]


@pytest.fixture(params=[1, 2, 3, None], ids=["one operand", "two", "three", "any number"])
def defined(request):
    """A function that defines an operation of one's own, `mine`, of some number of operands, and calls it."""
    names = []

    def define(value, local):
        count = request.param
        arguments = "*xs" if count is None else ", ".join("abc"[:count])
        place = {"value": value}
        exec(f"def mine({arguments}): return value({arguments})", place)
        each = (lambda i, xs, y: local()) if count is None else [lambda *xs: local()] * count
        names.append(operation(local=each)(place["mine"]).name)
        return TABLE["mine"].on([Value(float(i)) for i in range(count or 4)])

    yield define
    for name in dict.fromkeys(names):
        forget(name)


@pytest.mark.parametrize("given", [2, True, Fraction(1, 2)])
def test_numbers_of_other_kinds_become_floats(defined, given):
    node = defined(lambda *xs: given, lambda: given)
    assert [node.data, *node.locals] == [float(given)] * (1 + len(node.operands))
    assert {type(x) for x in (node.data, *node.locals)} == {float}


def test_what_is_no_number_is_refused_by_name(defined):
    with pytest.raises(OperandError, match=r"^mine needs real numbers but got the str 'x'"):
        defined(lambda *xs: "x", lambda: 1.0)
    with pytest.raises(OperandError, match=r"^the local derivative of mine needs real numbers but got the str 'x'"):
        defined(lambda *xs: 1.0, lambda: "x")


def test_an_operation_that_is_defined_anew_is_the_one_that_counts(defined):
    before = defined(lambda *xs: 1.0, lambda: 2.0)
    after = defined(lambda *xs: 3.0, lambda: 4.0)
    assert (before.data, set(before.locals)) == (1.0, {2.0})
    assert (after.data, set(after.locals)) == (3.0, {4.0})
    assert (before.refresh().data, set(before.locals)) == (1.0, {2.0})


def test_a_local_derivative_of_none_adds_nothing(defined):
    node = defined(lambda *xs: 1.0, lambda: None)
    node.backward()
    assert [x.grad for x in node.operands] == [0.0] * len(node.operands)
