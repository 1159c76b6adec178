"""Operations as one module of JavaScript: their values and local derivatives, and whatever these call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from chainrule.core.operation import Operation, is_built_in
from chainrule.core.packing import constant_in_all
from chainrule.reading.source import NoTextError, definition
from chainrule.see.javascript.kinds import NUMBER, TRUTH, WHOLE, Kind, NotWritten, Row, constant
from chainrule.see.javascript.parts import needed, parts
from chainrule.see.javascript.statements import Statements

RESERVED = {
    *("arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete"),
    *("do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements"),
    *("import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public"),
    *("return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "var", "void"),
    *("while", "with", "yield", "Array", "BigInt", "Infinity", "Map", "Math", "NaN", "Number", "Object", "RangeError"),
    *("WeakMap", "operations"),
}
"""Names that no variable may have in JavaScript."""

MADE = ("value_", "local_", "limit_", "call_", "row_")
"""What the names of functions and constants begin with that are made here."""


@dataclass(frozen=True)
class Written:
    """A module of JavaScript.

    Attributes:
        text: the module; it exports `operations`.
        left_out: the operations that could not be written, by name, and why not.
    """

    text: str
    left_out: dict[str, str]


def module_of(operations: Iterable[Operation]) -> str:
    """Returns the text of a module of JavaScript that exports `operations`: an object that has, by name, the value and
    the local derivatives of each of these operations, but for those that cannot be written (see `readable`).

    One with named operands is `{any: false, value(a, b), locals: [(a, b, y) => …, …]}`, where null stands for a local
    derivative that there is not. One of any number of operands is `{any: true, value(xs), local(i, xs, y), limit}`,
    where `limit` is null or replaces `local` where y is infinite.

    >>> from chainrule.ops import relu
    >>> print(module_of([relu]))  # doctest: +ELLIPSIS
    function value_relu(x) {
      return x <= 0 ? 0 : x;
    }
    ...
    """
    return written(operations).text


def readable(operation: Operation) -> str | None:
    """Returns why an operation cannot be written in JavaScript; None if it can."""
    return written([operation]).left_out.get(operation.name)


def written(operations: Iterable[Operation]) -> Written:
    """Returns the module of these operations, and which of them it leaves out."""
    module, entries, left_out = Module(), [], {}
    for op in operations:
        before = module.state()
        try:
            entries.append(_entry(module, op))
        except NotWritten as error:
            left_out[op.name] = f"its text has {error}"
            module.restore(before)
        except RecursionError:
            left_out[op.name] = "its text calls functions that are nested too deeply"
            module.restore(before)
    table = "".join([f"  {entry},\n" for entry in entries])
    text = "".join([needed(module.used), *module.rows.values(), *module.texts.values()])
    return Written(f"{text}export const operations = {{\n{table}}};\n", left_out)


def _entry(module: Module, op: Operation) -> str:
    """Returns an operation as an item of the table."""
    name, kind = module.value(op)
    key = f'["{op.name}"]' if op.name == "__proto__" else op.name
    rows = op.operand_names is None
    value = name if kind != TRUTH else f"({'xs' if rows else '...xs'}) => Number({name}({'xs' if rows else '...xs'}))"
    if not rows:
        found = ", ".join([module.derivative(op, i, local) for i, local in enumerate(op._locals)])
        return f"{key}: {{ any: false, value: {value}, locals: [{found}] }}"
    local = "null" if op._locals is constant_in_all else module.derivative(op, -1, op._locals)
    limit = "null" if op._limit is op._locals else module.derivative(op, -1, op._limit, "limit")
    return f"{key}: {{ any: true, value: {value}, local: {local}, limit: {limit} }}"


@dataclass
class Module:
    """The functions and constants of a module, as they are written one after another."""

    texts: dict[Any, str] = field(default_factory=dict)
    names: dict[Any, tuple[str, Kind]] = field(default_factory=dict)
    rows: dict[tuple, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    writing: dict[Any, tuple[str, Kind]] = field(default_factory=dict)
    guessed: dict[Any, Kind] = field(default_factory=dict)
    counters: int = 0

    def state(self) -> tuple:
        """Returns what `restore` goes back to."""
        return dict(self.texts), dict(self.names), dict(self.rows), set(self.used)

    def restore(self, state: tuple) -> None:
        """Forgets what was written since."""
        self.texts, self.names, self.rows, self.used = state
        self.writing = {}

    def raises_as_python(self, function: Any) -> bool:
        """Returns whether a function's arithmetic raises errors: not that of the table, which has IEEE's results."""
        return not is_built_in(function)

    def needs(self, part: str) -> None:
        """Notes that a function of maths.js or python.js is called."""
        self.used.add(part)

    def variable(self, name: str) -> str:
        """Returns a variable's name in JavaScript."""
        taken = name in RESERVED or name in parts() or name.startswith(MADE)
        return f"{name}$" if taken else name

    def counter(self) -> str:
        """Returns a new name, which no text has."""
        self.counters += 1
        return f"$k{self.counters}"

    def row(self, numbers: Any) -> str:
        """Returns the name of a constant list of numbers."""
        key = tuple([(type(x), repr(x)) for x in numbers])
        name = f"row_{[*self.rows, key].index(key)}"
        self.rows.setdefault(key, f"const {name} = [{', '.join([constant(x).text for x in numbers])}];\n")
        return name

    def value(self, op: Operation) -> tuple[str, Kind]:
        """Returns the name of the function that is an operation's value, and of which kind its result is."""
        function: Any = op.value
        self.check(function, "a value that is")
        code = function.__code__
        kinds: dict[str, Kind] = dict.fromkeys(code.co_varnames[: code.co_argcount], NUMBER)
        if op.operand_names is None:
            if kinds:
                raise NotWritten(f"operands before *{code.co_varnames[code.co_argcount]}")
            kinds = {code.co_varnames[0]: Row(NUMBER)}
        return self.function(function, kinds, f"value_{op.name}")

    def derivative(self, op: Operation, i: int, local: Any, what: str = "local") -> str:
        """Returns the name of the function that is a local derivative, or null."""
        if local is None:
            return "null"
        self.check(local, "a local derivative that is")
        names = local.__code__.co_varnames[: local.__code__.co_argcount]
        row = op.operand_names is None
        wanted: list[Kind] = [WHOLE, Row(NUMBER), NUMBER] if row else [NUMBER] * (len(op.operand_names or ()) + 1)
        if len(names) != len(wanted):
            raise NotWritten(f"a local derivative with {len(names)} arguments")
        name = f"{what}_{op.name}" + ("" if row else f"_{i}")
        name, kind = self.function(local, dict(zip(names, wanted, strict=True)), name, names[1] if row else "")
        return name if kind != TRUTH else f"(...xs) => Number({name}(...xs))"

    def check(self, function: Any, what: str) -> None:
        """Refuses what is no function written in Python."""
        if not isinstance(function, FunctionType):
            raise NotWritten(f"{what} a {type(function).__name__}, of which there is no text")

    def function(
        self, function: FunctionType, kinds: dict[str, Kind], name: str = "", whole_row: str = ""
    ) -> tuple[str, Kind]:
        """Writes a function for arguments of these kinds, unless it is there; returns its name and the result's kind.

        Raises:
            NotWritten: its text is not available, or JavaScript lacks something that it has.
        """
        key = function, tuple(kinds.items()), whole_row
        if key in self.names:
            return self.names[key]
        if key in self.writing:
            return self.writing[key]
        try:
            text = definition(function)
        except NoTextError as error:
            raise NotWritten(f"{function.__name__}, whose text cannot be had: {error}") from None
        writer = Statements(self, function, kinds)
        writer.whole_row = whole_row
        name = self.free(name or f"call_{text.name or 'lambda'}")
        guess = self.guessed.get(function, NUMBER)
        self.writing[key] = name, guess
        try:
            body = writer.whole(name, text)
        except NotWritten as error:
            raise error if " (line " in str(error) else writer.refuse(str(error)) from None
        del self.writing[key]
        if f"{name}(" in body.partition("{")[2] and writer.returned not in (guess, WHOLE):
            raise writer.refuse(f"{function.__name__}, which calls itself", text.line)
        self.texts[key] = body
        self.names[key] = name, writer.returned
        return self.names[key]

    def free(self, name: str) -> str:
        """Returns a name that no function has yet."""
        taken = {each for each, _ in [*self.names.values(), *self.writing.values()]}
        while name in taken:
            name += "$"
        return name
