"""What the engine keeps in a node, in plain Python; the compiled engine has C arrays and generated C in its place.

`Nodes` is a row of nodes. `prepare` and `blank` make a node's places for operands and local derivatives, `keep` fills
one, and `evaluate` takes a node's number and local derivatives from the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chainrule.operation import BY_CODE, add_methods, number
from chainrule.stale import CONSTANT, FRESH

__all__ = ["Methods", "Nodes", "blank", "complete", "evaluate", "is_constant", "keep", "locals_of", "operands_of",
           "operation_of", "prepare", "restore", "state_of", "value_of"]  # fmt: skip


class Methods:
    """What has the operations of the table as methods: `v.tanh()`; they are added when the engine is imported."""

    __slots__ = ()

    if TYPE_CHECKING:
        _code: int  # the number of its operation, 0 for a leaf
        _count: int  # how many operands it has
        _data: float
        _grad: float
        _earlier: float  # of a leaf: the gradient before the present backward()
        _operands: list[Any]
        _locals: list[float]  # the local derivative in each
        _state: int  # what `stale` keeps
        _walk: int  # the number of the last walk that came by

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Nodes(list):
    """A row of nodes that grows at its end."""

    nodes = property(lambda self: self)
    count = property(len)

    def last(self) -> Any:
        return self[-1]


def prepare(node: Any, code: int, count: int) -> None:
    """Makes `node` a new one, with places for `count` operands."""
    node._code, node._count, node._state, node._walk = code, count, FRESH, 0
    node._data = node._grad = node._earlier = 0.0
    node._operands = [None] * count
    node._locals = [0.0] * count


def blank(cls: Any, code: int, count: int) -> Any:
    """A new node, with places for `count` operands."""
    node = cls.__new__(cls)
    prepare(node, code, count)
    node.label = ""
    return node


def keep(node: Any, i: int, x: Any) -> None:
    """Makes `x` the i-th operand of a new node; a plain number becomes a constant."""
    if not isinstance(x, Methods):
        data = number(x, BY_CODE[node._code].name)
        x = blank(type(node), 0, 0)
        x._data, x._state = data, CONSTANT
    node._operands[i] = x


def evaluate(node: Any) -> None:
    """Takes the number of a result, and its local derivative in each operand that is not a constant."""
    op, operands = BY_CODE[node._code], node._operands
    numbers = [operand._data for operand in operands]
    node._data = y = number(op.value(*numbers), op.name)
    for i, operand in enumerate(operands):
        if not operand._state & CONSTANT:
            node._locals[i] = op.slope(i, numbers, y)


def is_constant(node: Any) -> bool:
    return bool(node._state & CONSTANT)


def operation_of(node: Any) -> Any:
    return BY_CODE[node._code]


def operands_of(node: Any) -> tuple:
    return tuple(node._operands)


def locals_of(node: Any) -> tuple:
    """The local derivatives, None for those that the operation lacks or that belong to constants."""
    op = BY_CODE[node._code]
    flows = [op.flows(i) and not operand._state & CONSTANT for i, operand in enumerate(node._operands)]
    return tuple([local if flow else None for local, flow in zip(node._locals, flows, strict=True)])


def value_of(node: Any) -> Any:
    """The Value that a node of a row is."""
    return node


def complete(cls: type) -> None:
    """Gives the class of nodes, once it is defined, the operations of the table as methods."""
    add_methods(cls, setattr, delattr)


def state_of(node: Any) -> tuple:
    """All that a node is, for pickling."""
    made = BY_CODE[node._code], operands_of(node), locals_of(node)
    return *made, node._data, node._grad, node._state, node.label


def restore(node: Any, state: tuple) -> None:
    """Makes a new leaf into the node that `state_of` described."""
    op, operands, locals, node._data, node._grad, node._state, node.label = state
    node._code, node._count, node._operands = op.code if op else 0, len(operands), list(operands)
    node._locals = [local or 0.0 for local in locals]
