"""Tells a comparison `a == b` from a membership test, such as `v in nodes` or `nodes.index(v)`.

To Python both are comparisons: a list compares each of its items with the one looked for. For numbers this is right,
but two nodes of a graph that happen to have equal numbers are still two nodes, and a search that takes one for the
other loses part of the graph. So membership of Values goes by identity, as it does in sets and in the keys of dicts,
and `a == b` by number.

The current bytecode instruction of the calling frame tells the two apart: it is that of `==`, that of `in`, or a call,
which is a membership test if the callee has the name of one. (A method written in Python has a frame of its own, with
such an instruction in turn.) A call from within C, as in `map(nodes.index, values)`, is not recognised.
"""

from __future__ import annotations

import dis
import sys
from types import BuiltinMethodType, FrameType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType

from chainrule.core.instructions import called, found

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
