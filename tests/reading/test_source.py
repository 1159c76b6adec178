"""Texts of functions at hand, and of the operations in files."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

from chainrule import ops
from chainrule.core.operation import TABLE
from chainrule.reading.source import NoTextError, definition, operations, stands_for
from chainrule.reading.text import python
from chainrule.reading.tree import Function, Name, Return, Unread

AT_THE_TOP = lambda x: x  # noqa: E731


def plain(a, b=1.0, *, c=2.0):
    """A text."""
    return a


def test_a_function_at_hand_is_read_with_the_lines_of_its_file():
    line = plain.__code__.co_firstlineno
    assert repr(definition(plain)) == repr(Function("plain", ("a", "b"), "", (Return(Name("a"), line + 2),), line))

    def inside(*xs):
        return xs

    line = inside.__code__.co_firstlineno
    assert repr(definition(inside)) == repr(Function("inside", (), "xs", (Return(Name("xs"), line + 1),), line))


@functools.wraps(plain)
def wrapping(*given):
    return plain(*given)


def test_a_text_that_is_not_at_hand_is_refused_with_its_reason():
    names: dict = {}
    exec("def typed(x):\n    return x", names)
    for function, match in [
        (names["typed"], "could not get source code|source code not available|not find"),
        (wrapping, "it wraps another function"),
    ]:
        with pytest.raises(NoTextError, match=match):
            definition(function)


def test_lambdas_are_read_of_which_several_may_stand_in_a_line():
    k = 2.0
    row = [lambda x, y: 1.0, lambda x, y: 1, lambda x, y: -1.0, lambda a, y: k * a, lambda a, y: lambda: k]
    found = [definition(each) for each in row]
    assert [each.operands for each in found] == [("x", "y")] * 3 + [("a", "y")] * 2
    assert [python(each.body[0].value) for each in found] == ["1.0", "1", "-1.0", "k * a", "lambda: k"]
    line = AT_THE_TOP.__code__.co_firstlineno
    assert repr(definition(AT_THE_TOP)) == repr(Function("", ("x",), "", (Return(Name("x"), line),), line))


def test_lambdas_that_call_what_is_imported_are_told_apart():
    row = [lambda x, y: ops.exp(x), lambda x, y: ops.exp(-x), lambda x, y: functools.reduce(ops.mul, x)]
    assert [python(definition(each).body[0].value) for each in row] == [
        *("ops.exp(x)", "ops.exp(-x)", "functools.reduce(ops.mul, x)"),
    ]


def test_the_derivatives_of_the_table_have_their_texts_at_hand():
    for op in TABLE.values():
        for i in range(len(op.operand_names or ())):
            if op.flows(i):
                assert len(definition(op._locals[i]).operands) == len(op.operand_names) + 1


def test_what_a_name_stands_for_is_found_around_the_function_in_its_module_and_in_python():
    k = 2.0

    def inside():
        return k, later

    assert [stands_for(inside, name) for name in ("k", "plain", "abs")] == [k, plain, abs]
    for name in ("later", "nowhere"):
        with pytest.raises(NameError, match=name):
            stands_for(inside, name)
    later = 1.0


def test_the_operations_of_the_table_all_have_their_texts():
    files = [
        Path(sys.modules[name].__file__) for name in dict.fromkeys(op.__module__ for op in map(TABLE.get, ops.__all__))
    ]
    texts = {name: text for file in files for name, text in operations(file).items()}
    assert set(texts) == {op.name for op in TABLE.values() if op.built_in}
    for name, text in texts.items():
        op = TABLE[name]
        assert repr(text.value) == repr(definition(op.value))
        assert [local is not None for local in text.locals] == [op.flows(i) for i in range(len(text.locals))]
        assert not any(isinstance(local, Unread) for local in text.locals)
        assert (text.limit is not None) == (op._limit is not op._locals if op.operand_names is None else False)


def test_what_an_operation_says_otherwise_than_by_lambdas_is_unread(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "@operation(local=[slope, None, lambda a: a], symbol='s')\ndef three(a, b, c):\n    return a\n\n"
        "@operation(local=slopes)\ndef two(a, b):\n    return a\n\n"
        "@operation(local=lambda i, xs, y: 1.0, limit=limit)\ndef row(*xs):\n    return xs[0]\n\n"
        "@other\n@operation(local=None)\ndef twice_decorated(a):\n    return a\n\n"
        "def helper(a):\n    return a\n"
    )
    found = operations(file)
    assert list(found) == ["three", "two", "row"]
    assert repr(found["three"].locals) == repr((Unread("slope", 1), None, Unread("lambda a: a", 1)))
    assert repr(found["two"].locals) == repr((Unread("slopes", 5), Unread("slopes", 5)))
    assert repr(found["row"].locals) == repr((Unread("limit", 9),))
