"""NumPy's functions of Values, without importing NumPy: it is NumPy that calls.

An array of objects calculates by the operators and methods of what it holds: `z - z.max()`, `A @ x`, `np.exp(z)`. Here
is what NumPy calls where a single Value is among the inputs of one of its functions: `np.exp(v)`, `z / v`, and
`np.float64(2) * v`.
"""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from chainrule.core.arrays import NUMPYS_NAMES, wrapped
from chainrule.core.modes import caller
from chainrule.core.operation import TABLE, Operation
from chainrule.errors import OperandError

_OPERATORS: dict[str, Callable] = {
    **{"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv},
    **{"power": operator.pow, "float_power": operator.pow, "square": lambda x: x * x, "reciprocal": lambda x: 1.0 / x},
    **{"remainder": operator.mod, "floor_divide": operator.floordiv, "equal": operator.eq, "not_equal": operator.ne},
    **{"negative": operator.neg, "positive": operator.pos, "conjugate": operator.pos, "absolute": abs, "fabs": abs},
    **{"less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge},
}
"""NumPy's functions that are Python's operators."""

met: dict[Any, tuple[Callable, type]] = {}
"""NumPy's functions that were called before, each with what it means here, and with the class of NumPy's integers."""


def applied(ufunc: Any, method: str, inputs: tuple, named: dict[str, Any]) -> Any:
    """Returns what a universal function of NumPy's gives for inputs of which at least one is a Value.

    Args:
        ufunc, method, inputs, named: what NumPy hands to `__array_ufunc__`.

    Returns:
        A Value; an array of objects where there are arrays among the inputs; NotImplemented where another kind of array
        is, which knows better.

    Raises:
        OperandError: chainrule has no such operation, or the result is to be kept in an array of plain numbers.
    """
    if method == "__call__" and not named:
        meant, whole = met.get(ufunc) or _meet(ufunc)
        if isinstance(inputs[0], whole) and len(inputs) == 2:
            whole_number: Any = inputs[0]
            return meant(int(whole_number), inputs[1])  # np.int64(2) * v, without a look at all inputs
        if single := _single(inputs):
            return meant(*single)
    numpy = sys.modules["numpy"]
    if any(hasattr(type(x), "_record") for x in named.get("out", ())):
        raise OperandError(f"{ufunc.__name__}: a Value is no place to put a result: take the result itself")
    if any(_is_foreign(x, numpy) for x in inputs):
        return NotImplemented
    given = [wrapped(x) for x in inputs]
    found = _found(ufunc)
    if method == "__call__" and not named and isinstance(found, Operation):
        return numpy.frompyfunc(found, ufunc.nin, 1)(*given)
    try:
        return getattr(ufunc, method)(*given, **named)
    except TypeError as error:  # NumPy's own, of one class for each kind of cast
        kept = [*named.get("out", ()), *(inputs[:1] if method == "at" else ())]
        if any(isinstance(x, numpy.ndarray) and x.dtype != object for x in kept):
            raise OperandError(_no_room(ufunc.__name__)) from None
        if isinstance(error, OperandError) or found is not None:
            raise
        raise _unknown(ufunc) from None


def _single(inputs: tuple) -> list[Any]:
    """The inputs, NumPy's numbers as Python's own; none if there are arrays among them."""
    numpy, single = sys.modules["numpy"], []
    for x in inputs:
        if hasattr(type(x), "_record") or type(x) in (float, int, bool):
            single.append(x)
        elif isinstance(x, (numpy.generic, numpy.ndarray)) and x.shape == ():
            item = x.item()
            single.append(float(item) if isinstance(item, numpy.generic) else item)  # a long double gives itself
        else:
            return []
    return single


def refuse_item() -> Any:
    """Refuses `z[0] = v` for an array of plain numbers, which asks for float(v). If something else asks, returns None.

    Raises:
        OperandError: the running instruction of the user's own puts an item somewhere.
    """
    frame = caller()
    if frame.f_code.co_code[frame.f_lasti] in _PUT:
        raise OperandError(_no_room("z[0] = v"))


_PUT = {dis.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in dis.opmap}


def _no_room(what: str) -> str:
    return (
        f"{what}: a Value has no room in an array of floats, where its gradient would be lost: make that one of "
        "objects first, z = z.astype(object), or make a new one, z = z * v for z *= v, np.array([v, w]) for z[0] = v"
    )


def _meet(ufunc: Any) -> tuple[Callable, type]:
    """What a function of NumPy's that is called for the first time means here; an error, if it means nothing."""
    found = _found(ufunc)
    if found is None:
        return lambda *numbers: _refuse(ufunc), int
    met[ufunc] = found, sys.modules["numpy"].integer
    return met[ufunc]


def _found(ufunc: Any) -> Callable | None:
    name = ufunc.__name__
    return _OPERATORS.get(name) or TABLE.get(NUMPYS_NAMES.get(name, name))


def _refuse(ufunc: Any) -> NoReturn:
    raise _unknown(ufunc)


def _unknown(ufunc: Any) -> OperandError:
    return OperandError(
        f"chainrule has no operation for NumPy's {ufunc.__name__}: write it in those of the table, or give it the "
        f"number alone, np.{ufunc.__name__}(v.data), where no derivative is to flow"
    )


def _is_foreign(x: Any, numpy: Any) -> bool:
    """Whether this is an array of another library, which has a way of its own with NumPy's functions."""
    own = isinstance(x, (numpy.ndarray, numpy.generic)) or hasattr(type(x), "_record")
    return not own and hasattr(type(x), "__array_ufunc__")
