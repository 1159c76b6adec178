"""What is drawn by chance, or read from a clock, would be one number for ever in a compiled function: it is refused.

A function is traced a second time: what it calculates must be the same, and the generators of random numbers that are
known must not move. No function of another module is replaced for that. What is the same twice, such as today's date,
cannot be told from a constant.
"""

from __future__ import annotations

import functools
import pickle
import random
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.trace.source_lines import Line, witness
from chainrule.compiler.trace.tracing import Traced, bits_of
from chainrule.engine import Value
from chainrule.errors import TraceError

MOST = 5_000
"""So many objects that a function can reach are looked at, the nearest first, for generators of its own."""


def traced_surely(
    name: str,
    function: Callable,
    again: Callable[[Traced | None], Traced],
    arguments: tuple[Callable, Sequence[Any]],
    held: Held | None = None,
) -> Traced:
    """A trace of a function that gives the same each time.

    Args:
        name, function: the function, which messages call so.
        again: traces it; of an earlier trace it gives that one itself where it can tell that the new one is the same.
        arguments: with what `witness` is called, to look for a line.
        held: what the arguments hold besides numbers, if for other things there is another trace: where the function
            changes them, it may give something else.

    Raises:
        TraceError: it gives something else each time.
    """
    generators = _watched([function] if held else [function, *arguments[1]])
    before, was, copy = _states(generators), held and held.state(), held and held.copy()
    first, after = again(None), _states(generators)
    if held and before == after and held.state() != was and _is_sure(first, held, copy):
        return first
    second, last = again(first), _states(generators)
    if (second is first or _alike(first, second)) and after == last:
        return first
    third, end = again(None), _states(generators)  # the first run may have filled a cache
    if _alike(second, third) and bits_of(first.found) == bits_of(third.found) and after == end == before:
        kept = {id(x) for x in third.live}.difference(map(id, first.live))
        return first if kept else third  # no derivative would flow through what it kept of the first run
    _restore(generators, before)
    line = _line(*arguments)
    _restore(generators, before)
    raise TraceError(
        f"{name} gives other numbers each time: by chance, by the clock, or by a state of its own{line}. Compiled, it "
        "would keep those of the first call for ever. Draw before the call, and give what was drawn as an argument: "
        "f(x, noise), and of a batch one for each sample, with in_axes=0; a model with dropout takes its mask so, or "
        "is compiled with the dropout switched off"
    )


@dataclass
class Held:
    """What the arguments hold besides numbers: a function may change that, and draw from it.

    Attributes:
        state: gives a key of it, as it is now.
        copy: gives a copy of it, as it is now; None if there can be none.
        trace: traces the function with such a copy.
    """

    state: Callable[[], Any]
    copy: Callable[..., Any]
    trace: Callable[[Any], Traced]


def _is_sure(first: Traced, held: Held, copy: Any) -> bool:
    """Whether a function that changed what its arguments hold gives the same once more, from a copy of what that was.
    Where there is none, or what is changed is not in it, such as the cell of a function, that is taken to be so."""
    again = copy and held.copy(copy)
    if not again:
        return True
    changed = held.state()
    second = held.trace(copy)
    return held.state() != changed or _gives_same(first, second) or _gives_same(second, held.trace(again))


# ---- whether two traces are the same ---------------------------------------------------------------------------------


def _gives_same(a: Traced, b: Traced) -> bool:
    """Whether they calculate the same from the same numbers, whichever Values hold these."""
    live, others = [bits_of([x.peek_data() for x in traced.live]) for traced in (a, b)]
    return live == others and _calculates_same(a, b)


def _calculates_same(a: Traced, b: Traced) -> bool:
    one, other = a.graph, b.graph
    same = (one.ops, one.operands, one.outputs, one.guards, a.result) == (
        *(other.ops, other.operands, other.outputs, other.guards, b.result),
    )
    return same and len(a.live) == len(b.live) and bits_of(one.numbers) == bits_of(other.numbers)


def _alike(a: Traced, b: Traced) -> bool:
    return _calculates_same(a, b) and all(
        # a Value that the function makes is another one each time
        x is y or (x.is_leaf() and y.is_leaf() and bits_of([x.peek_data()]) == bits_of([y.peek_data()]))
        for x, y in zip(a.live, b.live, strict=True)
    )


def _line(function: Callable, arguments: Sequence[Any]) -> str:
    """The first line at which a number of Python's own differs from one run to the next."""
    try:
        one, other = [witness(function, arguments).constants for _ in range(2)]
    except Exception:  # a line is not worth another error
        return ""
    lines: list[Line] = [line for line, *_ in (one - other)]
    return f" ({lines[0]})" if lines else ""


# ---- generators of random numbers ------------------------------------------------------------------------------------

_GLOBAL = (random, np.random)
"""Those of the modules themselves."""
_KINDS = (random.Random, np.random.Generator, np.random.RandomState)
_IN_CLASSES = (types.FunctionType, staticmethod, classmethod, property, functools.cached_property, *_KINDS)
_LEADING_NOWHERE = (int, float, str, bytes, bool, type(None), np.ndarray, Value)
_IDS_LEADING_NOWHERE = frozenset(map(id, _LEADING_NOWHERE))


