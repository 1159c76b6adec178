"""A matrix times a vector, row by row: what a layer of neurons is before its activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.errors import OperandError, SizeError, shown
from chainrule.ops import weighted_sum

if TYPE_CHECKING:
    import cython
else:
    from chainrule.core import interpreted as cython
if not cython.compiled:
    from chainrule.engine import Value, record


def linear(inputs: Sequence[Any], rows: Sequence[Sequence[Any]], biases: Sequence[Any] | None = None) -> list[Any]:
    """Σ wᵢxᵢ (+ b) for each row of weights: `weighted_sum(row, inputs, bias)` row by row, but faster.

    Raises:
        OperandError: the inputs are no list.
        SizeError: a row has more or fewer weights than there are inputs, or the biases are not one for each row.

    >>> linear([2.0, 3.0], [[1.0, 0.0], [0.5, 0.5]], [0.0, 10.0])
    [2.0, 12.5]
    """
    if biases is not None and len(biases) != len(rows):
        raise SizeError(f"linear has {len(rows)} rows of weights but {len(biases)} biases: give one for each row")
    try:
        count = len(inputs)
    except TypeError:
        raise no_list(inputs, len(rows[0])) from None
    operands: list[Any] = [0.0] * (2 * count + 1)  # b, w₁, x₁, w₂, x₂, …
    operands[2::2] = inputs
    sums = []
    for i in range(len(rows)):
        row = rows[i]
        if len(row) != count:
            raise SizeError(f"a neuron of {len(row)} inputs was given {count}: x must have {len(row)} numbers")
        operands[1::2] = row
        if biases is not None:
            operands[0] = biases[i]
        if isinstance(operands[0], Value) or (count and isinstance(operands[1], Value)):
            sums.append(record(weighted_sum, tuple(operands)))
        else:
            sums.append(weighted_sum.on(tuple(operands)))
    return sums


def no_list(x: Any, count: int) -> OperandError:
    """The error for a neuron of `count` inputs that was given something else than a list of numbers."""
    names = ", ".join([f"x{i + 1}" for i in range(count)] if count < 4 else ["x1", "…", f"x{count}"])
    numbers = f"the list of its {count} numbers" if count > 1 else "a list with its number"
    return OperandError(f"a neuron of {count} input{'s' if count > 1 else ''} takes {numbers}, not the "
                        f"{type(x).__name__} {shown(x)}: neuron([{shown(x) if count == 1 else names}])")  # fmt: skip
