"""Operations written by a closure, as in micrograd, written out as chainrule has them.

A method such as this one is read from the user's file, as far as it can be seen:

    def cube(self):
        out = Value(self.data**3, (self,), "cube")
        def _backward():
            self.grad += 3 * self.data**2 * out.grad
        out._backward = _backward
        return out

The value is the first argument of `Value`, and a local derivative what is added to a gradient, without the gradient of
the result. Whatever else is found becomes `...` in the text.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import CodeType
from typing import Any

_LETTERS = "abcdefgh"
_MODULES = {"math", "np", "numpy"}
_UNKNOWN: ast.expr = ast.Constant(...)


def as_operation(code: CodeType, name: str = "", line: int = 0) -> tuple[str, str]:
    """Returns the name of the operation that a function makes by a closure, and its definition with the decorator.

    Args:
        code: that of the function.
        name: what the operation is called; "" for the function's own name.
        line: where `Value` is called, for code that is a module or a cell of a notebook, and no function.

    Returns:
        Both are "" if the text of the function is not there, or no name can be made of it.
    """
    function = _definition(code, name, line)
    name = name if name.isidentifier() else function.name if function is not None else ""
    if function is None or not name or name.startswith("__"):
        return "", ""
    return name, _decorated(name, *_Closure(function).read())


def _definition(code: CodeType, name: str, line: int) -> ast.FunctionDef | None:
    """Returns the definition of a function, if its text is there; for a module, one of the lines near the given one."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(code))).body
    except (OSError, SyntaxError, TypeError, ValueError):
        return None
    if code.co_name == "<module>":
        return _around(body, name, line)
    return body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef) else None


def _around(body: list[ast.stmt], name: str, line: int) -> ast.FunctionDef | None:
    """Returns a function of the statements that begin with the one at a line, in the innermost block that has it, and
    then of those before, which may assign names that it uses."""
    at = next((i for i, each in enumerate(body) if each.lineno <= line <= (each.end_lineno or 0)), None)
    if at is None:
        return None
    blocks = [x for field in ("body", "orelse", "finalbody") if (x := getattr(body[at], field, None))]
    inner = next((found for block in blocks if (found := _around(block, name, line))), None)
    made = ast.FunctionDef(name, ast.arguments([], [], None, [], [], None, []), body[at:] + body[:at], [])
    return inner or made


def _decorated(name: str, value: str, slopes: list[str]) -> str:
    operands = ", ".join(_letters(len(slopes)))
    written = [f"lambda {operands}, y: {slope}" for slope in slopes]
    local = written[0] if len(written) == 1 else f"[{', '.join(written)}]"
    return f"    @chainrule.operation(local={local})\n    def {name}({operands}):\n        return {value}"


def _letters(count: int) -> list[str]:
    return ["x"] if count == 1 else [*_LETTERS[:count], *[f"x{i}" for i in range(len(_LETTERS), count)]]


class _Closure(ast.NodeTransformer):
    """A function that makes a node by a closure, taken apart.

    Args:
        function: its definition.
    """

    def __init__(self, function: ast.FunctionDef) -> None:
        nodes = list(ast.walk(function))
        added = [x for x in nodes if isinstance(x, ast.AugAssign) and isinstance(x.target, ast.Attribute)]
        slopes = {x.target.value.id: x.value for x in reversed(added) if _is_of(x.target, "grad")}  # type: ignore[union-attr]
        given = [(_target(x), x.value) for x in nodes if isinstance(x, ast.Assign | ast.Return) and x.value]
        calls = [(name, x) for name, x in given if isinstance(x, ast.Call) and _makes_value(x)]
        self.made, made = next(iter(sorted(calls, key=lambda call: not _operands(call[1]))), ("", None))
        self.value = _UNKNOWN if made is None else made.args[0]
        self.operands = (_operands(made) if made else []) or [*slopes] or ["x"]
        self.assigned = {name: x for name, x in reversed(given) if name and name not in (self.made, *self.operands)}
        self.slopes = [slopes.get(name, _UNKNOWN) for name in self.operands]
        self.letters = dict(zip(self.operands, _letters(len(self.operands)), strict=True))

    def read(self) -> tuple[str, list[str]]:
        """Returns the value, and the local derivative in each operand, as text."""
        return self._text(self.value), [self._slope(added) for added in self.slopes]

    def _slope(self, added: ast.expr) -> str:
        slope = self._without_upstream(added)
        return "..." if slope is None else self._text(slope)

    def _text(self, x: ast.expr) -> str:
        try:
            return ast.unparse(self.visit(ast.parse(ast.unparse(x), mode="eval").body))
        except RecursionError:  # a name that is assigned from itself
            return "..."

    def _without_upstream(self, x: ast.expr) -> ast.expr | None:
        """Returns what is multiplied by the gradient of the result; None where that is not seen."""
        if _is_of(x, "grad"):
            return ast.Constant(1.0)
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div):
            for side, other in (("left", "right"), ("right", "left")):
                if isinstance(x.op, ast.Mult) and _is_of(getattr(x, side), "grad"):
                    return getattr(x, other)
            left = self._without_upstream(x.left)
            right = self._without_upstream(x.right) if left is None and isinstance(x.op, ast.Mult) else None
            if left is not None or right is not None:
                return ast.BinOp(left or x.left, x.op, right or x.right)
        if isinstance(x, ast.UnaryOp) and (inner := self._without_upstream(x.operand)) is not None:
            return ast.UnaryOp(x.op, inner)
        return None

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Turns `self.data` to the name of the operand, `out.data` to y, and `math.exp` to `chainrule.exp`."""
        if isinstance(node.value, ast.Name):
            name = node.value.id
            if node.attr == "data" and name in {*self.letters, self.made}:
                return ast.Name(self.letters.get(name, "y"))
            if name in _MODULES:
                return ast.Attribute(ast.Name("chainrule"), node.attr)
        return _as_expression(self.generic_visit(node))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Turns a name to what was assigned to it."""
        return self.visit(self.assigned[node.id]) if node.id in self.assigned else node


def _as_expression(node: Any) -> ast.expr:
    return node


def _target(x: ast.Assign | ast.Return) -> str:
    """Returns the name that something is assigned to; "" if there is none."""
    target = x.targets[0] if isinstance(x, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def _is_of(x: ast.expr, attribute: str) -> bool:
    """Returns whether this is an attribute of something that has a name."""
    return isinstance(x, ast.Attribute) and x.attr == attribute and isinstance(x.value, ast.Name)


def _makes_value(call: ast.Call) -> bool:
    """Returns whether this is a call such as `Value(t, (self,), "tanh")`."""
    name = ast.unparse(call.func)
    return bool(call.args) and (name.endswith(("Value", "__class__", "cls")) or len(_operands(call)) > 0)


def _operands(call: ast.Call) -> list[str]:
    """Returns the names in the tuple of operands."""
    given = [*call.args[1:], *[each.value for each in call.keywords]]
    rows = [x.elts for x in given if isinstance(x, ast.Tuple | ast.List | ast.Set)]
    return list(dict.fromkeys([x.id for x in rows[0] if isinstance(x, ast.Name)])) if rows else []
