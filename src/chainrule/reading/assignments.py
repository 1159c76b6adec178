"""Which expression of a text a name is given to, and where the expressions are from which operations come."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterator

Span = tuple[int, int, int, int]
"""Line, column, end line, end column of an expression; columns are counted in bytes, as Python does."""


@functools.lru_cache(maxsize=50)
def assigned_names(text: str) -> dict[Span, str]:
    """Returns the names that expressions are assigned to, by the place of the expression. A name that is assigned at
    several places of one function is left out, since it may stand for any of these.

    >>> assigned_names("a, b = f(), g()\\nc = a * b\\nc = c + 1")
    {(1, 7, 1, 10): 'a', (1, 12, 1, 15): 'b'}
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[Span, str] = {}
    for scope in _scopes(tree):
        pairs = [pair for node in _within(scope) for pair in _assigned(node)]
        times = Counter(name for name, _ in pairs)
        found |= {_span(x): name for name, x in pairs if times[name] == 1}
    return found


def _scopes(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, _NEW_SCOPE))


_NEW_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope, but for those of scopes within it."""
    todo = list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, _NEW_SCOPE):
            todo += ast.iter_child_nodes(node)


def _assigned(node: ast.AST) -> list[tuple[str, ast.AST]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            return [pair for target in targets for pair in _matched(target, value)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return [(name, value)]
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            return [(name, value)]
        case ast.AugAssign(target=ast.Name(id=name)):
            return [(name, node)]  # the instruction has the place of the whole statement
        case ast.For(target=target) | ast.comprehension(target=target):
            return [(name.id, name) for name in ast.walk(target) if isinstance(name, ast.Name)]
    return []


def _matched(target: ast.AST, value: ast.AST) -> list[tuple[str, ast.AST]]:
    match target, value:
        case ast.Name(id=name), _:
            return [(name, value)]
        case ((ast.Tuple(elts=names) | ast.List(elts=names)), (ast.Tuple(elts=values) | ast.List(elts=values))):
            if len(names) == len(values) and not any(isinstance(x, ast.Starred) for x in [*names, *values]):
                return [pair for each in zip(names, values, strict=True) for pair in _matched(*each)]
        case ((ast.Tuple(elts=names) | ast.List(elts=names)), _):
            return [(name.id, name) for name in names if isinstance(name, ast.Name)]
    return []


def _span(node: ast.AST) -> Span:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
