"""The error for a Value that is asked for a plain float, with the mended code of the very mistake that was made.

`float(v)`, `round(v)`, `"%.2f" % v` and `math.tanh(v)` all arrive as the call of a special method. What stands in the
user's line is read from the calling frame, and only then: a Value that is not asked pays nothing.
"""

from __future__ import annotations

import os
import sysconfig
from types import BuiltinFunctionType, FrameType
from typing import Any, NoReturn

from chainrule.core.instructions import called, found, operator_of
from chainrule.core.modes import caller, modes, place
from chainrule.core.operation import HOW_TO_ADD, TABLE
from chainrule.errors import OperandError

_OTHERWISE = {
    "degrees": "v * (180 / math.pi)",
    "dist": "chainrule.norm([a - b for a, b in zip(p, q)])",
    "fabs": "abs(v)",
    "fsum": "chainrule.sum(values)",
    "isclose": "abs(a - b) <= 1e-9 * abs(b)",
    "isfinite": "abs(v) < math.inf",
    "isinf": "abs(v) == math.inf",
    "isnan": "v != v",
    "radians": "v * (math.pi / 180)",
    "sumprod": "chainrule.weighted_sum(p, q)",
}
"""What is written in place of functions of `math` that have no operation of their name."""

_PLAIN: dict[Any, tuple[str, str]] = {
    float: ("go on with v itself, or take the number alone, v.data", "float(y)"),
    int: ("say int(v.data) for the number alone", "int(y)"),
    complex: ("say complex(v.data) for the number alone", "complex(y)"),
    round: ('say round(v.data, 2) for the number alone, or f"{v:.2f}" for its text', "round(y, 2)"),
}
"""For functions of Python's own: the mended code, and what to write of the result of a compiled function."""

_TEXT = 'say f"{v:.2f}", or "%.2f" % v.data', '"%.2f" % y'
_ANY = "say chainrule.exp(v), not math.exp(v), or take the number alone, v.data"
_ARRAY = "leave the array as it is, or take the numbers alone, np.array([v.data for v in values])"
_TRACED = "in a compiled function v.data is a Value as well"


def refuse_float() -> NoReturn:
    """Refuses to give a plain float, for the special methods by which Python asks for one.

    Raises:
        OperandError: always; it says what asked, and what to write in its place.
    """
    raise OperandError(f"a float would lose the gradient: {_mended(caller())}")


def refuse_index() -> NoReturn:
    """Refuses to be the index of a list, as of `["no", "yes"][v > 0]`, where a comparison is a Value as well.

    Raises:
        OperandError: always.
    """
    number = "xs[int(v.data)], for a comparison xs[bool(v > 0)]"
    if modes.trace is not None:
        number = "chainrule.take(xs, v), for an int argument i xs[int(i) + 1], which is traced for each integer anew"
    said = f"say {number}, or chainrule.select(v > 0, a, b) where derivatives are to flow into a and b"
    raise OperandError(f"a Value is no index, since its number is a float: {said}")


def _mended(frame: FrameType) -> str:
    outer = _users(frame)
    name = called(outer.f_code, outer.f_lasti)
    if outer is not frame:
        return _of_library(".".join(name) or "what is called", f" (it is asked for at {place(frame)})")
    callee = found(frame, name)
    if operator_of(frame).startswith("%"):
        return _outside(*_TEXT)
    if isinstance(callee, BuiltinFunctionType | type):
        if callee in _PLAIN:
            return _outside(*_PLAIN[callee])
        if callee.__module__ == "math":
            return _of_math(callee.__name__)
        if callee.__module__ != "builtins":
            return _of_library(".".join(name), "")
    said = _ARRAY if name[-1:] == ("astype",) else _ANY
    return said if modes.trace is None else f"{said.partition(', or')[0]} ({_TRACED})"


def _of_math(name: str) -> str:
    """The mended code for a function of `math`."""
    if name in TABLE:
        names = TABLE[name].operand_names
        operands = "values" if names is None else "v" if len(names) == 1 else ", ".join(names)
        said = f"say chainrule.{name}({operands}), not math.{name}({operands})"
    elif name in _OTHERWISE:
        said = f"say {_OTHERWISE[name]}, not math.{name}"
    else:
        said = f"chainrule has no {name}. {HOW_TO_ADD}"
        return said if modes.trace is not None else f"say math.{name}(v.data) for the number alone; {said}"
    return f"{said} ({_TRACED})" if modes.trace is not None else f"{said}, or math.{name}(v.data) for the number alone"


def _of_library(name: str, where: str) -> str:
    """The mended code for a function of another library, which knows plain numbers alone."""
    if modes.trace is not None:
        return f"{name} knows plain numbers alone, and {_TRACED}: call it before or after{where}"
    return f"{name} knows plain numbers alone: give it v.data, or [v.data for v in values]{where}"


def _outside(mended: str, of_result: str) -> str:
    """The mended code for what gives a plain object, which in a compiled function would stay that of the first call."""
    return mended if modes.trace is None else f"{_TRACED}: return v, and say {of_result} of the result y, outside"


def _users(frame: FrameType) -> FrameType:
    """The innermost frame that is in no library; the given one if all are."""
    folders = [sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    outer: FrameType | None = frame
    while outer is not None and outer.f_code.co_filename.startswith((*folders, "<frozen")):
        outer = outer.f_back
    return outer or frame
