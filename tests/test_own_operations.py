"""Operations of the user's own: made by the decorator, they work as the built-in ones do, or are refused."""

from __future__ import annotations

import math
import re

import pytest

import chainrule
from chainrule import Value, operation
from chainrule.core.operation import TABLE, find, forget
from chainrule.errors import ArgumentError, OperandError


def cubic(**options):
    """The cube as an operation of the user's own."""

    @operation(local=lambda x, y: 3 * x * x, **options)
    def cube(x):
        """x³."""
        return x * x * x

    return cube


def test_an_own_operation_works_like_a_built_in_one(own_operations):
    cube = cubic(symbol="x³", samples=[(2.0,)])
    assert (cube(2.0), cube(2), cube(x=2.0)) == (8.0, 8.0, 8.0)
    assert (cube.name, cube.symbol, cube.operand_names, cube.samples) == ("cube", "x³", ("x",), [(2.0,)])
    assert TABLE["cube"] is find("cube") is cube
    x = Value(2.0)
    for y in (cube(x), x.cube()):
        x.grad = 0
        y.backward()
        assert (y.data, y.op, y._op, x.grad) == (8.0, cube, "x³", 12.0)
    assert "cube" in dir(x)
    assert "x³." in cube.__doc__


def test_an_own_operation_has_derivatives_of_any_order(own_operations):
    cube = cubic()
    grad = chainrule.grad
    assert [grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)] == [12.0, 12.0, 6.0]
    assert grad(grad(grad(grad(cube))))(2.0) == 0.0
    assert cube.symbol == cube.name == "cube", "where no symbol is given"


def test_a_name_of_other_engines_says_what_it_said_once_the_operation_is_forgotten(own_operations):
    x = Value(3.0)
    for _ in range(2):

        @operation(local=lambda x, y: 2 * x)
        def square(x):
            return x * x

        assert x.square().data == 9.0
    forget("square")
    with pytest.raises(AttributeError, match=re.escape("say v**2")):
        x.square()


def test_defining_it_again_replaces_it(own_operations):
    cubic()

    @operation(local=lambda x, y: 6 * x * x)
    def cube(x):
        return 2 * x * x * x

    x = Value(1.0)
    y = x.cube()
    y.backward()
    assert (y.data, x.grad, TABLE["cube"]) == (2.0, 6.0, cube)


def test_a_method_is_gone_when_the_new_definition_takes_a_list(own_operations):
    def of_one(x):
        return x

    def of_a_list(*xs):
        return math.fsum(xs)

    of_one.__name__ = of_a_list.__name__ = "total"
    operation(local=lambda x, y: 1.0)(of_one)
    assert Value(1.0).total().data == 1.0
    total = operation(local=lambda i, xs, y: 1.0, pack=list)(of_a_list)
    assert total([1.0, Value(2.0)]).data == 3.0
    assert not hasattr(Value(1.0), "total")


def test_several_operands_defaults_and_a_constant_one(own_operations):
    @operation(local=[lambda x, k, y: k, None])
    def scaled(x, k=10):
        return x * k

    x, k = Value(2.0), Value(3.0)
    assert scaled(2.0) == x.scaled().data == 20.0
    y = scaled(x, k)
    y.backward()
    assert (y.data, y.locals, x.grad, k.grad) == (6.0, (3.0, None), 3.0, 0.0)


def test_any_number_of_operands_with_and_without_a_list(own_operations):
    @operation(local=lambda i, xs, y: 2 * xs[i])
    def squares(*xs):
        return math.fsum(x * x for x in xs)

    @operation(local=lambda i, xs, y: 2 * xs[i], pack=list)
    def listed_squares(*xs):
        return math.fsum(x * x for x in xs)

    a, b = Value(2.0), Value(3.0)
    for y in (squares(a, b, 1.0), listed_squares([a, b, 1.0])):
        a.grad = b.grad = 0
        y.backward()
        assert (y.data, a.grad, b.grad) == (14.0, 4.0, 6.0)
    assert squares(1, 2) == listed_squares([1, 2]) == 5.0


def test_an_operand_that_can_only_be_named_is_refused(own_operations):
    with pytest.raises(ArgumentError, match="scaled"):

        @operation(local=[lambda x, k, y: k, lambda x, k, y: x])
        def scaled(x, *, k=2.0):
            return x * k

    assert "scaled" not in TABLE


def test_an_option_of_a_list_operation_arrives(own_operations):
    @operation(local=lambda i, xs, y: 1.0, pack=lambda values, *, start=0.0: [start, *values])
    def total(*xs):
        return math.fsum(xs)

    assert total([1.0, 2.0]) == 3.0
    assert total([1.0, Value(2.0)], start=5.0).data == 8.0


@pytest.mark.parametrize("name", ["tanh", "add", "sum", "weighted_sum", "select"])
def test_a_built_in_name_is_refused(own_operations, name):
    before = TABLE[name]

    def value(x):
        return x

    value.__name__ = name
    with pytest.raises(ArgumentError, match=f"{name} is a built-in operation already"):
        operation(local=lambda x, y: 1.0)(value)
    assert TABLE[name] is before


@pytest.mark.parametrize("name", ["data", "grad", "backward", "label", "op"])
def test_a_name_that_a_value_has_already_is_refused(own_operations, name):
    def value(x):
        return x

    value.__name__ = name
    with pytest.raises(ArgumentError, match=f"attribute '{name}' already"):
        operation(local=lambda x, y: 1.0)(value)
    assert name not in TABLE


def test_an_own_operation_can_be_forgotten_and_a_built_in_one_not(own_operations):
    cubic()
    forget("cube")
    assert "cube" not in TABLE
    assert not hasattr(Value(1.0), "cube")
    for name, words in (("cube", "no operation 'cube'"), ("tanh", "built-in")):
        with pytest.raises(ArgumentError, match=words):
            forget(name)
    assert Value(0.0).tanh().data == 0.0


@pytest.mark.parametrize("local", [[], [lambda a, b, y: b], lambda a, b, y: b, [None, None, None]])
def test_the_number_of_local_derivatives_must_fit(own_operations, local):
    with pytest.raises(ArgumentError, match=r"product has 2 operands but \d local derivatives.*each of a, b"):

        @operation(local=local)
        def product(a, b):
            return a * b

    assert "product" not in TABLE


def test_a_value_that_gives_no_number_is_refused_by_name(own_operations):
    @operation(local=lambda x, y: 1.0)
    def forgetful(x):
        x * x

    with pytest.raises(OperandError, match=r"forgetful needs real numbers but got the NoneType None.*return"):
        Value(1.0).forgetful()
