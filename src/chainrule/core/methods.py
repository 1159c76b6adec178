"""Operations as methods of classes: of `Value`, so that `x.tanh()` works, and of the symbols of the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.arrays import method_names

HOSTS: dict[type, tuple[Callable[[Any, str, Any], None], Callable[[Any, str], None]]] = {}
"""The classes that have them, each with functions that set and delete an attribute of it."""

_hidden: dict[tuple[type, str], Any] = {}
"""What a class had under the name of an operation, such as a name of other engines: it comes back with its error."""


def add(host: type, record: Any) -> None:
    """Makes an operation a method of a class."""
    set_attribute, _ = HOSTS[host]
    for name in _names(record):
        if name in vars(host):
            _hidden[host, name] = vars(host)[name]
        set_attribute(host, name, record)


def remove(record: Any) -> None:
    """Takes an operation away from all classes."""
    for host, (set_attribute, delete_attribute) in HOSTS.items():
        for name in _names(record):
            delete_attribute(host, name)
            if (host, name) in _hidden:
                set_attribute(host, name, _hidden.pop((host, name)))


def _names(record: Any) -> tuple[str, ...]:
    """The names of the methods; weighted_sum(weights, inputs, bias), say, is not about one of its operands."""
    return () if record.takes_lists else tuple(method_names(record.name))
