"""Texts of operations as trees, and trees as text."""

from __future__ import annotations

import ast

import pytest

from chainrule.core.operation import TABLE
from chainrule.reading import reader
from chainrule.reading.source import definition
from chainrule.reading.text import python
from chainrule.reading.tree import (
    Arithmetic,
    Assign,
    Attribute,
    Call,
    Choice,
    Comparison,
    Constant,
    Do,
    For,
    If,
    Name,
    Raise,
    Return,
    Star,
    Targets,
    Try,
    Unary,
    Unread,
    Update,
    While,
    statements,
)


def read(text):
    return reader.expression(ast.parse(text, mode="eval").body)


def body(text):
    (function,) = ast.parse(text).body
    return reader.function(function).body


def test_an_expression_is_a_small_tree_in_which_names_are_names():
    wanted = Choice(
        Comparison((Name("x"), Name("a")), ("<",)),
        Arithmetic(Constant(2.0), "*", Name("x")),
        Unary("-", Call(Name("exp"), (Name("x"),))),
    )
    assert repr(read("2.0 * x if x < a else -exp(x)")) == repr(wanted)  # tuples of other names are equal


def test_statements_know_their_lines():
    text = """def f(x, *xs):
    "What it is."
    total = 0.0
    for a, b in xs:
        pass
        total += a
    if x:
        try:
            return x
        except ValueError:
            return 1.0
    return total
"""
    total = Name("total")
    wanted = (
        Assign((total,), Constant(0.0), 3),
        For(Targets((Name("a"), Name("b"))), Name("xs"), (Update(total, "+", Name("a"), 6),), 4),
        If(Name("x"), (Try((Return(Name("x"), 9),), 8),), (), 7),
        Return(total, 12),
    )
    assert repr(body(text)) == repr(wanted)
    assert [type(statement) for statement in statements(body(text))] == [Assign, For, Update, If, Try, Return, Return]


@pytest.mark.parametrize(
    "text",
    [
        *("a + b - c", "a + (b - c)", "(a + b) * c", "a / (b * c)", "a % b // c", "-a ** b", "(-a) ** b", "a ** -b"),
        *("a ** b ** c", "(a ** b) ** c", "-(a + b)", "+a - -b", "not a", "not (a and b)", "a and (b or c)"),
        *("a and b or c", "a < b <= c", "(a < b) < c", "a is not None", "-(a < b)", "a if b else c if d else e"),
        *("(a if b else c) if d else e", "a if (b if c else d) else e", "f(a if b else c)", "(a if b else c) + d"),
        *("math.exp(x)", "(a + b).real", "f(a, b=c)", "(f or g)(x)", "xs[i + 1]", "xs[1:]", "xs[:i:2]", "xs[::-1]"),
        *("()", "(a,)", "(a, b)", "[a, b]", "[a for a, b in c if d if e]", "(a for b in c for d in e)", "'text'"),
        *("(not a) + b", "a * (b * c)", "None", "1e-07", "{a: b}", "a @ b", "[a for (b,) in c]"),
        *("a | b ^ c & d << e + f", "(((a | b) ^ c) & d) << e", "a < b | c", "f(*xs, *a | b)", "(*a, b, *c)"),
    ],
)
def test_a_tree_is_written_as_it_was_read(text):
    assert python(read(text)) == text


def test_every_text_of_the_table_is_written_as_python_writes_it():
    for op in TABLE.values():
        for statement in statements(definition(op.value).body):
            if isinstance(statement, Return):
                text = python(statement.value)
                assert ast.unparse(ast.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x @ y", "the operator MatMult"),
        ("~x", "'~x'"),
        ("x in (1, 2)", "'x in (1, 2)'"),
        ("f(**xs)", "stars in 'f(**xs)'"),
        ("f'{x}'", "\"f'{x}'\""),
        ("{x for x in y}", "'{x for x in y}'"),
        ("(y := x)", "'(y := x)'"),
        ("lambda: x", "'lambda: x'"),
    ],
)
def test_what_cannot_be_read_is_in_the_tree_with_words_for_it(text, words):
    found = read(text)
    assert isinstance(found, Unread)
    assert (found.words, found.line) == (words, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("while x:\n        x = 1\n    else:\n        x = 2", "'while x:'"),
        ("del x", "'del x'"),
        ("x == 1", "'x == 1'"),
        ("return", "'return'"),
        ("x.y += 1", "'x.y += 1'"),
        ("x @= y", "the operator MatMult"),
        ("y: float", "'y: float'"),
        ("for x in y:\n        x = 1\n    else:\n        x = 2", "'for x in y:'"),
        ("try:\n        return x\n    except KeyError:\n        return 0", "a try that is not about arithmetic"),
        ("try:\n        return x\n    except:\n        return 0", "a try that is not about arithmetic"),
        ("try:\n        return x\n    finally:\n        pass", "a try that is not about arithmetic"),
        ("def g():\n        return x", "'def g():'"),
        ("raise", "'raise'"),
    ],
)
def test_a_statement_that_cannot_be_read_is_in_the_tree_too(text, words):
    (found,) = body(f"def f(x):\n    {text}")
    assert isinstance(found, Unread)
    assert (found.words, found.line) == (words, 2)


def test_loops_with_a_condition_errors_calls_and_stars_are_statements():
    text = """def f(*xs):
    while xs:
        xs.pop()
    a, *b = xs
    raise ValueError(f"{a}")
"""
    pop = Call(Attribute(Name("xs"), "pop"), ())
    wanted = (
        While(Name("xs"), (Do(pop, 3),), 2),
        Assign((Targets((Name("a"), Star(Name("b")))),), Name("xs"), 4),
        Raise("ValueError(f'{a}')", 5),
    )
    assert repr(body(text)) == repr(wanted)
    assert [type(statement) for statement in statements(body(text))] == [While, Do, Assign, Raise]
    assert body(text)[-1].words == repr("raise ValueError(f'{a}')")
    assert python(wanted[1].targets[0]) == "(a, *b)"


def test_so_is_the_target_of_an_assignment():
    (found,) = body("def f(x):\n    x[0] = y = 1")
    target, name = found.targets
    assert (target.words, name) == ("an assignment to x[0]", Name("y"))
