"""Constant folding and algebraic simplification."""

from __future__ import annotations

import math

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.graph.passes.rebuild import rebuild
from chainrule.core.operation import Operation


def fold(graph: Graph) -> Graph:
    """Folds constants: calculates what depends on constants alone.

    No number changes by a bit, and no derivative that is taken afterwards. So operations that change nothing stay, such
    as x · 1: the contributions to a derivative are added up there, in an order that matters to the bits.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> text = "%0 = input x\\n%1 = constant 2.0\\n%2 = log %1\\n%3 = identity %0\\n%4 = mul %3 %2\\nreturn %4"
    >>> from chainrule.compiler.graph.passes.rebuild import prune
    >>> print(to_text(prune(fold(from_text(text)))))
    %0 = input x
    %1 = constant 0.6931471805599453
    %2 = identity %0
    %3 = mul %2 %1
    return %3
    """
    return rebuild(graph, lambda new, op, operands, _: plain(new, op, operands))


def folded(graph: Graph, op: Operation, operands: tuple[int, ...]) -> int:
    """Adds an operation in folded form: a constant, an existing node, or a new one.

    No number changes by that. Adding 0.0 is kept, as it turns -0.0 into 0.0.
    """
    if op not in _OF_ANY_OPERAND and not any(map(graph.is_constant, operands[:2])):  # so it is mostly
        return graph.add(op, *operands)
    if _all_constant(graph, operands) and op is not BATCH_SUM:
        return plain(graph, op, operands)
    same = _unchanged(graph, op, operands)
    return graph.add(op, *operands) if same is None else same


_OF_ANY_OPERAND = {ops.identity, ops.neg}
"""The operations that may be left out though neither of their first two operands is a constant."""


def _all_constant(graph: Graph, operands: tuple[int, ...]) -> bool:
    inputs, ops_ = graph.inputs, graph.ops
    for k in operands:  # mostly decided by the first or second operand
        if k < inputs or ops_[k] is not None:
            return False
    return bool(operands)


def _unchanged(graph: Graph, op: Operation, operands: tuple[int, ...]) -> int | None:
    """The operand that an operation returns as it is, if there is one."""
    a, b = operands[0], operands[1] if len(operands) == 2 else -1
    same: int | None = None
    if op is ops.identity or (op in (ops.mul, ops.div, ops.pow) and is_number(graph, b, 1.0)):
        same = a
    elif op is ops.mul and is_number(graph, a, 1.0):
        same = b
    elif op is ops.sub and is_number(graph, b, 0.0) and math.copysign(1.0, graph.numbers[b]) > 0:
        same = a
    elif op is ops.neg and graph.ops[a] is ops.neg:
        same = graph.operands[a][0]
    elif op is ops.select and graph.is_constant(a):
        same = operands[1] if graph.numbers[a] else operands[2]
    return same


def is_number(graph: Graph, node: int, x: float) -> bool:
    """Whether a node is this constant."""
    return graph.is_constant(node) and graph.numbers[node] == x


def relax(graph: Graph) -> Graph:
    """Simplifies algebraically, where only the sign of a zero or the last bits may change.

    x · 1 and 0 + x become x; x ** 2 becomes x · x; x / c becomes x · (1/c) for a power of two c. This is done only
    where all operations of the same signature have the same constant: one sample that happens to have the number 1.0
    must not get a shape of its own.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> text = "%0 = input x\\n%1 = constant 0.0\\n%2 = add %1 %0\\n%3 = constant 2.0\\n%4 = pow %2 %3\\nreturn %4"
    >>> from chainrule.compiler.graph.passes.rebuild import prune
    >>> print(to_text(prune(relax(from_text(text)))))
    %0 = input x
    %1 = mul %0 %0
    return %1
    """
    common = _have_common_constants(graph)
    return rebuild(
        graph, lambda new, op, operands, i: relaxed(new, op, operands) if common[i] else plain(new, op, operands)
    )


_CONSTANT = -1
"""In place of the code of an operation: a constant."""


def _have_common_constants(graph: Graph) -> list[bool]:
    """For each node whether all nodes of its signature (its operation and its operands') have the same constants."""
    inputs = graph.inputs
    codes = [0] * inputs + [_CONSTANT if op is None else op.code for op in graph.ops[inputs:]]
    constants: dict[tuple, list[float]] = {}
    signatures: list[tuple | None] = []
    for code, operands in zip(codes, graph.operands, strict=True):
        signature = (code, *[codes[k] for k in operands])
        if not 1 < len(signature) <= 4 or _CONSTANT not in signature:
            signatures.append(None)
            continue
        numbers = [graph.numbers[k] for k in operands if codes[k] == _CONSTANT]
        if constants.setdefault(signature, numbers) != numbers:
            constants[signature] = []
        signatures.append(signature)
    return [signature is None or bool(constants[signature]) for signature in signatures]


def plain(graph: Graph, op: Operation, operands: tuple[int, ...]) -> int:
    """Adds an operation as it is; a constant if all its operands are constants."""
    if _all_constant(graph, operands) and op is not BATCH_SUM:
        return graph.constant(op.value(*[graph.numbers[k] for k in operands]))
    return graph.add(op, *operands)


def relaxed(graph: Graph, op: Operation, operands: tuple[int, ...]) -> int:
    """Adds an operation like `folded`, where the sign of a zero and the last bits may differ."""
    a, b = operands[0], operands[1] if len(operands) == 2 else -1
    if op is ops.add and (is_number(graph, a, 0.0) or is_number(graph, b, 0.0)):
        return b if is_number(graph, a, 0.0) else a
    if op is ops.sub and is_number(graph, a, 0.0):
        return folded(graph, ops.neg, (b,))
    if op is ops.pow and is_number(graph, b, 2.0):
        return graph.add(ops.mul, a, a)
    if op is ops.pow and is_number(graph, b, -1.0):
        return graph.add(ops.div, graph.constant(1.0), a)
    if op is ops.div and graph.is_constant(b) and _has_exact_reciprocal(graph.numbers[b]):
        return graph.add(ops.mul, a, graph.constant(1.0 / graph.numbers[b]))
    return folded(graph, op, operands)


def _has_exact_reciprocal(x: float) -> bool:
    """Whether x and 1/x are powers of two, also in 32 bits."""
    fraction, exponent = math.frexp(x)
    return abs(fraction) == 0.5 and abs(exponent) < 126
