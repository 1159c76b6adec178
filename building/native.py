"""Turns the table of operations into Cython code, at build time: `storage/native.pxd`.

The text of each value and each local derivative in `ops/`, and of each function there that these call, becomes a C
function of the same text (see `c_text.py`).
`compute(node)` then chooses among them by the node's operation. A function that does not translate (it sorts, say) is
called in Python, as those of the user's own operations are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from building.c_text import COUNT, EDGES, NUMBER, WHOLE, CFunction, CText, NeedsPythonError, of_all
from chainrule.reading.source import OperationText, helpers, operations
from chainrule.reading.tree import Call, Expression, Function, Name, Return

HEADER = """\
# Made from src/chainrule/ops/ by building/native.py; changes belong there.
from libc cimport math
from chainrule.storage.fields cimport flows, numbers_of
from chainrule.storage.nodes cimport Edge, Node, python_math, row_of_numbers, slope_by_call, value_by_call

cdef inline Py_ssize_t whole(double x) noexcept:
    return <Py_ssize_t>x

"""

Table = Mapping[str, int | None]
"""The number of operands of each operation; None for any number."""


class Entry:
    """One operation: its functions in C, where they translate, and its case in `compute`.

    Args:
        code: the code of the operation; 0 for a function that operations call.
        text: its text, as read from its file.
        table: the operations that it may call.
        constants: the numbers that have names in its file, and tuples of them.

    Attributes:
        value: the C function of its value; None if that needs Python.
        locals: the C functions of the local derivatives, one for each operand, or one for all if there may be any
            number of operands; None for each that needs Python.
        reasons: for each function that needs Python the reason, in words.
    """

    def __init__(self, code: int, text: OperationText, table: Table, constants: Mapping[str, Any]) -> None:
        self.name, self.code, self.text = text.value.name, code, text
        self.table = table
        self.constants = {name: x for name, x in constants.items() if type(x) is float}
        self.rows = {name: row for name, row in constants.items() if type(row) is tuple}
        self.reasons: list[str] = []
        self.value = self._c_function(f"value_{self.name}", text.value, self._arguments())
        self.locals = [self._local(i) for i in range(len(text.locals))]

    def drop_callers_of(self, names: set[str]) -> None:
        """Drops the C functions that call operations which have none."""
        self.value = self._without(names, self.value, f"value_{self.name}")
        self.locals = [self._without(names, local, f"local_{self.name}_{i}") for i, local in enumerate(self.locals)]

    def _without(self, names: set[str], function: CFunction | None, what: str) -> CFunction | None:
        missing = sorted(function.calls & names) if function else []
        if missing:
            self.reasons.append(f"{what}, which calls {', '.join(missing)}")
        return None if missing else function

    def _arguments(self) -> list[tuple[str, str]]:
        """Returns the arguments of its value in C, with their types."""
        row = [(self.text.value.row, EDGES), (COUNT, WHOLE)] if self.text.value.row else []
        return row + [(operand, NUMBER) for operand in self.text.value.operands]

    def _local(self, i: int) -> CFunction | None:
        """Writes a local derivative in C."""
        local = self.text.locals[i]
        if not isinstance(local, Function):
            if local:
                self.reasons.append(f"local_{self.name}_{i}, which is no lambda: {local.words} (line {local.line})")
            return None
        if self.text.limit and self.text.limit.operands != local.operands:
            self.reasons.append(
                f"local_{self.name}_{i}, whose limit= names its arguments otherwise (line {local.line})"
            )
            return None
        if not self.text.value.row:
            return self._c_function(f"local_{self.name}_{i}", local, [(name, NUMBER) for name in local.operands])
        place, row, result = local.operands
        arguments = [(place, WHOLE), (row, EDGES), (COUNT, WHOLE), (result, NUMBER)]
        return self._c_function(f"local_{self.name}_{i}", self._limited(local), arguments)

    def _limited(self, local: Function) -> Function:
        """Returns a local derivative that takes its limit, if there is one, where the result is infinite."""
        if self.text.limit is None:
            return local
        ways = [x.value for function in (self.text.limit, local) for x in function.body if isinstance(x, Return)]
        infinite = _call("eq", _call("abs", Name(local.operands[-1])), Name("inf"))
        chosen = Return(_call("select", infinite, *ways), local.line)
        return Function("", local.operands, "", (chosen,), local.line)

    def _c_function(self, name: str, function: Function, arguments: Sequence[tuple[str, str]]) -> CFunction | None:
        types = dict(arguments)
        mixed = bool(self.text.value.row and self.text.value.operands)  # the edges are of both together
        try:
            writer = CText(self.table, self.constants, types, function.body, self.rows)
            if mixed or len(types) < len(arguments):
                raise writer.refuse("arguments that C would mix up")
            return writer.function(name)
        except NeedsPythonError as error:
            self.reasons.append(f"{name}, whose text has {error}")
            return None


def _call(name: str, *arguments: Expression) -> Call:
    return Call(Name(name), arguments)


def native(ops: ModuleType, tell: Callable[[str], object] | None = None) -> str:
    """Returns the text of `storage/native.pxd` for a table of operations.

    Args:
        ops: the package that holds the table.
        tell: called with a line for each value or local derivative that Python calculates, which says why.
    """
    built_in = [getattr(ops, name) for name in ops.__all__]
    files = {op.__module__: Path(str(sys.modules[op.__module__].__file__)) for op in built_in}
    texts = {name: text for file in files.values() for name, text in operations(file).items()}
    called = {name: (text, module) for module, file in files.items() for name, text in helpers(file).items()}
    names = {op.name: op.operand_names and len(op.operand_names) for op in built_in}
    table = names | {name: len(text.operands) for name, (text, _) in called.items()}
    entries = [Entry(op.code, texts[op.name], table, _constants(op.__module__)) for op in built_in if op.name in texts]
    others = [Entry(0, OperationText(text, ()), table, _constants(module)) for text, module in called.values()]
    entries += _reached(entries, others)
    for _ in entries:  # a function that calls an operation without C needs Python, too
        without = set(table) - {entry.name for entry in entries if entry.value}
        for entry in entries:
            entry.drop_callers_of(without)
    if tell:
        for reason in [reason for entry in entries for reason in entry.reasons]:
            tell(f"left to Python: {reason}")
    names_in_c = f"cdef inline tuple table_names():\n    return {tuple(names)!r}\n"
    return HEADER + "\n".join([names_in_c, *_functions(entries), _compute([entry for entry in entries if entry.code])])


def _reached(operations: Sequence[Entry], others: Sequence[Entry]) -> list[Entry]:
    """Returns those of the other functions that C functions of the operations call, themselves or through others."""
    names: set[str] = set()
    todo = list(operations)
    while todo:
        entry = todo.pop()
        new = {name for function in (entry.value, *entry.locals) if function for name in function.calls} - names
        names |= new
        todo += [other for other in others if other.name in new]
    return [other for other in others if other.name in names]


def _constants(module: str) -> dict[str, Any]:
    """Returns the numbers that have names in a file of the table, and the tuples of numbers."""
    return {name: x for name, x in vars(sys.modules[module]).items() if type(x) is float or _is_row(x)}


def _is_row(x: Any) -> bool:
    return type(x) is tuple and all(type(item) is float for item in x)


def _functions(entries: list[Entry]) -> list[str]:
    """Returns the C functions, each after those that it calls; one that may call Python may raise."""
    functions = {f"value_{e.name}": e.value for e in entries}
    for e in entries:
        functions |= {f"local_{e.name}_{i}": local for i, local in enumerate(e.locals)}
    ordered: dict[str, str] = {}
    raising: set[str] = set()

    def add(name: str) -> None:
        function = functions[name]
        if name in ordered or not function:
            return
        called = [other for other in functions if other != name and other.removeprefix("value_") in function.calls]
        for other in called:
            add(other)
        if function.python or raising.intersection(called):
            raising.add(name)
        ordered[name] = function.text.replace("RAISES", "except? -1.0" if name in raising else "noexcept", 1)

    for name in functions:
        add(name)
    return list(ordered.values())


def _compute(entries: list[Entry]) -> str:
    shared = sorted({of_all(name) for e in entries for local in e.locals if local for name in local.of_all})
    lines = [
        "cdef inline int compute(Node* node) except -1:",
        '    """Takes the number of a result, and its local derivative in each operand that is not a constant."""',
        "    cdef Edge* xs = node._edges_",
        "    cdef Py_ssize_t i, n = node._count_",
        f"    cdef double {', '.join(['y', *shared])}",
    ]
    for k, entry in enumerate(entries):
        lines.append(f"    {'elif' if k else 'if'} node._code_ == {entry.code}:")
        lines += [f"        {line}" for line in _case(entry)]
    lines += [
        "    else:",
        "        numbers = row_of_numbers(numbers_of(node))",
        "        node._data_ = y = value_by_call(node._code_, numbers)",
        "        for i in range(n):",
        "            if flows(xs[i].operand):",
        "                xs[i].local = slope_by_call(node._code_, i, numbers, y)",
        "    return 0",
    ]
    return "\n".join(lines) + "\n"


def _case(entry: Entry) -> list[str]:
    row = entry.text.value.row
    numbers = "xs, n" if row else ", ".join([f"xs[{i}].operand._data_" for i in range(len(entry.locals))])
    value = f"value_{entry.name}({numbers})" if entry.value else "value_by_call(node._code_, numbers_of(node))"
    lines = [f"node._data_ = y = {value}"]
    for i, local in enumerate(entry.locals):
        if entry.text.locals[i] is None:
            continue
        index = "i" if row else str(i)
        if local:
            lines += [f"{of_all(name)} = value_{name}(xs, n)" for name in local.of_all]
            given = ", ".join([*["i"] * bool(row), numbers, "y", *map(of_all, local.of_all)])
            slope = f"local_{entry.name}_{i}({given})"
        else:
            lines.append("numbers = row_of_numbers(numbers_of(node))")
            slope = f"slope_by_call(node._code_, {index}, numbers, y)"
        step = [f"if flows(xs[{index}].operand):", f"    xs[{index}].local = {slope}"]
        lines += ["for i in range(n):", *[f"    {line}" for line in step]] if row else step
    return lines
