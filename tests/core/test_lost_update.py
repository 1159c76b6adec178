"""`p -= lr * p.grad` is warned about, and any other in-place operator is what it is without one."""

from __future__ import annotations

import itertools
import math
import warnings

import pytest

from chainrule import Value, grad, nn, no_grad, optim
from chainrule.errors import LostUpdateWarning


def trained():
    x = Value(3.0)
    (x * x).backward()
    return x


def counted(loop):
    """The lines, within the loop, of the warnings that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop()
    assert {warning.category for warning in caught} <= {LostUpdateWarning}
    return [warning.lineno - loop.__code__.co_firstlineno for warning in caught]


def test_an_update_of_a_name_is_warned_about_once_a_line():
    def loop():
        net = nn.MLP(2, [2, 1], seed=0)
        for _ in range(3):
            net([1.0, 2.0]).backward()
            for p in net.parameters():
                p -= 0.1 * p.grad  # noqa: PLW2901 - that is the mistake
            for p in net.parameters():
                p += -0.1 * p.grad  # noqa: PLW2901
            net.zero_grad()

    assert counted(loop) == [5, 7]
    assert counted(loop) == []


def test_the_warning_names_the_line_and_the_mended_code():
    x = trained()
    with pytest.warns(
        LostUpdateWarning, match=r"(?s)line \d+ of .*test_lost_update.py.*p\.data -= learning_rate \* p\.grad"
    ):
        x -= 0.1 * x.grad
    assert x.data == 3.0 - 0.1 * 6.0


def sums_and_differences():
    total = loss = Value(0.0)
    for v in (Value(1.0), trained()):
        total += v
        loss -= v * v
        total += 1.0
    loss.backward()
    loss -= 0.5 * loss.grad


def a_gradient_that_was_not_read():
    x = trained()
    x -= 0.1


def a_gradient_that_was_read_before_the_last_backward():
    x = trained()
    print(x.grad)
    (x * x).backward()
    x -= 0.1


def a_gradient_that_is_zero():
    x = Value(3.0)
    print(x.grad)
    x -= 0.1
    y = trained()
    print(y.grad)
    y.grad = 0.0
    y += 0.1


def an_update_of_the_number():
    x = trained()
    x.data -= 0.1 * x.grad
    x -= 0.1


def a_formula_with_another_value():
    x, y = trained(), trained()
    print(x.grad, y.grad)
    x -= y
    y += Value(2.0)


def other_operators():
    x = trained()
    print(x.grad)
    x *= 2.0
    x /= 2.0
    x -= 1.0


def a_step_of_an_optimizer():
    x = trained()
    optim.SGD([x], lr=0.1).step()
    x -= 0.1


def without_looking():
    x = trained()
    assert "grad=6.0" in repr(x)
    assert x.peek_grad() == 6.0
    x -= 0.1


RIGHT = [
    sums_and_differences,
    a_gradient_that_was_not_read,
    a_gradient_that_was_read_before_the_last_backward,
    a_gradient_that_is_zero,
    an_update_of_the_number,
    a_formula_with_another_value,
    other_operators,
    a_step_of_an_optimizer,
    without_looking,
]


@pytest.mark.parametrize("loop", RIGHT)
def test_what_is_no_update_stays_without_a_word(loop):
    assert counted(loop) == []


@pytest.mark.parametrize("recording", [True, False])
def test_the_operators_in_place_give_what_the_others_give(recording):
    numbers = [0.0, -0.0, 1.5, -2.0, math.inf, math.nan]
    for a, b in itertools.product(numbers, numbers):
        for other in (b, Value(b)):
            x = y = Value(a)
            with no_grad() if not recording else warnings.catch_warnings():
                x -= other
                y += other
                expected = [Value(a) - other, Value(a) + other]
            assert [repr(z) for z in (x, y)] == [repr(z) for z in expected]
            assert [z.operands != () for z in (x, y)] == [recording] * 2
    with pytest.raises(TypeError, match="sub needs real numbers"):
        x -= "a"


def test_derivatives_flow_through_operators_in_place():
    def f(x):
        total = x
        total -= 2.0 * x * x
        total += x
        return total

    assert grad(f)(3.0) == 2.0 - 12.0
    assert grad(grad(f))(3.0) == -4.0
