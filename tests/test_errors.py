"""The named exceptions, and the three helpers that word them."""

from __future__ import annotations

import inspect

import pytest

from chainrule import Value, check_gradients, draw, errors, explain, nn
from chainrule.data import circles, moons
from chainrule.training import Checkpoint, EarlyStopping, fit

NAMED = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if item.__module__ == errors.__name__ and item is not errors.ChainruleError
]
EXCEPTIONS = [item for item in NAMED if not issubclass(item, Warning)]


def test_there_are_exceptions_to_look_at():
    assert errors.OperandError in EXCEPTIONS
    assert errors.StaleGradientWarning not in EXCEPTIONS


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_every_exception_is_caught_by_the_base_and_by_a_builtin(exception):
    assert issubclass(exception, errors.ChainruleError)
    builtins = [base for base in exception.__mro__ if base.__module__ == "builtins"]
    assert set(builtins) - {Exception, BaseException, object}, "Python has a fitting exception for it"
    with pytest.raises(builtins[0], match="what happened"):
        raise exception("what happened")


@pytest.mark.parametrize("item", NAMED)
def test_every_exception_says_when_it_is_raised(item):
    assert inspect.getdoc(item)


def test_the_warning_can_be_filtered_as_a_user_warning():
    assert issubclass(errors.StaleGradientWarning, UserWarning)
    assert not issubclass(errors.StaleGradientWarning, errors.ChainruleError)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("tahn", ["exp", "tanh"], " Did you mean 'tanh'?"),
        ("tahn", {"tanh": 1}, " Did you mean 'tanh'?"),
        ("zzz", ["exp", "tanh"], ""),
        ("tanh", [], ""),
    ],
)
def test_suggest(name, known, hint):
    assert errors.suggest(name, known) == hint


class Failing:
    def __repr__(self):
        raise AttributeError("half made")


class FailingWhole(int):
    def __repr__(self):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: -(10**5000), "an integer of 16610 bits"),
        (lambda: [10**5000, {"a": 1}], "[an integer of 16610 bits, {'a': 1}]"),
        (lambda: FailingWhole(5), "an integer of 3 bits"),
        (Failing, "<tests.test_errors.Failing object at"),
    ],
)
def test_whatever_it_is_it_can_be_shown(make, text):
    x = make()
    assert errors.shown(x, 100).startswith(text)
    assert len(errors.shown(x, 20)) <= 20
    assert "Failing" in errors.shown([Failing()])


LONG = 10**5000


@pytest.mark.parametrize(
    "use",
    [
        lambda x: nn.MLP(-x, [1]),
        lambda x: nn.MLP(1, [1], init=x),
        lambda x: draw(Value(1.0) * 2, fold=-x),
        lambda x: draw(Value(1.0) * 2, expand=x),
        lambda x: draw(Value(1.0) * 2, theme=x),
        lambda x: moons(-x),
        lambda x: moons(10, noise=-x),
        lambda x: circles(10, factor=x),
        lambda x: EarlyStopping(patience=-x),
        lambda x: EarlyStopping(min_delta=-x),
        lambda x: Checkpoint("x", every=-x),
        lambda x: check_gradients(lambda y: y * y, 1.0, order=x),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss="mean_squared_error", compile=x),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss="mean_squared_error", compile=False, progress=x),
        lambda x: explain(Value(1.0), limit=-x),
        lambda x: Value(x),
    ],
)
def test_an_error_is_named_however_large_the_number_that_it_is_about(use):
    with pytest.raises(errors.ChainruleError):
        use(LONG)


def test_what_cannot_be_shown_is_simply_not_equal():
    assert (Value(1.0) == Failing()) is False
