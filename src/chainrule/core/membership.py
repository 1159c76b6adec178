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

import builtins
import dis
import sys
from bisect import bisect
from functools import lru_cache
from types import BuiltinMethodType, CodeType, FrameType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType

_COMPARE, _CONTAINS = dis.opmap["COMPARE_OP"], dis.opmap["CONTAINS_OP"]
_METHODS = {"index", "remove", "count", "__contains__", "contains", "indexOf", "countOf"}  # of lists, and of operator
_ATTRIBUTES = ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SUPER_ATTR")
_IN_C = (BuiltinMethodType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType)
_NOTHING_LOADED = ("PUSH_NULL", "NOP", "EXTENDED_ARG", "KW_NAMES")
_ENGINE = ("chainrule.engine", "chainrule.storage.value_base")
_NEVER_GOES_ON = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "RETURN_VALUE", "RAISE_VARARGS")


def by_identity() -> bool:
    """Returns whether the comparison of two Values that is going on is part of a membership test."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in _ENGINE:
        frame = frame.f_back  # `__eq__` itself, which has frames if Python runs the engine's file
    if frame is None:
        return False
    instruction = frame.f_code.co_code[frame.f_lasti]
    if instruction in (_COMPARE, _CONTAINS):
        return instruction == _CONTAINS
    name, is_attribute = _called(frame.f_code, frame.f_lasti)
    if is_attribute:
        return name in _METHODS
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if name in names:
            return isinstance(names[name], _IN_C) and names[name].__name__ in _METHODS
    return False


@lru_cache(maxsize=256)
def _called(code: CodeType, offset: int) -> tuple[str, bool]:
    """Returns the name of what the call at this offset calls, or "" if it has none, and whether it is an attribute.

    The callee lies below its arguments on the stack. Going back instruction by instruction, it is what was loaded when
    the stack was as high as without the arguments.
    """
    instructions = list(dis.get_instructions(code))
    at = bisect([instruction.offset for instruction in instructions], offset) - 1  # `offset` may be in a call's cache
    if instructions[at - 1].opname == "PRECALL":  # Python 3.11 calls in two instructions
        at -= 1
    call = instructions[at]
    if "CALL" not in call.opname:
        return "", False
    higher = (call.arg or 0) if call.opname == "PRECALL" else -1 - dis.stack_effect(call.opcode, call.arg)
    while at > 0:
        at, jumped = _before(instructions, at)
        now = instructions[at]
        effect = dis.stack_effect(now.opcode, now.arg, jump=jumped)
        if higher == 0 and effect >= 0 and now.opname not in _NOTHING_LOADED:
            named = now.opname.startswith("LOAD_") and isinstance(now.argval, str)
            return (now.argval if named else ""), now.opname in _ATTRIBUTES
        higher -= effect if now.opname != "PUSH_NULL" or higher else 0
    return "", False


def _before(instructions: list[dis.Instruction], at: int) -> tuple[int, bool]:
    """Returns the index of the instruction that runs before another, and whether it jumps there."""
    if instructions[at - 1].opname in _NEVER_GOES_ON:
        for i, instruction in enumerate(instructions[:at]):
            if instruction.opcode in dis.hasjrel + dis.hasjabs and instruction.argval == instructions[at].offset:
                return i, True
    return at - 1, False
