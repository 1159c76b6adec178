"""Turns the table of operations into Cython code, at build time: `storage/native.pxd`.

The text of each value and each local derivative in `ops/` becomes a C function of the same text: names of operations
become calls of their C functions, those of `math` the C library's where these give the same bits, and the operands of
an operation of any number of them are read out of its nodes. `compute(node)` then chooses among them by the node's
operation. What does not translate (a sort, say) is called in Python, as an operation of a user's own is.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

SAME_IN_C = {
    *("copysign", "fabs", "floor", "isinf", "isnan"),
    *("erf", "erfc", "exp", "expm1", "log", "log1p", "pow", "sqrt"),
    *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
}
"""The functions of `math` that hand a number on to the C library. (Its `hypot`, for one, is Python's own.)"""

HEADER = """\
# Made from src/chainrule/ops/ by generate_native.py; changes belong there.
from libc cimport math
from chainrule.storage.memory cimport flows, numbers_of
from chainrule.storage.nodes cimport Edge, Node, python_math, slope_by_call, value_by_call

cdef inline Py_ssize_t whole(double x) noexcept:
    return <Py_ssize_t>x

"""

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
TRANSLATED = (
    *(ast.Return, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Try),
    *(ast.Name, ast.Constant, ast.Call, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.expr_context, ast.unaryop, ast.boolop, ast.cmpop, *ARITHMETIC),
)
"""What means the same in C, with the restrictions that the methods of `ToC` make."""


class NeedsPythonError(Exception):
    """The function needs Python."""


class ToC(ast.NodeTransformer):
    """Rewrites a function of the table so that Cython makes plain C of it.

    Args:
        table: the names of the operations.
        constants: the numbers that stand in the table's module, by name.
        known: the function's own names: its operands and local variables.
        types: its arguments in C, by name: numbers, whole numbers, or edges to operands.
    """

    def __init__(self, table: set[str], constants: dict[str, float], known: set[str], types: dict[str, str]) -> None:
        self.table, self.constants, self.known = table, constants, known | set(types)
        self.variadic = next((name for name, kind in types.items() if kind == "Edge*"), None)
        self.indices = {name for name, kind in types.items() if kind == "Py_ssize_t"}
        self.within_index = False

    def visit(self, node: ast.AST) -> Any:
        if not isinstance(node, TRANSLATED):
            raise NeedsPythonError(type(node).__name__)
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.known or isinstance(node.ctx, ast.Store):
            if node.id == self.variadic:
                raise NeedsPythonError(f"{node.id} as a whole")
            return node
        if node.id in self.constants:
            return _expression({"inf": "math.INFINITY", "nan": "math.NAN"}.get(node.id, repr(self.constants[node.id])))
        raise NeedsPythonError(node.id)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function, arguments = node.func, node.args
        if node.keywords:
            raise NeedsPythonError("keywords")
        if isinstance(function, ast.Name) and function.id == "ieee":  # what C's functions give by themselves
            function, arguments = arguments[0], arguments[1:]
            if not isinstance(function, ast.Attribute) or function.attr not in SAME_IN_C:
                raise NeedsPythonError(f"{ast.unparse(function)} may raise")
        if self._is_variadic(arguments) and isinstance(function, ast.Name) and function.id == "len":
            return ast.Name("n", ast.Load())
        if isinstance(function, ast.Name) and function.id == "select":  # C calculates only what it takes
            condition, *either = [self.visit(argument) for argument in arguments]
            return ast.IfExp(condition, *either)
        called = self._function(function)
        given = self._first(arguments) or [self.visit(argument) for argument in arguments]
        if isinstance(called, ast.Attribute) and called.attr not in SAME_IN_C:
            called, given = _expression("python_math"), [ast.Constant(called.attr), ast.Tuple(given, ast.Load())]
        return ast.Call(called, given, [])

    def _function(self, function: ast.expr) -> ast.expr:
        if isinstance(function, ast.Name) and function.id in self.table:
            return ast.Name(f"value_{function.id}", ast.Load())
        if isinstance(function, ast.Name) and function.id == "range":
            return function
        if isinstance(function, ast.Name) and function.id == "int" and self.within_index:
            return ast.Name("whole", ast.Load())
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "math":
            return _expression(f"math.{function.attr}")
        raise NeedsPythonError(ast.unparse(function))

    def _is_variadic(self, expressions: list[ast.expr]) -> bool:
        return [ast.unparse(expression) for expression in expressions] == [self.variadic]

    def _first(self, arguments: list[ast.expr]) -> list[ast.expr]:
        """Of the argument xs[:i] the two that C takes, the row and how many of it; [] for all others."""
        (text,) = [ast.unparse(argument) for argument in arguments] if len(arguments) == 1 else [""]
        counts = [i for i in self.indices if text == f"{self.variadic}[:{i}]"]
        return [_expression(str(self.variadic)), _expression(counts[0])] if counts else []

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if not self._is_variadic([node.value]) or self.within_index:
            raise NeedsPythonError(ast.unparse(node))
        self.within_index = True
        place = self.visit(node.slice)
        self.within_index = False
        return _expression(f"{self.variadic}[{ast.unparse(place)}].operand._data")

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        body = [self.visit(statement) for statement in node.body]
        if not self._is_variadic([node.iter]):
            return [ast.For(node.target, self.visit(node.iter), body, [], lineno=0)]
        item = ast.parse(f"{ast.unparse(node.target)} = {self.variadic}[i].operand._data").body
        return [ast.For(ast.Name("i", ast.Store()), _expression("range(n)"), item + body, [], lineno=0)]

    def visit_Try(self, node: ast.Try) -> list[ast.stmt]:
        """Where Python raises, C gives IEEE's answer: the one that the handlers in the table spell out."""
        raised = {handler.type.id for handler in node.handlers if isinstance(handler.type, ast.Name)}
        if not raised or raised - {"ZeroDivisionError", "OverflowError", "ValueError"} or node.orelse or node.finalbody:
            raise NeedsPythonError("try")
        body = [self.visit(statement) for statement in node.body]
        if any("python_math" in ast.unparse(statement) for statement in body):
            raise NeedsPythonError("a function of Python's own may raise")
        return body

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        whole = isinstance(node.left, ast.Name) and node.left.id in self.indices
        if isinstance(node.op, ARITHMETIC) or (whole and isinstance(node.op, ast.Mod)):
            return ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))
        raise NeedsPythonError(f"{ast.unparse(node)}: not the same in C")


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class Entry:
    """One operation: its functions in C, where they translate, and its case in `compute`."""

    def __init__(self, function: ast.FunctionDef, code: int, table: set[str], constants: dict[str, float]) -> None:
        self.name, self.code, self.table, self.constants = function.name, code, table, constants
        self.variadic = function.args.vararg.arg if function.args.vararg else None
        self.operands = [argument.arg for argument in function.args.args]
        body = function.body[1:] if ast.get_docstring(function) else function.body
        self.value = self._c_function(f"value_{self.name}", body, self._arguments([]))
        self.locals = [self._local(i, local) for i, local in enumerate(_locals(function))]

    def drop_callers_of(self, names: list[str]) -> None:
        """Gives up the C functions that call operations that have none."""
        calls = [any(f"value_{name}(" in (text or "") for name in names) for text in [self.value, *self.locals]]
        texts = [None if call else text for text, call in zip([self.value, *self.locals], calls, strict=True)]
        self.value, *self.locals = texts

    def _arguments(self, last: list[str]) -> list[tuple[str, str]]:
        """The arguments of its C functions, with their types."""
        own = (
            [("Edge*", self.variadic), ("Py_ssize_t", "n")] if self.variadic else [("double", x) for x in self.operands]
        )
        return own + [("double", name) for name in last]

    def _local(self, i: int, local: ast.expr) -> str | None:
        """The C function of a local derivative; "" where the operation is constant, None where it needs Python."""
        if isinstance(local, ast.Constant):
            return ""
        arguments = self._arguments([local.args.args[-1].arg])
        if self.variadic:
            arguments.insert(0, ("Py_ssize_t", local.args.args[0].arg))
            arguments[1] = ("Edge*", local.args.args[1].arg)
        else:
            arguments = [("double", argument.arg) for argument in local.args.args]
        return self._c_function(f"local_{self.name}_{i}", [ast.Return(local.body)], arguments)

    def _c_function(self, name: str, body: list[ast.stmt], arguments: list[tuple[str, str]]) -> str | None:
        assigned = {n.id for statement in body for n in ast.walk(statement)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        types = {argument: kind for kind, argument in arguments}
        to_c = ToC(self.table, self.constants, assigned, types)
        try:
            lines = [ast.unparse(ast.fix_missing_locations(s)) for s in _flat(to_c.visit(s) for s in body)]
        except NeedsPythonError:
            return None
        own = ["cdef Py_ssize_t i"] if to_c.variadic and "i" not in types else []
        own += [f"cdef double {name}" for name in sorted(assigned - {"i"})]
        head = f"cdef inline double {name}({', '.join(' '.join(argument) for argument in arguments)}) RAISES:"
        return "\n    ".join([head, *own, *"\n".join(lines).splitlines()]) + "\n"


def _flat(statements) -> list[ast.stmt]:
    return [s for statement in statements for s in (statement if isinstance(statement, list) else [statement])]


def _locals(function: ast.FunctionDef) -> list[ast.expr]:
    (decorator,) = function.decorator_list
    given = {keyword.arg: keyword.value for keyword in decorator.keywords}
    local, limit = given["local"], given.get("limit")
    if isinstance(local, ast.Lambda) and isinstance(limit, ast.Lambda):
        if ast.dump(local.args) != ast.dump(limit.args):
            raise ValueError(
                f"{function.name}: limit= must name its arguments as local= does, {ast.unparse(local.args)}"
            )
        infinite = _expression(f"eq(abs({local.args.args[-1].arg}), inf)")
        select = ast.Call(ast.Name("select", ast.Load()), [infinite, limit.body, local.body], [])
        return [ast.Lambda(local.args, select)]
    return list(local.elts) if isinstance(local, ast.List | ast.Tuple) else [local]


def native(ops: ModuleType) -> str:
    """The text of `storage/native.pxd` for a table of operations.

    Args:
        ops: the package in which the table stands.
    """
    built_in = [getattr(ops, name) for name in ops.__all__]
    functions = {name: f for file in dict.fromkeys(op.__module__ for op in built_in) for name, f in _in_file(file)}
    entries = [Entry(functions[op.name], op.code, set(functions), _constants(op)) for op in built_in]
    for _ in entries:  # whoever calls an operation that needs Python needs it, too
        without = [entry.name for entry in entries if not entry.value]
        for entry in entries:
            entry.drop_callers_of(without)
    names = f"cdef inline tuple table_names():\n    return {tuple(entry.name for entry in entries)!r}\n"
    return HEADER + "\n".join([names, *_functions(entries), _compute(entries)])


def _in_file(module: str) -> list[tuple[str, ast.FunctionDef]]:
    """The entries of one file of the table, by name."""
    tree = ast.parse(Path(sys.modules[module].__file__).read_text(encoding="utf-8"))
    return [(f.name, f) for f in tree.body if isinstance(f, ast.FunctionDef) and f.decorator_list]


def _constants(op: Any) -> dict[str, float]:
    """The numbers that have names in an operation's file."""
    return {name: x for name, x in vars(sys.modules[op.__module__]).items() if type(x) is float}


def _functions(entries: list[Entry]) -> list[str]:
    """The C functions, those first that others call; one that may call Python may raise."""
    texts = {f"value_{e.name}": e.value for e in entries}
    for e in entries:
        texts |= {f"local_{e.name}_{i}": local for i, local in enumerate(e.locals) if local}
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        text = texts[name]
        if name in ordered or not text:
            return
        called = [other for other in texts if f"{other}(" in text and other != name]
        for other in called:
            add(other)
        raises = "python_math" in text or any("except?" in ordered.get(other, "").split(":\n")[0] for other in called)
        ordered[name] = text.replace("RAISES", "except? -1.0" if raises else "noexcept", 1)

    for name in texts:
        add(name)
    return list(ordered.values())


def _compute(entries: list[Entry]) -> str:
    lines = [
        "cdef inline int compute(Node* node) except -1:",
        '    """Takes the number of a result, and its local derivative in each operand that is not a constant."""',
        "    cdef Edge* xs = node._edges",
        "    cdef Py_ssize_t i, n = node._count",
        "    cdef double y",
    ]
    for k, entry in enumerate(entries):
        lines.append(f"    {'elif' if k else 'if'} node._code == {entry.code}:")
        lines += [f"        {line}" for line in _case(entry)]
    lines += [
        "    else:",
        "        node._data = y = value_by_call(node._code, numbers_of(node))",
        "        for i in range(n):",
        "            if flows(xs[i].operand):",
        "                xs[i].local = slope_by_call(node._code, i, numbers_of(node), y)",
        "    return 0",
    ]
    return "\n".join(lines) + "\n"


def _case(entry: Entry) -> list[str]:
    numbers = "xs, n" if entry.variadic else ", ".join(f"xs[{i}].operand._data" for i in range(len(entry.operands)))
    value = f"value_{entry.name}({numbers})" if entry.value else "value_by_call(node._code, numbers_of(node))"
    lines = [f"node._data = y = {value}"]
    for i, local in enumerate(entry.locals):
        index = "i" if entry.variadic else str(i)
        arguments = f"i, {numbers}, y" if entry.variadic else f"{numbers}, y"
        slope = (
            f"local_{entry.name}_{i}({arguments})"
            if local
            else f"slope_by_call(node._code, {index}, numbers_of(node), y)"
        )
        if local == "":
            continue
        step = [f"if flows(xs[{index}].operand):", f"    xs[{index}].local = {slope}"]
        lines += ["for i in range(n):", *[f"    {line}" for line in step]] if entry.variadic else step
    return lines
