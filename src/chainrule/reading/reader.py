"""The reader: converts Python's syntax tree of a function or a lambda to the small tree of `tree.py`.

It resolves no name and calculates nothing. Syntax that the tree has no node for becomes `Unread`, with the words of the
message for whoever has to translate it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.reading.tree import (
    Arithmetic,
    Assign,
    Attribute,
    Call,
    Choice,
    Comparison,
    Comprehension,
    Constant,
    Do,
    Expression,
    For,
    Function,
    If,
    Index,
    Items,
    Logic,
    Loop,
    Name,
    Raise,
    Return,
    Slice,
    Star,
    Statement,
    Target,
    Targets,
    Try,
    Unary,
    Unread,
    Update,
    While,
)

ARITHMETIC: dict[type[ast.operator], str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"},
    **{ast.Pow: "**", ast.Mod: "%", ast.FloorDiv: "//"},
    **{ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&"},
}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="},
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is", ast.IsNot: "is not"},
}

RAISED = {"ZeroDivisionError", "OverflowError", "ValueError", "ArithmeticError"}
"""The exceptions of Python's arithmetic, where C has a result."""


def function(node: ast.FunctionDef | ast.Lambda) -> Function:
    """Reads a function or a lambda.

    Args:
        node: the node of Python's parser; its line numbers are those of the file.
    """
    operands = tuple([argument.arg for argument in (*node.args.posonlyargs, *node.args.args)])
    row = node.args.vararg.arg if node.args.vararg else ""
    if isinstance(node, ast.Lambda):
        returned = Return(expression(node.body), node.body.lineno)
        return Function("", operands, row, (returned,), node.lineno)
    return Function(node.name, operands, row, _block(node.body), node.lineno)


def _block(body: Sequence[ast.stmt]) -> tuple[Statement, ...]:
    """Reads statements. Those without an effect, `pass` and texts, are left out."""
    return tuple([_statement(node) for node in body if not (isinstance(node, ast.Pass) or _is_text(node))])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _statement(node: ast.stmt) -> Statement:
    match node:
        case ast.Return(value=ast.expr() as value):
            return Return(expression(value), node.lineno)
        case ast.Assign(targets=targets, value=value):
            return Assign(tuple(map(_target, targets)), expression(value), node.lineno)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return Assign((_target(target),), expression(value), node.lineno)
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            if type(op) in ARITHMETIC:
                return Update(Name(name), ARITHMETIC[type(op)], expression(value), node.lineno)
            return _unread(node, f"the operator {type(op).__name__}")
        case ast.If(test=condition, body=first, orelse=second):
            return If(expression(condition), _block(first), _block(second), node.lineno)
        case ast.For(target=target, iter=items, body=body, orelse=[]):
            return For(_target(target), expression(items), _block(body), node.lineno)
        case ast.While(test=condition, body=body, orelse=[]):
            return While(expression(condition), _block(body), node.lineno)
        case ast.Expr(value=ast.Call() as call):
            return Do(expression(call), node.lineno)
        case ast.Raise(exc=ast.expr() as error):
            return Raise(ast.unparse(error), node.lineno)
        case ast.Try():
            return _try(node)
    return _unread(node)


def _try(node: ast.Try) -> Statement:
    raised = {handler.type.id if isinstance(handler.type, ast.Name) else "" for handler in node.handlers}
    if raised - RAISED or node.orelse or node.finalbody:
        return _unread(node, "a try that is not about arithmetic")
    return Try(_block(node.body), node.lineno)


def _target(node: ast.expr) -> Target:
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Tuple | ast.List):
        return Targets(tuple(map(_target, node.elts)))
    if isinstance(node, ast.Starred):
        return Star(_target(node.value))
    return _unread(node, f"an assignment to {ast.unparse(node)}")


def expression(node: ast.expr) -> Expression:
    """Reads an expression.

    Args:
        node: the node of Python's parser.
    """
    read = EXPRESSIONS.get(type(node), _unread)
    return read(node)


def _expressions(nodes: Sequence[ast.expr]) -> tuple[Expression, ...]:
    return tuple([expression(node) for node in nodes])


def _arithmetic(node: ast.BinOp) -> Expression:
    if type(node.op) not in ARITHMETIC:
        return _unread(node, f"the operator {type(node.op).__name__}")
    return Arithmetic(expression(node.left), ARITHMETIC[type(node.op)], expression(node.right))


def _unary(node: ast.UnaryOp) -> Expression:
    return Unary(UNARY[type(node.op)], expression(node.operand)) if type(node.op) in UNARY else _unread(node)


def _comparison(node: ast.Compare) -> Expression:
    if not all(type(op) in COMPARISONS for op in node.ops):
        return _unread(node)
    return Comparison(_expressions([node.left, *node.comparators]), tuple([COMPARISONS[type(op)] for op in node.ops]))


def _slice(node: ast.Slice) -> Expression:
    first, end, step = [None if part is None else expression(part) for part in (node.lower, node.upper, node.step)]
    return Slice(first, end, step)


def _comprehension(node: ast.ListComp | ast.GeneratorExp) -> Expression:
    loops = [Loop(_target(loop.target), expression(loop.iter), _expressions(loop.ifs)) for loop in node.generators]
    return Comprehension(expression(node.elt), tuple(loops), "[]" if isinstance(node, ast.ListComp) else "()")


def _call(node: ast.Call) -> Expression:
    named = [(keyword.arg, expression(keyword.value)) for keyword in node.keywords if keyword.arg is not None]
    if len(named) < len(node.keywords):
        return _unread(node, f"stars in {ast.unparse(node)!r}")
    return Call(expression(node.func), _expressions(node.args), tuple(named))


def _unread(node: ast.expr | ast.stmt, why: str = "") -> Unread:
    return Unread(ast.unparse(node).splitlines()[0], node.lineno, why)


EXPRESSIONS: dict[type[ast.expr], Callable[[Any], Expression]] = {
    ast.Constant: lambda node: Constant(node.value),
    ast.Name: lambda node: Name(node.id),
    ast.Attribute: lambda node: Attribute(expression(node.value), node.attr),
    ast.Tuple: lambda node: Items(_expressions(node.elts), "()"),
    ast.List: lambda node: Items(_expressions(node.elts), "[]"),
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Subscript: lambda node: Index(expression(node.value), expression(node.slice)),
    ast.Slice: _slice,
    ast.UnaryOp: _unary,
    ast.BinOp: _arithmetic,
    ast.BoolOp: lambda node: Logic("or" if isinstance(node.op, ast.Or) else "and", _expressions(node.values)),
    ast.Compare: _comparison,
    ast.IfExp: lambda node: Choice(expression(node.test), expression(node.body), expression(node.orelse)),
    ast.Call: _call,
    ast.Starred: lambda node: Star(expression(node.value)),
}
"""The function that reads each kind of expression; a tree holds no other kinds."""
