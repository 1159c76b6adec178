"""The storage of nodes in plain Python; the compiled engine has C in its place.

`Nodes` is a list of nodes. `new_result` makes a node that has operands, and `fill_value_and_locals` calculates its
number and its local derivatives by the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.core.arrays import takes_over
from chainrule.core.attributes import more_derived, slips
from chainrule.core.operation import BY_CODE, add_methods, check_label, number
from chainrule.core.stale import AGAIN, CONSTANT, FRESH, PASSED, SEEN, STALE, WRITTEN, after_backward


class Methods:
    """The base of classes that have the operations of the table as methods, such as `v.tanh()`; these are added when
    the engine is imported. It has room for attributes of the user's own, which the compiled engine keeps elsewhere."""

    __slots__ = ("__dict__",)

    if TYPE_CHECKING:
        _code: int  # the code of its operation, 0 for a leaf
        _count: int  # how many operands it has
        _data: float
        _grad: float
        _grad_before: float  # for a leaf: its gradient when the present backward() began
        _edges: list[Edge]  # to its operands
        _label: str
        _state: int  # the bits of core/stale.py
        _mark: int  # set by the last walk over a graph that met it

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Nodes(list):
    """A list of nodes that grows at its end."""

    aside = 0
    """How many of these leaves have had their gradients set aside."""

    nodes = property(lambda self: self)
    count = property(len)
    put_back = list.append  # after pop()


class Edge:
    """The edge from a node to one of its operands, with the local derivative, which pictures show on it."""

    __slots__ = ("local", "operand")

    local: float
    operand: Any


def make_leaf(node: Any, data: float, label: str) -> None:
    """Makes a node a leaf with this number and label."""
    node._code, node._count, node._mark = 0, 0, _last_mark
    node._data, node._grad, node._grad_before = data, 0.0, 0.0
    node._state, node._label, node._edges = FRESH, label, []


def new_result(cls: Any, code: int, operands: Sequence[Any]) -> Any:
    """Returns a new node with these operands, of which plain numbers become constants; it has no number yet. Returns
    None if one of them is an array, which takes over.

    Its class is `cls`, or that of operands of a subclass: the most derived one, or the first if they are unrelated.
    """
    edges, of = [], cls
    for x in operands:
        edge = Edge()
        edge.operand, edge.local = x, 0.0
        if type(x) is not cls:
            if isinstance(x, Methods):
                of = more_derived(of, type(x))
            elif not isinstance(x, float | int) and takes_over(x):
                return None
            else:
                edge.operand = _constant(cls, number(x, BY_CODE[code].name))
        edges.append(edge)
    node = cls.__new__(of)
    make_leaf(node, 0.0, "")
    node._code, node._count, node._edges = code, len(edges), edges
    return node


def new_pair(cls: Any, code: int, a: Any, b: Any) -> Any:
    """Does the same for two operands."""
    return new_result(cls, code, (a, b))


def _constant(cls: Any, data: float) -> Any:
    node = cls.__new__(cls)
    make_leaf(node, data, "")
    node._state = CONSTANT
    return node


def fill_value_and_locals(node: Any) -> None:
    """Calculates the number of a result, and its local derivative in each operand that is not a constant; if there is
    one, see `new_result`."""
    if node is None:
        return
    op, edges = BY_CODE[node._code], node._edges
    numbers = [edge.operand._data for edge in edges]
    node._data = y = number(op.value(*numbers), op.name)
    if op.operand_names is None:
        numbers = op.row(numbers, y)
    for i, edge in enumerate(edges):
        if not edge.operand._state & CONSTANT:
            edge.local = op.slope(i, numbers, y)


def row_of(values: Sequence[Any]) -> Nodes:
    """Returns a row of the nodes of these Values."""
    return Nodes(values)


_last_mark = 0


def new_marks() -> int:
    """Returns the first of two consecutive marks that are larger than any mark before."""
    global _last_mark  # noqa: PLW0603 - in the compiled engine a variable of C
    _last_mark += 2
    return _last_mark - 1


def watch(node: Any, since: int, afresh: bool) -> int:
    """Notes that a walk meets a result. Sets AGAIN if a `backward()` passed the result and no walk has met it from the
    walk `since` on, the first after the last write; sets PASSED if this walk is a `backward()` (`afresh`), and then
    returns whether AGAIN is set.
    """
    state = node._state
    if not state & PASSED:  # then it is not AGAIN, either
        node._state = state | (PASSED if afresh else 0)
        return 0
    if node._mark < since:
        node._state = state = state | AGAIN
    return state & AGAIN if afresh else 0


