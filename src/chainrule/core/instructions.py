"""Reads which instruction of a frame is running, and what it calls, which Python does not tell its special methods.

`__eq__` is not told whether `==` or `in` asks it, nor `__float__` whether `math.tanh(v)` or `"%.2f" % v` does. The
bytecode of the calling frame tells.
"""

from __future__ import annotations

import builtins
import dis
from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from types import CodeType, FrameType, ModuleType
from typing import Any

_ATTRIBUTES = ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SUPER_ATTR")
_NOTHING_LOADED = ("PUSH_NULL", "NOP", "EXTENDED_ARG", "KW_NAMES")
_NEVER_GOES_ON = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "RETURN_VALUE", "RAISE_VARARGS")


@lru_cache(maxsize=256)
def called(code: CodeType, offset: int) -> tuple[str, ...]:
    """Returns the name of what the call at this offset calls, part by part: ("math", "tanh"). A part that is no name,
    such as the list in `[a].index(b)`, is ""; of what has no name at all, nothing is returned.

    The callee lies below its arguments on the stack. Going back instruction by instruction, it is what was loaded when
    the stack was as high as without the arguments.
    """
    instructions = list(dis.get_instructions(code))
    at = _index(instructions, offset)
    if instructions[at - 1].opname == "PRECALL":  # Python 3.11 calls in two instructions
        at -= 1
    call = instructions[at]
    if "CALL" not in call.opname:
        return ()
    higher = (call.arg or 0) if call.opname == "PRECALL" else -1 - dis.stack_effect(call.opcode, call.arg)
    while at > 0:
        at, jumped = _before(instructions, at)
        now = instructions[at]
        effect = dis.stack_effect(now.opcode, now.arg, jump=jumped)
        if higher == 0 and effect >= 0 and now.opname not in _NOTHING_LOADED:
            return _name(instructions, at)
        higher -= effect if now.opname != "PUSH_NULL" or higher else 0
    return ()


def operator_of(frame: FrameType) -> str:
    """Returns the operator that a frame is at, such as "%" or "%="; "" if it is at none."""
    instructions = list(dis.get_instructions(frame.f_code))
    now = instructions[_index(instructions, frame.f_lasti)]
    return now.argrepr if now.opname == "BINARY_OP" else ""


def found(frame: FrameType, name: Sequence[str]) -> Any:
    """Returns what a name, part by part, stands for in a frame. Only the attributes of modules are looked up, since
    those of other objects may run code; None if the name leads elsewhere, or nowhere."""
    if not name:
        return None
    thing: Any = None
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if name[0] in names:
            thing = names[name[0]]
            break
    for part in name[1:]:
        thing = vars(thing).get(part) if isinstance(thing, ModuleType) else None
    return thing


def _index(instructions: Sequence[dis.Instruction], offset: int) -> int:
    """Returns the index of the instruction at an offset, which may lie in the cache behind it."""
    return bisect([instruction.offset for instruction in instructions], offset) - 1


def _name(instructions: Sequence[dis.Instruction], at: int) -> tuple[str, ...]:
    """Returns the name that is loaded at an index, with those of the objects whose attribute it is."""
    parts: list[str] = []
    while at >= 0 and instructions[at].opname in _ATTRIBUTES:
        parts.append(str(instructions[at].argval))
        at -= 1
    last = instructions[at]
    named = last.opname.startswith("LOAD_") and isinstance(last.argval, str) and last.opname not in _ATTRIBUTES
    if named or parts:
        parts.append(last.argval if named else "")
    return tuple(reversed(parts))


def _before(instructions: Sequence[dis.Instruction], at: int) -> tuple[int, bool]:
    """Returns the index of the instruction that runs before another, and whether it jumps there."""
    if instructions[at - 1].opname in _NEVER_GOES_ON:
        for i, instruction in enumerate(instructions[:at]):
            if instruction.opcode in dis.hasjrel + dis.hasjabs and instruction.argval == instructions[at].offset:
                return i, True
    return at - 1, False
