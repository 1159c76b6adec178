"""The names that expressions are assigned to."""

from __future__ import annotations

import pytest

from chainrule.reading.assignments import assigned_names


def texts(program):
    """The expressions of a one-line-a-statement program that have names."""
    lines = program.splitlines()
    return {lines[line - 1][start:end]: name for (line, start, _, end), name in assigned_names(program).items()}


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("a = f(x)", {"f(x)": "a"}),
        ("a = b = f(x)", {"f(x)": "b"}),
        ("a: float = f(x)", {"f(x)": "a"}),
        ("a, (b, c) = f(x), (g(x), h(x))", {"f(x)": "a", "g(x)": "b", "h(x)": "c"}),
        ("a, b = f(x)", {"a": "a", "b": "b"}),
        ("a, *b = f(x), g(x)", {}),
        ("a += x", {"a += x": "a"}),
        ("if (a := f(x)): pass", {"f(x)": "a"}),
        ("a = f(x)\na = g(x)", {}),
        ("a = f(x)\na += 1", {}),
        ("a = 1.0\nfor a in xs: pass", {}),
        ("a = f(x)\ndef g(): a = h(x)", {"f(x)": "a", "h(x)": "a"}),
        ("self.a = f(x)\nb[0] = g(x)", {}),
        ("a = (", {}),
        ("a = '\0'", {}),
    ],
)
def test_names(program, names):
    assert texts(program) == names
