"""The settings of an optimiser: what its update depends on besides numbers, as a key, and a copy of it to be tried."""

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
    """The key of what the update of an optimiser depends on besides the numbers that it is given.

    Raises:
        OperandError: an attribute holds something of which nobody sees whether it has changed.
    """
    found = {name: x for name, x in vars(optimizer).items() if name not in GIVEN}
    plain = set(map(type, found.values())) <= PLAIN  # mostly; this is asked at each call
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
    """Copies what an optimiser keeps, but Values and code are the same in the copy."""

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
    """Another optimiser with the same settings, to be tried; nothing that it does to them is seen in the first."""
    one = copy.copy(optimizer)
    for name, x in vars(optimizer).items():
        if name not in GIVEN and type(x) not in PLAIN:
            with contextlib.suppress(Exception):  # what cannot be copied is shared
                setattr(one, name, _copied(x))
    return one
