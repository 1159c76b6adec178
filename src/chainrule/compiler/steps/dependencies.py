"""Dependencies: what the code of an optimiser or of a schedule reads besides its arguments, such as globals, attributes
of its class and of modules, and closure variables. Native code contains their values at compile time; `Reads.changed`
says whether they have changed since.
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
"""Modules whose functions return something different at each call."""
CHANGING_BUILTINS = {"open", "input"}
LIBRARIES = {*sys.stdlib_module_names, "chainrule", "numpy", "scipy"} - {"__main__"}
"""Modules whose functions are not looked into: what they read is assumed not to change."""
FIXED = (int, float, str, types.ModuleType)
PLAIN = (int, float, str, bool, complex, bytes, type(None), Value, Operation, types.BuiltinFunctionType)


class Reads:
    """Everything that some functions read, with its values at the time.

    Args:
        functions: the functions.
        known: objects whose changes are detected elsewhere.
        why: for the error, why the functions must not read what changes at each call.

    Attributes:
        named: namespaces, names in them, and the objects that these referred to.
        cells: closure cells, and what they contained.
        deep: mutable objects, with their keys (see `static_key`).
        names: all names that occur in the code.

    Raises:
        TraceError: a function reads something whose changes cannot be detected.
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
        while len(self._noted) > before:  # a method may read another method of its class
            before = len(self._noted)
            for kind in list(self._classes):
                self._class(kind)

    def changed(self) -> bool:
        """Returns whether anything differs from what was noted."""
        for space, name, x in self.named:
            if space.get(name) is not x:
                return True
        for cell, x in self.cells:
            if content(cell) is not x:
                return True
        return any(static_key(x) != key for x, key in self.deep)

    # ---- following ----
    def _follow(self, x: Any, names: frozenset[str]) -> None:
        """Notes what `x` depends on; it is read by code in which `names` occur."""
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
        """Notes the attributes of a class and of its bases whose names occur in the code."""
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
        if hasattr(x, "__wrapped__"):  # such as a function under functools.lru_cache
            self._follow(x.__wrapped__, names)
            return
        try:
            self.deep.append((x, static_key(x)))
        except Exception:  # an iterator, or an object whose contents cannot be inspected
            raise self._refused(f"the {type(x).__name__}") from None
        if not is_library(type(x)):
            self._classes[type(x)] = None

    def _refused(self, what: str) -> TraceError:
        return TraceError(f"it uses {what}, {self._why}")


class _Namespace:
    """A namespace: the attributes of a function, or of a class and its bases. For a context variable or a weak
    reference, every name gives what it refers to."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def get(self, name: str) -> Any:
        """Returns what the name stands for (a property is not evaluated); None if there is nothing."""
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
    """Returns the content of a closure cell; None if it is still empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def names_of(code: types.CodeType, opnames: Container[str] | None = None) -> frozenset[str]:
    """Returns the names that occur in code, including the functions within it.

    Args:
        code: the code.
        opnames: the instructions whose names are wanted; by default all, including those that read attributes.

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
    """Returns the name of the module that defines `x`; for a method, of the module that defines its object's class."""
    owner = getattr(x, "__self__", None)  # random.gauss is a method of a hidden generator
    of_owner = isinstance(x, types.MethodType | types.BuiltinFunctionType) and not isinstance(owner, types.ModuleType)
    module = getattr(type(owner) if of_owner and owner is not None else x, "__module__", None)
    return module if isinstance(module, str) else ""


def is_library(x: Any) -> bool:
    """Returns whether a function or class belongs to Python or to one of `LIBRARIES`."""
    return module_of(x).partition(".")[0] in LIBRARIES or module_of(x) == builtins.__name__
