"""Generators of random numbers: which of them a function can reach, and whether their state changes."""

from __future__ import annotations

import functools
import pickle
import random
import sys
import threading
import types
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.engine import Value

MOST_OBJECTS = 5_000
"""At most this many of the objects that a function can reach are searched for generators, the nearest first."""

_IN_CLASSES = (types.FunctionType, staticmethod, classmethod, property, functools.cached_property)
_WITHOUT_REFERENCES = (int, float, str, bytes, bool, type(None), np.ndarray, Value)
_IDS_WITHOUT_REFERENCES = frozenset(map(id, _WITHOUT_REFERENCES))
_SKIPPED_MODULES = ("chainrule.compiler.", "numpy.", "llvmlite.", "ctypes.")
"""Objects of these modules are not searched."""
_COMPILER = "chainrule.compiler."
"""The names in functions of these modules are not followed: they draw nothing, and lead to all of the compiler."""
_KNOWN = sys.stdlib_module_names | {"numpy", "chainrule"}
"""The attributes of these modules are not searched."""


def numpys_are_there() -> bool:
    """Whether NumPy's generators are loaded. Loading them takes 13 ms, so they are not loaded just to be searched
    for."""
    return "numpy.random" in sys.modules


def generator_kinds() -> tuple[type, ...]:
    """The classes of generators of random numbers."""
    numpys = (np.random.Generator, np.random.RandomState) if numpys_are_there() else ()
    return random.Random, *numpys


def watched(things: Sequence[Any]) -> list[Any]:
    """The generators whose state is compared: those that the things can reach, and those of the modules themselves,
    unless another thread may draw from these."""
    generators = generators_of(*things)
    if threading.active_count() > 1:
        return generators
    modules = [random, np.random] if numpys_are_there() else [random]
    return [*modules, *[x for x in generators if not _is_module(x)]]


def _is_module(x: Any) -> bool:
    return x is random or x is sys.modules.get("numpy.random")


def _state(x: Any) -> Any:
    if isinstance(x, random.SystemRandom):
        return None
    if x is random or isinstance(x, random.Random):
        return x.getstate()
    return x.bit_generator.state if isinstance(x, np.random.Generator) else x.get_state(legacy=False)


def states(generators: Sequence[Any]) -> list[bytes]:
    """The pickled states of generators, on which the numbers that they draw next depend."""
    return [pickle.dumps(_state(x)) for x in generators]


def restore(generators: Sequence[Any], states: Sequence[bytes]) -> None:
    """Sets generators back to these states."""
    for x, pickled in zip(generators, states, strict=True):
        state = pickle.loads(pickled)
        if x is random or isinstance(x, random.Random):
            if state is not None:
                x.setstate(state)
        elif isinstance(x, np.random.Generator):
            x.bit_generator.state = state
        else:
            x.set_state(state)


def generators_of(*things: Any) -> list[Any]:
    """The generators of random numbers that functions and objects can reach: through variables that functions close
    over, names in their code, defaults, and everything that these hold. The modules `random` and `numpy.random` count
    as generators.

    >>> rng = random.Random(0)
    >>> generators_of(lambda x, rng=rng: x * rng.gauss(0.0, 1.0)) == [rng]
    True
    """
    kinds = generator_kinds()
    generators: list[Any] = []
    seen: dict[int, Any] = {}
    rest: deque[Sequence[Any]] = deque([things])
    while rest:
        for x in rest.popleft():
            if issubclass(type(x), _WITHOUT_REFERENCES) or id(x) in seen:
                continue
            if len(seen) == MOST_OBJECTS:
                return generators
            seen[id(x)] = x
            if issubclass(type(x), kinds) or _is_module(x):
                generators.append(x)
            else:
                rest.append(_references(x))
    return generators


def _references(x: Any) -> Sequence[Any]:
    """The objects that an object refers to; none, if all of them are of types without references."""
    try:  # an object may do what it likes when it is asked, and is passed by
        # as a list first: other threads may be changing what is shared, and that is copied in one go
        parts = list(x if type(x) is tuple or type(x) is list else _parts(x))
    except Exception:
        return ()
    return () if _IDS_WITHOUT_REFERENCES.issuperset(map(id, map(type, parts))) else parts


def _parts(x: Any) -> Iterable[Any]:
    """The objects that an object refers to."""
    parts: Iterable[Any] = ()
    if isinstance(x, types.FunctionType):
        parts = _parts_of_function(x)
    elif isinstance(x, types.MethodType | types.BuiltinMethodType):
        parts = _owner(x), getattr(x, "__func__", None)
    elif isinstance(x, functools.partial):
        parts = x.func, *x.args, *x.keywords.values()
    elif isinstance(x, list | tuple | set | frozenset):
        parts = x
    elif isinstance(x, dict):
        parts = x.values()
    elif isinstance(x, type):
        kinds = (*_IN_CLASSES, *generator_kinds())
        parts = [held for base in x.__mro__ for held in list(vars(base).values()) if isinstance(held, kinds)]
    elif isinstance(x, staticmethod | classmethod | property):
        parts = (x.fget if isinstance(x, property) else x.__func__,)
    elif not isinstance(x, types.ModuleType):
        held = getattr(x, "__dict__", None)
        parts = [type(x), *held.values()] if isinstance(held, dict) else ()
        if type(x).__module__.startswith(_SKIPPED_MODULES):
            parts = (getattr(x, "__wrapped__", None),)  # of a compiled function
    return parts


def _owner(method: Any) -> Any:
    """The object of a method; for the functions of `random`, which are methods, the module."""
    module = sys.modules.get(type(method.__self__).__module__)
    return module if getattr(module, method.__name__, None) == method else method.__self__


def _parts_of_function(x: types.FunctionType) -> Iterable[Any]:
    cells = [cell.cell_contents for cell in x.__closure__ or () if _is_filled(cell)]
    names = () if str(x.__globals__.get("__name__")).startswith(_COMPILER) else _names(x.__code__)
    named = [x.__globals__.get(name, sys.modules.get(name)) for name in names]
    numpys = [np.random] if "random" in names and any(part is np for part in named) else []
    modules = [part for part in named if isinstance(part, types.ModuleType)]
    used = [vars(module) for module in modules if module.__name__.partition(".")[0] not in _KNOWN]
    theirs = [held[name] for held in used for name in names if name in held]
    return [*cells, *(x.__defaults__ or ()), *(x.__kwdefaults__ or {}).values(), *named, *numpys, *theirs]


def _names(code: types.CodeType) -> set[str]:
    """All names in a function's code and in the code of the functions inside it."""
    within = [_names(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return set(code.co_names).union(*within)


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - what is asked is whether that fails
    except ValueError:
        return False
    return True
