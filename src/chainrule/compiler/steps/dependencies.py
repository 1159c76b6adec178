"""What the code of an optimiser or of a schedule reads besides what it is given: globals, attributes of its class and
of modules, what its functions close over. Native code holds what was there when it was made; this says whether it is
still the same.
"""

from __future__ import annotations

import builtins
import contextvars
import dis
import functools
import sys
import types
import weakref
from collections.abc import Container, Iterable, Mapping
from typing import Any

from chainrule.compiler.calling.static_keys import static_key
from chainrule.core.operation import Operation
from chainrule.engine import Value
from chainrule.errors import TraceError

CHANGING = {"time", "datetime", "random", "secrets", "uuid", "os", "posix", "pathlib", "socket", "numpy.random"}
"""Modules whose functions say something else at each call."""
CHANGING_BUILTINS = {"open", "input"}
LIBRARIES = {*sys.stdlib_module_names, "chainrule", "numpy", "scipy"} - {"__main__"}
"""What the functions of these read is theirs."""
FIXED = (int, float, str, types.ModuleType)
PLAIN = (int, float, str, bool, complex, bytes, type(None), Value, Operation, types.BuiltinFunctionType)


class Reads:
    """What some functions read, and what it was.

    Args:
        functions: what is run.
        known: objects that are looked after elsewhere.
        why: why the functions must not read what is another at each call, for the error.

    Attributes:
        named: namespaces, names in them, and what these stood for.
        cells: what functions close over, and what that was.
        deep: things that may change themselves, with their keys.
        names: all names that stand in the code.

    Raises:
        TraceError: one reads something of which nobody knows when it changes.
    """

    def __init__(self, functions: Iterable[Any], known: Iterable[Any] = (), why: str = "") -> None:
        self.named: list[tuple[Mapping[str, Any] | _Namespace, str, Any]] = []
        self.cells: list[tuple[types.CellType, Any]] = []
        self.deep: list[tuple[Any, Any]] = []
        self.names = {"updated", "__call__"}
        self._why, self._noted = why, set[tuple[int, str]]()
        self._seen: dict[int, Any] = {id(x): x for x in known}
        self._classes = {type(x): None for x in known if not is_library(type(x))}
        for function in functions:
            self._follow(function, frozenset())
        before = -1
        while len(self._noted) > before:  # what a method reads of its class may be a method again
            before = len(self._noted)
            for kind in list(self._classes):
                self._class(kind)

    def changed(self) -> bool:
        """Whether anything is another than it was."""
        for space, name, x in self.named:
            if space.get(name) is not x:
                return True
        for cell, x in self.cells:
            if content(cell) is not x:
                return True
        return any(static_key(x) != key for x, key in self.deep)

    # ---- following ----
    def _follow(self, x: Any, names: frozenset[str]) -> None:
        """Looks into something that is read by code in which these names stand."""
        if isinstance(x, types.ModuleType):
            self._module(x, names)
        elif module_of(x) in CHANGING and (callable(x) or isinstance(x, type)):
            raise self._refused(f"{module_of(x)}.{getattr(x, '__name__', x)}")
        elif isinstance(x, PLAIN) or id(x) in self._seen:
            return
        elif isinstance(x, types.MethodType):
            self._follow(x.__func__, names)
            self._follow(x.__self__, names)
        elif isinstance(x, contextvars.ContextVar | weakref.ref):
            self._note(x, _Namespace(x), "what it holds", names)
        elif isinstance(x, functools.partial):
            for part in (x.func, *x.args, *x.keywords.values()):
                self._follow(part, names)
        else:
            self._seen[id(x)] = x
            if isinstance(x, types.FunctionType):
                self._function(x)
            elif isinstance(x, type):
                self._classes[x] = None
            else:
                self._object(x, names)

    def _function(self, function: types.FunctionType) -> None:
        if is_library(function):
            return
        names = names_of(function.__code__)
        self.names |= names
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            self._note(function, _Namespace(function), name, names)
        self._note_all(function, vars(function), names)
        variables = names_of(function.__code__, {"LOAD_GLOBAL", "LOAD_NAME"})
        for name in sorted(variables & function.__globals__.keys()):
            self._note(function.__globals__, function.__globals__, name, names)
        for name in sorted(names_of(function.__code__, {"IMPORT_NAME"}) & sys.modules.keys()):
            self._follow(sys.modules[name], names)
        for name in (variables & CHANGING_BUILTINS) - function.__globals__.keys():
            raise self._refused(name)
        for cell in function.__closure__ or ():
            self.cells.append((cell, content(cell)))
            self._follow(content(cell), names)

    def _note_all(self, owner: Any, space: Mapping[str, Any], names: frozenset[str]) -> None:
        for name in sorted(names & space.keys()):
            self._note(owner, space, name, names)

    def _note(self, owner: Any, space: Mapping[str, Any] | _Namespace, name: str, names: frozenset[str]) -> None:
        if (id(owner), name) not in self._noted:
            self._noted.add((id(owner), name))
            x = space.get(name)
            self.named.append((space, name, x))
            self._follow(x, names)

    def _module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        if module.__name__ in CHANGING:
            asked = [name for name in sorted(names & vars(module).keys()) if not isinstance(vars(module)[name], FIXED)]
            if asked:
                raise self._refused(f"{module.__name__}.{asked[0]}")
        self._note_all(module, vars(module), names)

    def _class(self, kind: type) -> None:
        """Of a class and of those above it, all that is read under a name in the code."""
        names = frozenset(self.names)
        for base in kind.__mro__:
            if not is_library(base):
                for name in sorted(name for name in names if _class_attribute(base, name) is not None):
                    self._note(base, _Namespace(base), name, names)

    def _object(self, x: Any, names: frozenset[str]) -> None:
        if isinstance(x, staticmethod | classmethod | property):
            self._follow(x.fget if isinstance(x, property) else x.__func__, names)
            return
        if isinstance(x, types.CodeType):
            return
        if hasattr(x, "__wrapped__"):  # a function that remembers its results
            self._follow(x.__wrapped__, names)
            return
        try:
            self.deep.append((x, static_key(x)))
        except Exception:  # an iterator, or an object that cannot be asked for what it holds
            raise self._refused(f"the {type(x).__name__}") from None
        if not is_library(type(x)):
            self._classes[type(x)] = None

    def _refused(self, what: str) -> TraceError:
        return TraceError(f"it uses {what}, {self._why}")


