"""What `==` means between Values, and with what is no number.

First, it tells a comparison `a == b` from a membership test, such as `v in nodes` or `nodes.index(v)`.

To Python both are comparisons: a list compares each of its items with the one looked for. For numbers this is right,
but two nodes of a graph that happen to have equal numbers are still two nodes, and a search that takes one for the
other loses part of the graph. So membership of Values goes by identity, as it does in sets and in the keys of dicts,
and `a == b` by number.

The current bytecode instruction of the calling frame tells the two apart: it is that of `==`, that of `in`, or a call,
which is a membership test if the callee has the name of one. (A method written in Python has a frame of its own, with
such an instruction in turn.) A call from within C, as in `map(nodes.index, values)`, is not recognised.

Second, an object of another kind that compares in a way of its own, such as `pytest.approx(0.5)` or a Decimal, is asked
about the number, as for a float, if it knows nothing of the Value.
"""

from __future__ import annotations

import dis
import sys
from types import BuiltinMethodType, FrameType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType
from typing import Any

from chainrule.core.arrays import is_table, takes_over
from chainrule.core.instructions import called, found
from chainrule.core.modes import modes
from chainrule.errors import TraceError, shown

_COMPARE, _CONTAINS = dis.opmap["COMPARE_OP"], dis.opmap["CONTAINS_OP"]
_METHODS = {"index", "remove", "count", "__contains__", "contains", "indexOf", "countOf"}  # of lists, and of operator
_IN_C = (BuiltinMethodType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType)
_ENGINE = ("chainrule.engine", "chainrule.storage.value_base", "chainrule.core.ufuncs")


def by_identity() -> bool:
    """Returns whether the comparison of two Values that is going on is part of a membership test."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in _ENGINE:
        frame = frame.f_back  # `__eq__` itself, if Python runs the engine's file; or NumPy comes by, `v in array`
    if frame is None:
        return False
    instruction = frame.f_code.co_code[frame.f_lasti]
    if instruction in (_COMPARE, _CONTAINS):
        return instruction == _CONTAINS
    name = called(frame.f_code, frame.f_lasti)
    if len(name) > 1:  # a method
        return name[-1] in _METHODS
    callee = found(frame, name)
    return isinstance(callee, _IN_C) and callee.__name__ in _METHODS


def equals(value: Any, x: Any) -> Any:
    """Returns what `value == x` gives for an `x` that is no number: NotImplemented, so that Python asks `x`, or goes by
    identity; or what `x` says of the number.

    Raises:
        TraceError: a compiled function asks, which would keep the answer for the numbers of its first call.
    """
    kind = type(x)
    plain = (kind.__module__ == "builtins" and kind is not complex) or kind.__eq__ is object.__eq__
    if plain or hasattr(kind, "_record") or takes_over(x) or is_table(kind):
        return NotImplemented
    answer = x.__eq__(value)
    if answer is not NotImplemented and answer is not False:
        return answer
    if modes.trace is not None:
        raise TraceError(f"a compiled function cannot compare a number with {shown(x)}: return it, and compare outside")
    try:
        return value.peek_data() == x
    except (AttributeError, TypeError):  # it knows its own kind alone
        return answer


def differs(value: Any, x: Any) -> Any:
    """Returns what `value != x` gives for an `x` that is no number: the contrary."""
    answer = equals(value, x)
    return not answer if isinstance(answer, bool) else NotImplemented
