"""Expressions of an operation's text, as instructions: what `translate` makes of all that is no statement."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering import calls
from chainrule.compiler.lowering.arithmetic import NotLowered
from chainrule.core.operation import TABLE

ARITHMETIC: dict[type[ast.operator], tuple[Callable[[Any, Any], Any], str]] = {
    ast.Add: (operator.add, "add"),
    ast.Sub: (operator.sub, "sub"),
    ast.Mult: (operator.mul, "mul"),
    ast.Div: (operator.truediv, "div"),
    ast.Pow: (operator.pow, "pow"),
    ast.Mod: (operator.mod, ""),
    ast.FloorDiv: (operator.floordiv, ""),
}
"""Of each operator of Python what it does to numbers known beforehand, and the operation that it is otherwise."""

COMPARISONS: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], str]] = {
    ast.Lt: (operator.lt, "<"),
    ast.LtE: (operator.le, "<="),
    ast.Gt: (operator.gt, ">"),
    ast.GtE: (operator.ge, ">="),
    ast.Eq: (operator.eq, "=="),
    ast.NotEq: (operator.ne, "!="),
    ast.Is: (operator.is_, ""),
    ast.IsNot: (operator.is_not, ""),
}


class Names:
    """What names stand for in a function."""

    def __init__(self, function: FunctionType, own: dict[str, Any]) -> None:
        self.function, self.own = function, own

    def find(self, name: str) -> Any:
        """What a name stands for: one of the function's own, of those around it, of its module, or of Python.

        Raises:
            NameError: it is not there, or not on every way to this place.
        """
        if name in self.own:
            return self.own[name]
        if name in self.function.__code__.co_freevars:
            cell = (self.function.__closure__ or ())[self.function.__code__.co_freevars.index(name)]
            return cell.cell_contents
        if name in self.function.__globals__:
            return self.function.__globals__[name]
        if not hasattr(builtins, name):
            raise NameError(name)
        return getattr(builtins, name)


class Expressions:
    """Follows the text of one operation; what it works on is a number, a truth, or an object known beforehand."""

    def __init__(self, emitter: Any, name: str) -> None:
        self.emitter, self.name = emitter, name
        self.calling: list[FunctionType] = []

    def refuse(self, what: str) -> NotLowered:
        """The error that says what stands in the way."""
        return NotLowered(f"the operation {self.name} is not compiled: its text has {what}")

    # ---- numbers, truths, and what is known beforehand -----------------------------------------------------------

    def known(self, *values: Any) -> bool:
        """Whether all of them are plain objects of Python."""
        return not any(isinstance(x, ir.Value) for x in values)

    def is_truth(self, x: Any) -> bool:
        """Whether x is the outcome of a comparison of numbers."""
        return isinstance(x, ir.Value) and x.type == self.emitter.truth_type

    def number(self, x: Any) -> ir.Value:
        """x as a number of the emitter's type."""
        if self.is_truth(x):
            return self.emitter.number(x)
        if isinstance(x, ir.Value):
            return x
        if isinstance(x, int | float):
            return self.emitter.constant(calls.certain(self, float, x))
        raise self.refuse(f"a {type(x).__name__} in place of a number")

    def truth(self, x: Any) -> Any:
        """x as a truth, or as a bool if it is known."""
        if self.known(x):
            return bool(x)
        return x if self.is_truth(x) else self.emitter.truth(x)

    def choose(self, condition: ir.Value, a: Any, b: Any) -> Any:
        """a where a condition holds, else b."""
        if self.known(a, b) and type(a) is type(b) and (a is b or (isinstance(a, int) and a == b)):
            return a
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(self.choose(condition, x, y) for x, y in zip(a, b, strict=True))
        if self.is_truth(a) and self.is_truth(b):
            return self.emitter.where(condition, a, b)
        return self.emitter.where(condition, self.number(a), self.number(b))

    def run(self, function: FunctionType, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """What a function written in Python returns."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Any, names: Names) -> None:
        """Gives a name its value, or several names theirs."""
        if isinstance(target, ast.Name):
            names.own[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, list | tuple):
            if len(target.elts) != len(value):
                raise self.refuse(f"{len(value)} values for {ast.unparse(target)}")
            for one, item in zip(target.elts, value, strict=True):
                self.assign(one, item, names)
        else:
            raise self.refuse(f"an assignment to {ast.unparse(target)}")

    def value(self, node: ast.expr, names: Names) -> Any:
        """The value of an expression."""
        handler = getattr(self, f"on_{type(node).__name__}", None)
        if handler is None:
            raise self.refuse(f"{ast.unparse(node)!r}")
        return handler(node, names)

    def on_Constant(self, node: ast.Constant, names: Names) -> Any:  # noqa: N802
        return node.value

    def on_Name(self, node: ast.Name, names: Names) -> Any:  # noqa: N802
        try:
            return names.find(node.id)
        except NameError:
            raise self.refuse(f"the name {node.id}, which has no value on every way to it") from None

    def on_Attribute(self, node: ast.Attribute, names: Names) -> Any:  # noqa: N802
        module = self.value(node.value, names)
        if not isinstance(module, ModuleType) or not hasattr(module, node.attr):
            raise self.refuse(f"{ast.unparse(node)!r}")
        return getattr(module, node.attr)

    def on_Tuple(self, node: ast.Tuple, names: Names) -> tuple:  # noqa: N802
        return tuple(self.value(item, names) for item in node.elts)

    def on_List(self, node: ast.List, names: Names) -> list:  # noqa: N802
        return [self.value(item, names) for item in node.elts]

    def on_ListComp(self, node: ast.ListComp | ast.GeneratorExp, names: Names) -> list:  # noqa: N802
        found: list[Any] = []
        self.comprehend(node.generators, node.elt, Names(names.function, dict(names.own)), found)
        return found

    on_GeneratorExp = on_ListComp  # noqa: N815

    def comprehend(self, loops: list[ast.comprehension], item: ast.expr, names: Names, found: list) -> None:
        """Adds the values of a comprehension to a list."""
        if not loops:
            found.append(self.value(item, names))
            return
        for x in self.listed(self.value(loops[0].iter, names), loops[0].iter):
            self.assign(loops[0].target, x, names)
            wanted = [self.truth(self.value(condition, names)) for condition in loops[0].ifs]
            if not self.known(*wanted):
                raise self.refuse("a comprehension whose length depends on numbers")
            if all(wanted):
                self.comprehend(loops[1:], item, names, found)

    def listed(self, items: Any, node: ast.expr) -> list:
        """What a loop goes through."""
        if self.known(items) and isinstance(items, list | tuple | range | zip | enumerate | reversed):
            return list(items)
        raise self.refuse(f"a loop over {ast.unparse(node)!r}")

    def on_Subscript(self, node: ast.Subscript, names: Names) -> Any:  # noqa: N802
        row, place = self.value(node.value, names), self.value(node.slice, names)
        if not isinstance(row, list | tuple) or not isinstance(place, int | slice):
            raise self.refuse(f"{ast.unparse(node)!r}")
        return row[place]

    def on_Slice(self, node: ast.Slice, names: Names) -> slice:  # noqa: N802
        return slice(*[part and self.value(part, names) for part in (node.lower, node.upper, node.step)])

    def on_BinOp(self, node: ast.BinOp, names: Names) -> Any:  # noqa: N802
        return self.arithmetic(node.op, self.value(node.left, names), self.value(node.right, names))

    def arithmetic(self, sign: ast.operator, a: Any, b: Any) -> Any:
        """An operator of Python on two values."""
        by_python, name = ARITHMETIC.get(type(sign), (None, ""))
        if by_python and self.known(a, b):
            return calls.certain(self, by_python, a, b)
        if not name:
            raise self.refuse(f"the operator {type(sign).__name__}")
        return self.emitter.apply(TABLE[name], [self.number(a), self.number(b)])

    def on_UnaryOp(self, node: ast.UnaryOp, names: Names) -> Any:  # noqa: N802
        x = self.value(node.operand, names)
        if isinstance(node.op, ast.Not):
            truth = self.truth(x)
            return not truth if isinstance(truth, bool) else self.emitter.builder.not_(truth)
        if isinstance(node.op, ast.Invert):
            raise self.refuse(f"{ast.unparse(node)!r}")
        if self.known(x):
            return -x if isinstance(node.op, ast.USub) else +x
        return self.emitter.neg(self.number(x)) if isinstance(node.op, ast.USub) else self.number(x)

    def on_BoolOp(self, node: ast.BoolOp, names: Names) -> Any:  # noqa: N802
        """`a and b` is a where a is false, else b; of truths, that is a bit."""
        either = isinstance(node.op, ast.Or)
        result = self.value(node.values[0], names)
        for later in node.values[1:]:
            truth = self.truth(result)
            if isinstance(truth, bool):
                result = result if truth == either else self.value(later, names)
                continue
            other = self.value(later, names)
            if self.is_truth(result) and (self.is_truth(other) or isinstance(other, bool)):
                other = other if self.is_truth(other) else self.truth(self.number(other))
                join = self.emitter.builder.or_ if either else self.emitter.builder.and_
                result = join(result, other)
            else:
                result = self.choose(truth, result, other) if either else self.choose(truth, other, result)
        return result

    def on_Compare(self, node: ast.Compare, names: Names) -> Any:  # noqa: N802
        left, result = self.value(node.left, names), None
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, names)
            outcome = self.compare(sign, left, right, node)
            if result is None or isinstance(result, bool):
                result = outcome if result is not False else False
            elif isinstance(outcome, bool):
                result = result if outcome else False
            else:
                result = self.emitter.builder.and_(result, outcome)
            left = right
        return result

    def compare(self, sign: ast.cmpop, a: Any, b: Any, node: ast.expr) -> Any:
        """One comparison."""
        by_python, text = COMPARISONS.get(type(sign), (None, ""))
        if by_python and (self.known(a, b) or (not text and None in (a, b))):
            return by_python(a, b)
        if not text:
            raise self.refuse(f"{ast.unparse(node)!r}")
        return self.emitter.compare(text, self.number(a), self.number(b))

    def on_IfExp(self, node: ast.IfExp, names: Names) -> Any:  # noqa: N802
        condition = self.truth(self.value(node.test, names))
        if isinstance(condition, bool):
            return self.value(node.body if condition else node.orelse, names)
        return self.choose(condition, self.value(node.body, names), self.value(node.orelse, names))

    def on_Call(self, node: ast.Call, names: Names) -> Any:  # noqa: N802
        function = self.value(node.func, names)
        arguments = [self.value(argument, names) for argument in node.args if not isinstance(argument, ast.Starred)]
        named = {keyword.arg: self.value(keyword.value, names) for keyword in node.keywords if keyword.arg}
        if len(arguments) != len(node.args) or len(named) != len(node.keywords):
            raise self.refuse(f"stars in {ast.unparse(node)!r}")
        return calls.call(self, function, arguments, named)