_PASSED_BY = ("chainrule.compiler.", "numpy.", "llvmlite.", "ctypes.")
"""In objects of these modules none is looked for."""
_OWN = "chainrule.compiler."
"""Nor in what functions of these modules name, which draw nothing: it would be all of the compiler."""
_KNOWN = sys.stdlib_module_names | {"numpy", "chainrule"}
"""Nor in the attributes of such modules."""


def _watched(things: Sequence[Any]) -> list[Any]:
    """Those of which it is seen whether they move. Another thread may draw from a module's own."""
    found = generators_of(*things)
    return [*_GLOBAL, *[x for x in found if not _is_global(x)]] if threading.active_count() == 1 else found


def _is_global(x: Any) -> bool:
    return x is random or x is np.random


def _state(x: Any) -> Any:
    if isinstance(x, random.SystemRandom):
        return None
    if isinstance(x, np.random.Generator):
        return x.bit_generator.state
    return x.get_state(legacy=False) if x is np.random or isinstance(x, np.random.RandomState) else x.getstate()


def _states(generators: Sequence[Any]) -> list[bytes]:
    return [pickle.dumps(_state(x)) for x in generators]


def _restore(generators: Sequence[Any], states: Sequence[bytes]) -> None:
    for x, pickled in zip(generators, states, strict=True):
        state = pickle.loads(pickled)
        if isinstance(x, np.random.Generator):
            x.bit_generator.state = state
        elif x is np.random or isinstance(x, np.random.RandomState):
            x.set_state(state)
        elif state is not None:
            x.setstate(state)


def generators_of(*things: Any) -> list[Any]:
    """The generators of random numbers that functions and objects can reach: by what functions close over, by the names
    in their code, by defaults, and by what all these hold; the modules `random` and `numpy.random` count as such.

    >>> rng = random.Random(0)
    >>> generators_of(lambda x: x * rng.gauss(0.0, 1.0)) == [rng]
    True
    """
    found: list[Any] = []
    seen: dict[int, Any] = {}
    rest: deque[Sequence[Any]] = deque([things])
    while rest:
        for x in rest.popleft():
            if issubclass(type(x), _LEADING_NOWHERE) or id(x) in seen:
                continue
            if len(seen) == MOST:
                return found
            seen[id(x)] = x
            if issubclass(type(x), _KINDS) or _is_global(x):
                found.append(x)
            else:
                rest.append(_leading_on(x))
    return found


def _leading_on(x: Any) -> Sequence[Any]:
    """What an object leads to; nothing, if that leads nowhere."""
    try:  # an object may do what it likes when it is asked, and is passed by
        # as a list first: other threads may be changing what is shared, and that is copied in one go
        parts = list(x if type(x) is tuple or type(x) is list else _parts(x))
    except Exception:
        return ()
    return () if _IDS_LEADING_NOWHERE.issuperset(map(id, map(type, parts))) else parts


def _parts(x: Any) -> Iterable[Any]:
    """What an object leads to."""
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
        parts = [held for base in x.__mro__ for held in list(vars(base).values()) if isinstance(held, _IN_CLASSES)]
    elif isinstance(x, staticmethod | classmethod | property):
        parts = (x.fget if isinstance(x, property) else x.__func__,)
    elif not isinstance(x, types.ModuleType):
        held = getattr(x, "__dict__", None)
        parts = [type(x), *held.values()] if isinstance(held, dict) else ()
        if type(x).__module__.startswith(_PASSED_BY):
            parts = (getattr(x, "__wrapped__", None),)  # of a compiled function
    return parts


def _owner(method: Any) -> Any:
    """The object of a method; of the functions of `random`, which are methods, the module."""
    module = sys.modules.get(type(method.__self__).__module__)
    return module if getattr(module, method.__name__, None) == method else method.__self__


def _parts_of_function(x: types.FunctionType) -> Iterable[Any]:
    cells = [cell.cell_contents for cell in x.__closure__ or () if _is_filled(cell)]
    names = () if str(x.__globals__.get("__name__")).startswith(_OWN) else _names(x.__code__)
    named = [x.__globals__.get(name, sys.modules.get(name)) for name in names]
    numpys = [np.random] if "random" in names and any(part is np for part in named) else []
    modules = [part for part in named if isinstance(part, types.ModuleType)]
    used = [vars(module) for module in modules if module.__name__.partition(".")[0] not in _KNOWN]
    theirs = [held[name] for held in used for name in names if name in held]
    return [*cells, *(x.__defaults__ or ()), *(x.__kwdefaults__ or {}).values(), *named, *numpys, *theirs]


def _names(code: types.CodeType) -> set[str]:
    """All names in a function's code, and in that of the functions within it."""
    within = [_names(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return set(code.co_names).union(*within)


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - what is asked is whether that fails
    except ValueError:
        return False
    return True
