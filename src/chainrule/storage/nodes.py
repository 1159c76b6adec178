"""What the engine keeps in a node, in plain Python; the compiled engine has C in its place.

`Nodes` is a row of nodes. `blank` makes a node with places for operands and local derivatives, `keep` fills one, and
`evaluate` takes a node's number and local derivatives from the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chainrule.core.operation import BY_CODE, add_methods, check_label, number
from chainrule.core.stale import AGAIN, CONSTANT, FRESH, PASSED, WRITTEN, written_operands


class Methods:
    """What has the operations of the table as methods: `v.tanh()`; they are added when the engine is imported."""

    __slots__ = ()

    def peek_written(self) -> list[int]:
        """For pictures: the places of the operands whose data was written after this result was calculated."""
        return written_operands(self)

    if TYPE_CHECKING:
        _code: int  # the number of its operation, 0 for a leaf
        _count: int  # how many operands it has
        _data: float
        _grad: float
        _earlier: float  # of a leaf: the gradient before the present backward()
        _edges: list[Edge]  # to its operands
        _label: str
        _state: int  # what `stale` keeps
        _walk: int  # the number of the last walk that came by

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Nodes(list):
    """A row of nodes that grows at its end."""

    nodes = property(lambda self: self)
    count = property(len)

    def last(self) -> Any:
        return self[-1]


class Edge:
    """The way from a node to one of its operands, and the local derivative: what a picture shows on it."""

    __slots__ = ("local", "operand")

    local: float
    operand: Any


def prepare(node: Any, data: float, label: str) -> None:
    """Makes a node a leaf with this number and label."""
    node._code = node._count = node._walk = 0
    node._data, node._grad, node._earlier = data, 0.0, 0.0
    node._state, node._label, node._edges = FRESH, label, []


def blank(cls: Any, code: int, count: int) -> Any:
    """A new node with places for `count` operands."""
    node = cls.__new__(cls)
    prepare(node, 0.0, "")
    node._code, node._count = code, count
    node._edges = [Edge() for _ in range(count)]
    return node


def keep(node: Any, i: int, x: Any) -> None:
    """Makes `x` the i-th operand of a new node; a plain number becomes a constant."""
    if not isinstance(x, Methods):
        data = number(x, BY_CODE[node._code].name)
        x = blank(type(node), 0, 0)
        x._data, x._state = data, CONSTANT
    edge = node._edges[i]
    edge.operand, edge.local = x, 0.0


def evaluate(node: Any) -> None:
    """Takes the number of a result, and its local derivative in each operand that is not a constant."""
    op, edges = BY_CODE[node._code], node._edges
    numbers = [edge.operand._data for edge in edges]
    node._data = y = number(op.value(*numbers), op.name)
    for i, edge in enumerate(edges):
        if not edge.operand._state & CONSTANT:
            edge.local = op.slope(i, numbers, y)


def doubtful(results: Nodes) -> list[Any]:
    """Those of these results that were passed before the last write, and of which an operand was written at some time.
    They are told only once, until there is another write."""
    passed = [node for node in results if node._state & AGAIN]
    for node in passed:
        node._state &= ~AGAIN
    return [node for node in passed if any(edge.operand._state & WRITTEN for edge in node._edges)]


def renew(node: Any) -> Any:
    """Forgets that a `backward()` passed this result, which will be calculated afresh."""
    node._state &= ~(PASSED | AGAIN)
    return node


def is_constant(node: Any) -> bool:
    return bool(node._state & CONSTANT)


def operation_of(node: Any) -> Any:
    return BY_CODE[node._code]


def operands_of(node: Any) -> tuple:
    return tuple([edge.operand for edge in node._edges])


def locals_of(node: Any) -> tuple:
    """The local derivatives, None for those that the operation lacks or that belong to constants."""
    op = BY_CODE[node._code]
    flows = [op.flows(i) and not edge.operand._state & CONSTANT for i, edge in enumerate(node._edges)]
    return tuple([edge.local if flow else None for edge, flow in zip(node._edges, flows, strict=True)])


def label_of(node: Any) -> str:
    return node._label


def set_label(node: Any, label: str) -> None:
    check_label(label)
    node._label = label


def node_of(value: Any) -> Any:
    """What a row of nodes holds of a Value: in C, where it lies."""
    return value


def value_of(node: Any) -> Any:
    """The Value that a node of a row is."""
    return node


def complete(cls: type) -> None:
    """Gives the class of nodes, once it is defined, the operations of the table as methods."""
    add_methods(cls, setattr, delattr)


def state_of(node: Any) -> tuple:
    """All that a node is, for pickling."""
    made = operation_of(node), operands_of(node), locals_of(node)
    return *made, node._data, node._grad, node._state, node._label


def remade(cls: Any, state: tuple) -> Any:
    """A new node as `state_of` described one; of that class, if it is a leaf."""
    op, operands, locals, data, grad, node_state, label = state
    if op is None:
        node = cls.__new__(cls)
        prepare(node, data, label)
    else:
        node = blank(cls, op.code, len(operands))
    for i, operand in enumerate(operands):
        keep(node, i, operand)
        node._edges[i].local = 0.0 if locals[i] is None else locals[i]
    node._data, node._grad, node._label = data, grad, label
    node._state = node_state | (node_state & PASSED) << 1  # AGAIN: no walk is known to have passed the copy
    return node