def doubtful(results: Nodes) -> list[Any]:
    """Returns those of the results that were passed before the last write and that have an operand which was written at
    some time. Each is returned only once, until there is another write."""
    passed = [node for node in results if node._state & AGAIN]
    for node in passed:
        node._state &= ~AGAIN
    return [node for node in passed if any(edge.operand._state & WRITTEN for edge in node._edges)]


def set_aside(leaves: Nodes) -> None:
    """Sets the gradients of leaves to 0, and keeps the earlier ones."""
    for count, leaf in enumerate(leaves, 1):
        if leaf._state & (STALE | SEEN):
            leaf._state = after_backward(leaf._state, leaf._grad)
        leaf._grad_before, leaf._grad, leaves.aside = leaf._grad, 0.0, count  # no interrupt comes between


def add_back(leaves: Nodes) -> None:
    """Adds the earlier gradients of leaves, which were set aside, to the new ones."""
    for leaf in leaves[: leaves.aside]:
        leaf._grad += leaf._grad_before


def derivatives_by_locals(order: list[Any], variables: list[Any], upstream: float) -> list[float]:
    """As `derivatives` in value_base.py, which is this function."""
    sums = {id(order[-1]): upstream} if order else {}
    for node in reversed(order):
        upstream = sums.get(id(node), 0.0)
        if upstream:
            for edge in node._edges:
                if edge.local:
                    at = id(edge.operand)
                    sums[at] = sums.get(at, 0.0) + edge.local * upstream
    return [sums.get(id(variable), 0.0) for variable in variables]


def renew(node: Any) -> Any:
    """Forgets that a `backward()` passed this result, which is about to be recalculated; returns it."""
    node._state &= ~(PASSED | AGAIN)
    return node


def is_constant(node: Any) -> bool:
    return bool(node._state & CONSTANT)


def is_hidden(node: Any) -> bool:
    """Returns whether only the engine knows of a node, as it stands behind a result of a subclass: only in C."""
    return False


def operation_of(node: Any) -> Any:
    return BY_CODE[node._code]


def operands_of(node: Any) -> tuple:
    return tuple([edge.operand for edge in node._edges])


def locals_of(node: Any) -> tuple:
    """Returns the local derivatives; None where the operation has none, or the operand is a constant."""
    op = BY_CODE[node._code]
    flows = [op.flows(i) and not edge.operand._state & CONSTANT for i, edge in enumerate(node._edges)]
    return tuple([edge.local if flow else None for edge, flow in zip(node._edges, flows, strict=True)])


def label_of(node: Any) -> str:
    return node._label


def set_label(node: Any, label: str) -> None:
    check_label(label)
    node._label = label


def own_of(node: Any) -> dict[str, Any]:
    """Returns the attributes of the user's own, but for those that its class keeps in slots."""
    return dict(node.__dict__)


def giver(value: Any) -> Any:
    """Returns the node that sends the gradient of a Value down: here the Value itself."""
    return value


def node_of(value: Any) -> Any:
    """Returns what `Nodes` holds for a Value: here the Value itself, in C a pointer to its node."""
    return value


def value_of(node: Any) -> Any:
    """Returns the Value of a node in `Nodes`."""
    return node


Value: Any = None
"""The class of nodes, once it is defined."""


def add_table(cls: type) -> None:
    """Adds the operations of the table as methods to the class of nodes, once that is defined."""
    global Value  # noqa: PLW0603 - it is defined in the room above
    Value = cls
    add_methods(cls, setattr, delattr)
    for slip in slips():  # all, since nothing else is asked when an attribute is set
        setattr(Methods, slip.name, slip)


def state_of(node: Any) -> tuple:
    """Returns everything that a node holds, for pickling."""
    made = operation_of(node), operands_of(node), locals_of(node)
    return *made, node._data, node._grad, node._state, node._label


def remade(cls: Any, state: tuple) -> Any:
    """Returns a new node from what `state_of` returned; a leaf is of the class `cls`, a result as in `new_result`."""
    op, operands, locals, data, grad, node_state, label = state
    if op is None:
        node = Value.__new__(cls)
        make_leaf(node, data, label)
    else:
        node = new_result(Value, op.code, operands)
    for edge, local in zip(node._edges, locals, strict=True):
        edge.local = 0.0 if local is None else local
    node._data, node._grad, node._label = data, grad, label
    node._state = node_state | (node_state & PASSED) << 1  # AGAIN: no walk is known to have passed the copy
    return node
