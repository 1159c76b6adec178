"""Texts of functions at hand, and of the operations in files."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

from chainrule import ops
from chainrule.core.operation import TABLE
from chainrule.reading.source import NoTextError, definition, operations
from chainrule.reading.tree import Function, Name, Return, Unread


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
    unnamed = lambda x: x  # noqa: E731
    for function, match in [
        (names["typed"], "could not get source code|source code not available|not find"),
        (unnamed, "it is not made by def"),
        (wrapping, "it wraps another function"),
    ]:
        with pytest.raises(NoTextError, match=match):
            definition(function)


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
