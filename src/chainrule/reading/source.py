"""Finds texts: that of a given function, if it is the one that runs, and those of the operations in a file."""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import inspect
import linecache
import operator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from chainrule.reading import reader
from chainrule.reading.tree import Function, Unread

FEATURES = [getattr(__future__, name) for name in __future__.all_feature_names]
FUTURE = functools.reduce(operator.or_, [feature.compiler_flag for feature in FEATURES])
"""The flags of a function that say how its text is to be parsed."""


class NoTextError(Exception):
    """The text of a function is not available; the message says why."""


# ---- functions at hand -----------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1000)
def definition(function: FunctionType) -> Function:
    """Reads the text of a function.

    Raises:
        NoTextError: there is no text, as for a function that was typed at Python's prompt; or it is that of another
            function, since the file was edited or a decorator replaced the function.
    """
    if hasattr(function, "__wrapped__"):
        raise NoTextError("it wraps another function")
    try:
        lines, _ = inspect.findsource(function)
        code = function.__code__
        functions, lambdas, imports, codes = _functions_of("".join(lines), code.co_flags & FUTURE)
        if code not in codes:
            raise NoTextError("the text that is found there is not what runs")
        near = [each for each in lambdas if each.lineno == code.co_firstlineno and code.co_name == "<lambda>"]
        if len(near) > 1:
            near = [each for each in near if _is_text_of(each, code, imports)]
        node = functions.get((code.co_firstlineno, code.co_name)) or next(iter(near), None)
        if node is None:
            raise NoTextError("it is made neither by def nor by lambda")
        return reader.function(node)
    except RecursionError:
        raise NoTextError("it is nested too deeply") from None
    except (OSError, SyntaxError, TypeError, ValueError) as error:
        raise NoTextError(str(error)) from None


@functools.lru_cache(maxsize=20)
def _functions_of(
    text: str, flags: int
) -> tuple[dict[tuple[int, str], ast.FunctionDef], list[ast.Lambda], list[ast.stmt], list[CodeType]]:
    """Returns the functions in a text, nested ones as well: those made by `def`, by their first line (which may be a
    decorator's) and their name, the lambdas, what the module itself imports, and the code objects of all."""
    tree = compile(text, "", "exec", flags=flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    made = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    functions = {(min([node.lineno, *[x.lineno for x in node.decorator_list]]), node.name): node for node in made}
    codes, todo = [], [compile(tree, "", "exec", flags=flags, dont_inherit=True)]
    while todo:
        inside = [x for x in todo.pop().co_consts if isinstance(x, CodeType)]
        codes += inside
        todo += inside
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return functions, lambdas, _imports(tree.body), codes


def _imports(body: list[ast.stmt]) -> list[ast.stmt]:
    """Returns the imports among statements and in the blocks of these, but for those of functions and classes."""
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__"):
            found.append(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.stmt | ast.ExceptHandler)]
            found += _imports(inside)  # type: ignore[arg-type]
    return found


def _is_text_of(node: ast.Lambda, code: CodeType, imports: list[ast.stmt]) -> bool:
    """Returns whether a lambda is the one that was compiled to this code: there may be several in a line. It is
    compiled again, within a function whose arguments are the names that it takes from around it, in a module with the
    same imports, since Python calls what is imported in another way."""
    around = ast.parse(f"def around({', '.join(code.co_freevars)}): return 0", mode="exec")
    ast.copy_location(around.body[0], node)
    around.body[0].body[0].value = node  # type: ignore[attr-defined]
    around.body += imports
    whole = compile(ast.fix_missing_locations(around), "", "exec", flags=code.co_flags & FUTURE, dont_inherit=True)
    (outer,) = [x for x in whole.co_consts if isinstance(x, CodeType)]
    (inner,) = [x for x in outer.co_consts if isinstance(x, CodeType)]
    return inner.replace(co_flags=code.co_flags) == code


def stands_for(function: FunctionType, name: str) -> Any:
    """Returns what a name that is no variable of a function stands for in it: an object of the functions around it, of
    its module, or of Python.

    Raises:
        NameError: there is none, or it has no value yet.

    >>> from math import exp
    >>> stands_for(lambda x: exp(-x), "exp"), stands_for(operations, "len")
    (<built-in function exp>, <built-in function len>)
    """
    if name in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:
            raise NameError(name) from None
    if name in function.__globals__:
        return function.__globals__[name]
    if not hasattr(builtins, name):
        raise NameError(name)
    return getattr(builtins, name)


def lines_of(file: str) -> list[str]:
    """Returns the lines of a file, or of what a notebook or a test has put in its place; [] if there are none."""
    return linecache.getlines(file)


def holds(text: str, code: CodeType) -> bool:
    """Returns whether this code is what Python makes of a part of a text, or of all of it."""
    flags = code.co_flags & FUTURE
    try:
        *_, codes = _functions_of(text, flags)
        return code in codes or code == compile(text, "", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return False


# ---- files of the table ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OperationText:
    """The text of an operation in a file.

    Attributes:
        value: the function under the decorator.
        locals: the local derivative in each operand, or one for all of them if their number varies; None where the
            operation is constant.
        limit: the single local derivative where the result is infinite, if there is another one there.
    """

    value: Function
    locals: tuple[Function | Unread | None, ...]
    limit: Function | None = None


def operations(file: Path) -> dict[str, OperationText]:
    """The operations in a file, by name.

    Args:
        file: a file of Python, in which functions are decorated with `@operation(...)`.
    """
    body = ast.parse(file.read_text(encoding="utf-8")).body
    texts = {node.name: _operation(node) for node in body if isinstance(node, ast.FunctionDef)}
    return {name: text for name, text in texts.items() if text is not None}


def helpers(file: Path) -> dict[str, Function]:
    """The functions in a file that are no operations, by name: what operations there call to do a part of their work.

    Args:
        file: a file of Python.
    """
    body = ast.parse(file.read_text(encoding="utf-8")).body
    plain = [node for node in body if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    return {node.name: reader.function(node) for node in plain}


def _operation(node: ast.FunctionDef) -> OperationText | None:
    match node.decorator_list:
        case [ast.Call(func=ast.Name(id="operation"), keywords=keywords)]:
            given = {keyword.arg: keyword.value for keyword in keywords}
        case _:
            return None
    value, local = reader.function(node), given["local"]
    count = 1 if value.row else len(value.operands)
    arguments = 3 if value.row else count + 1
    each = local.elts if isinstance(local, ast.List | ast.Tuple) and len(local.elts) == count else [local] * count
    locals = tuple([_local(one, arguments) for one in each])
    limit = _local(given["limit"], arguments) if "limit" in given else None
    if isinstance(limit, Unread):
        return OperationText(value, (limit,))
    return OperationText(value, locals, limit)


def _local(node: ast.expr, arguments: int) -> Function | Unread | None:
    """A local derivative: a lambda with this number of arguments, or None."""
    if isinstance(node, ast.Lambda):
        derivative = reader.function(node)
        if len(derivative.operands) == arguments and not derivative.row:
            return derivative
    is_none = isinstance(node, ast.Constant) and node.value is None
    return None if is_none else Unread(ast.unparse(node), node.lineno)
