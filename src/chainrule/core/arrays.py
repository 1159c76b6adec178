"""NumPy's arrays, and the tables of pandas and polars, without importing any of them: whoever calls with an array has
imported NumPy."""

from __future__ import annotations

import numbers
import sys
from collections.abc import Sequence
from typing import Any

from chainrule.errors import OperandError, shown

NUMPYS_NAMES = {
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{"maximum": "max", "minimum": "min", "rint": "round", "expit": "sigmoid", "gammaln": "lgamma", "psi": "digamma"},
}
"""The table's names of operations that are called otherwise in NumPy, or in SciPy. They are methods under these names,
too, since NumPy calls those of the elements of an array."""


_OTHER_NAMES = NUMPYS_NAMES | {"clamp": "clip", "linear": "identity", "swish": "silu"}


def method_names(name: str) -> list[str]:
    """Returns the names that an operation of the table has as a method: its own, NumPy's, and those of engines for
    neural networks, where `Value.linear` may be an activation."""
    return [name, *[other for other, ours in _OTHER_NAMES.items() if ours == name]]


# ---- arrays as operands ---------------------------------------------------------------------------------------------


def takes_over(x: Any) -> bool:
    """Returns whether an operand is an array, of NumPy or of a library that keeps to its protocol: what an operation
    does to it is done by its own operators, number by number."""
    kind = type(x)
    return hasattr(kind, "__array_ufunc__") and hasattr(kind, "__len__") and not isinstance(x, str | bytes)


def wrapped(x: Any) -> Any:
    """Returns a Value as an array of objects without axes, which NumPy takes apart; anything else as it is."""
    if not hasattr(type(x), "_record"):
        return x
    array = sys.modules["numpy"].empty((), object)
    array[()] = x
    return array


def by_number(operation: Any, operands: Sequence[Any]) -> Any:
    """Returns the array of what an operation of the table gives for each number of arrays among its operands."""
    numpy = sys.modules["numpy"]
    given = [array_of(x) if is_table(type(x)) else wrapped(x) for x in operands]
    found = numpy.frompyfunc(lambda *each: operation.on(each), len(operands), 1)(*given)
    plain = isinstance(found, numpy.ndarray) and all(type(x) is float for x in found.flat)
    return found.astype(float) if plain else found


# ---- arrays and tables as trees of numbers --------------------------------------------------------------------------


def is_array(cls: type) -> bool:
    """Returns whether a class is that of NumPy's arrays, or derived from it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(cls, numpy.ndarray)


def is_single(x: Any) -> bool:
    """Returns whether something is an array without axes, of one number."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(x) is numpy.ndarray and x.shape == ()


def is_table(cls: type) -> bool:
    """Returns whether objects of a class can become arrays as the Series and DataFrames of pandas and polars can."""
    return hasattr(cls, "to_numpy") and not hasattr(cls, "_record")


def holds_objects(x: Any) -> bool:
    """Returns whether something holds objects, as a dataclass does, and among arrays those of objects."""
    return not is_table(type(x)) and (not is_array(type(x)) or x.dtype.hasobject)


def array_of(x: Any) -> Any:
    """Returns an array itself, or that of the numbers of a table.

    Raises:
        OperandError: numbers are masked, the array is of a class for which `*` means something else, or a table holds
            something other than numbers.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(x, numpy.ndarray):
        return _of_table(x)
    if type(x) is not numpy.ndarray:
        if "numpy.ma" in sys.modules and isinstance(x, numpy.ma.MaskedArray) and numpy.ma.is_masked(x):
            raise OperandError("an argument is an array with masked numbers: give x.filled(…) or x.compressed()")
        if isinstance(x, numpy.matrix):
            raise OperandError("an argument is a matrix, of which * is another product: give np.asarray(x), and say @")
    return x


def cells_of(x: Any) -> list[Any] | None:
    """Returns the numbers of an array or table, row by row; None for an array without axes, or one of something other
    than numbers."""
    array = array_of(x)
    if not array.shape or array.dtype.kind not in "fiubO":
        return None
    return (array.astype(float) if array.dtype.kind == "f" else array).ravel().tolist()


def filled(parts: list[Any], shape: tuple[int, ...]) -> Any:
    """Returns the array of this shape with these numbers or arrays in place of its numbers: one of floats, if all are
    plain numbers, else one of objects."""
    numpy = sys.modules["numpy"]
    if parts and isinstance(parts[0], numpy.ndarray):
        return numpy.stack(parts).reshape(*shape, *parts[0].shape)
    if all(type(x) in (float, int) for x in parts):
        return numpy.array(parts, dtype=float).reshape(shape)
    array = numpy.empty(len(parts), object)
    for i, x in enumerate(parts):
        array[i] = x
    return array.reshape(shape)


def lists_of(x: Any) -> Any:
    """Returns the numbers of a table as nested lists, row by row; anything else as it is.

    Raises:
        OperandError: the table holds something other than numbers.
    """
    return array_of(x).tolist() if is_table(type(x)) else x


def _of_table(x: Any) -> Any:
    array = x.to_numpy()
    if array.dtype.kind in "fiub":
        return array
    cells = array.ravel().tolist()
    if all(map(_is_number, cells)):
        return array if any(hasattr(type(y), "_record") for y in cells) else array.astype(float)
    kind = type(x).__name__
    for name in getattr(x, "columns", ()):
        bad = [y for y in x[name].to_numpy().ravel().tolist() if not _is_number(y)]
        if bad:
            left_out = f"df.drop(columns=[{name!r}])" if hasattr(x, "iloc") else f"df.drop({name!r})"
            raise OperandError(
                f"the column {name!r} of a {kind} holds {shown(bad[0], 40)}, which is no number: leave it out, "
                f"{left_out}, or make numbers of it"
            )
    bad = [y for y in cells if not _is_number(y)]
    named = f" {x.name!r}" if isinstance(getattr(x, "name", None), str) else ""
    raise OperandError(f"the {kind}{named} holds {shown(bad[0], 40)}, which is no number: make numbers of it first")


def _is_number(x: Any) -> bool:
    return isinstance(x, numbers.Real) or hasattr(type(x), "_record")
