"""The settings of an optimiser, such as momentum: a key of them, and a copy of an optimiser for trial runs."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import types
from typing import Any

from chainrule.compiler.calling.static_keys import static_key
from chainrule.engine import Value
from chainrule.errors import OperandError
from chainrule.nn import Module
from chainrule.optim import Optimizer


def settings(optimizer: Optimizer) -> Any:
    """Returns a key of the attributes on which an optimiser's update depends, other than the numbers that it is given
    at each step.

    Raises:
        OperandError: an attribute holds something whose changes cannot be detected.
    """
    found = {name: x for name, x in vars(optimizer).items() if name not in GIVEN}
    plain = set(map(type, found.values())) <= PLAIN  # a short cut for most optimisers, since this runs at each call
    if plain:
        return tuple(found.items())
    try:
        return static_key(found)
    except OperandError as error:
        name = next((name for name, x in found.items() if not _has_key(name, x)), next(iter(found)))
        raise OperandError(
            f"its attribute {name!r}, a {type(found[name]).__name__}, cannot be compared with what it was at the step "
            "before: let the optimizer keep numbers, lists or functions of them"
        ) from error


def _has_key(name: str, x: Any) -> bool:
    try:
        static_key({name: x})
    except OperandError:
        return False
    return True


GIVEN = {"parameters", "memory", "steps", "schedule"}
PLAIN = {float, int, bool, str, type(None)}


class _Copies(pickle.Pickler):
    """A pickler that copies an optimiser's attributes, but shares Values, Modules, functions, modules and classes."""

    shared: list[Any]

    def persistent_id(self, x: Any) -> int | None:
        if not isinstance(x, Value | Module | types.FunctionType | types.MethodType | types.ModuleType | type):
            return None
        self.shared.append(x)
        return len(self.shared) - 1


class _Copied(pickle.Unpickler):
    shared: list[Any]

    def persistent_load(self, pid: int) -> Any:
        return self.shared[pid]


def _copied(x: Any) -> Any:
    stream = io.BytesIO()
    writer = _Copies(stream)
    writer.shared = []
    writer.dump(x)
    stream.seek(0)
    reader = _Copied(stream)
    reader.shared = writer.shared
    return reader.load()


def trial_copy(optimizer: Optimizer) -> Optimizer:
    """Copies an optimiser for trial runs, which may change its settings without changing those of the original."""
    one = copy.copy(optimizer)
    for name, x in vars(optimizer).items():
        if name not in GIVEN and type(x) not in PLAIN:
            with contextlib.suppress(Exception):  # an attribute that cannot be copied is shared
                setattr(one, name, _copied(x))
    return one
