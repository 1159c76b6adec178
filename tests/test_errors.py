"""The named exceptions, and the two helpers that word them."""

from __future__ import annotations

import inspect
import sys

import pytest

from chainrule import errors

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


def test_require_gives_the_module_itself_also_below_a_package():
    assert errors.require("math", extra="plot") is sys.modules["math"]
    assert errors.require("xml.dom.minidom", extra="plot").__name__ == "xml.dom.minidom"


@pytest.mark.parametrize("module", ["no_such_library", "no_such_library.part"])
def test_require_names_the_library_and_the_one_command(module):
    with pytest.raises(errors.MissingExtraError) as caught:
        errors.require(module, extra="plot")
    assert "no_such_library," in str(caught.value)
    assert "pip install 'chainrule[plot]'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_require_does_not_blame_an_installed_library_for_what_it_lacks_itself(tmp_path, monkeypatch):
    (tmp_path / "half_installed_library.py").write_text("import some_dependency_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        errors.require("half_installed_library", extra="plot")
    assert not isinstance(caught.value, errors.MissingExtraError)
    assert caught.value.name == "some_dependency_that_is_missing"


def test_require_names_the_extra_when_only_a_part_of_the_library_is_missing():
    with pytest.raises(errors.MissingExtraError, match=r"chainrule\[plot\]"):
        errors.require("xml.no_such_part", extra="plot")


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