class _Namespace:
    """The attributes of a function, or those of a class and of the classes above it, as a namespace; or what a variable
    of the context or a weak reference holds, whatever the name."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def get(self, name: str) -> Any:
        """What stands there itself, such as a property; None if there is nothing."""
        owner = self.owner
        if isinstance(owner, contextvars.ContextVar):
            return owner.get(None)
        if isinstance(owner, weakref.ref):
            return owner()
        return _class_attribute(owner, name) if isinstance(owner, type) else getattr(owner, name, None)


def _class_attribute(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


def content(cell: types.CellType) -> Any:
    """What is in a cell; None if there is nothing yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def names_of(code: types.CodeType, opnames: Container[str] | None = None) -> frozenset[str]:
    """The names that stand in code, that of the functions within it included.

    Args:
        code: where to look.
        opnames: the instructions that have the names; by default all, those that read attributes among them.

    >>> sorted(names_of((lambda xs: [math.sqrt(x) for x in xs]).__code__))
    ['math', 'sqrt']
    """
    found = set(code.co_names)
    if opnames is not None:
        found = {step.argval for step in dis.get_instructions(code) if step.opname in opnames}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= names_of(constant, opnames)
    return frozenset(found)


def module_of(x: Any) -> str:
    """The module that something stands in."""
    owner = getattr(x, "__self__", None)  # random.gauss is the method of a generator that nobody sees
    of_owner = isinstance(x, types.MethodType | types.BuiltinFunctionType) and not isinstance(owner, types.ModuleType)
    module = getattr(type(owner) if of_owner and owner is not None else x, "__module__", None)
    return module if isinstance(module, str) else ""


def is_library(x: Any) -> bool:
    """Whether a function or class is one of Python's own, or of the libraries that the compiler knows."""
    return module_of(x).partition(".")[0] in LIBRARIES or module_of(x) == builtins.__name__
