"""The storage of nodes in plain Python; the compiled engine has C in its place.

`Nodes` is a list of nodes. `new_result` makes a node that has operands, and `fill_value_and_locals` calculates its
number and its local derivatives by the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from chainrule.core.arrays import takes_over
from chainrule.core.attributes import Method, more_derived, slips
from chainrule.core.foreign_names import FOREIGN_NAMES
from chainrule.core.operation import BY_CODE, add_methods, check_label, number
from chainrule.core.stale import AGAIN, CONSTANT, FRESH, PASSED, SEEN, STALE, WRITTEN, after_backward
from chainrule.storage.calculations import calculations


class Methods:
    """The base of classes that have the operations of the table as methods, such as `v.tanh()`; these are added when
    the engine is imported. It has room for attributes of the user's own, which the compiled engine keeps elsewhere."""

    __slots__ = ("__dict__",)

    if TYPE_CHECKING:
        _code_: int  # the code of its operation, 0 for a leaf
        _count_: int  # how many operands it has
        _data_: float
        _grad_: float
        _grad_before_: float  # for a leaf: its gradient when the present backward() began
        _operands_: tuple[Any, ...]
        _locals_: tuple[float, ...]  # with respect to them
        _label_: str
        _state_: int  # the bits of core/stale.py
        _mark_: int  # set by the last walk over a graph that met it

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Nodes(list):
    """A list of nodes that grows at its end."""

    __slots__ = ("aside",)  # how many of these leaves have had their gradients set aside

    def __init__(self, nodes: Sequence[Any] = ()) -> None:
        super().__init__(nodes)
        self.aside = 0

    put_back = list.append  # after pop()


def make_leaf(node: Any, data: float, label: str) -> None:
    """Makes a node a leaf with this number and label."""
    node._code_, node._count_, node._operands_, node._locals_ = 0, 0, (), ()
    node._data_, node._grad_, node._mark_ = data, 0.0, _last_mark
    node._state_, node._label_ = FRESH, label


def new_result(cls: Any, code: int, operands: Sequence[Any]) -> Any:
    """Returns a new node with these operands, of which plain numbers become constants; it has no number yet. Returns
    None if one of them is an array, which takes over.

    Its class is `cls`, or that of operands of a subclass: the most derived one, or the first if they are unrelated.
    """
    nodes: list[Any] = []
    of = cls
    for x in operands:
        if type(x) is cls:
            nodes.append(x)
        elif isinstance(x, Methods):
            nodes.append(x)
            of = more_derived(of, type(x))
        elif not isinstance(x, float | int) and takes_over(x):
            return None
        else:
            nodes.append(_constant(cls, number(x, BY_CODE[code].name)))
    return _with_operands(Value.__new__(of), code, tuple(nodes))


def new_pair(cls: Any, code: int, a: Any, b: Any) -> Any:
    """Does the same for two operands, in a shorter way if they are plain Values or floats."""
    if type(a) is not cls or type(b) is not cls:
        if type(a) is float and type(b) is cls:
            a = _constant(cls, a)
        elif type(b) is float and type(a) is cls:
            b = _constant(cls, b)
        else:
            return new_result(cls, code, (a, b))
    return _with_operands(Value.__new__(cls), code, (a, b))


def _with_operands(node: Any, code: int, operands: tuple[Any, ...]) -> Any:
    node._code_, node._count_, node._operands_ = code, len(operands), operands
    node._data_, node._grad_, node._mark_ = 0.0, 0.0, _last_mark
    node._state_, node._label_ = FRESH, ""
    return node


def _constant(cls: Any, data: float) -> Any:
    node = cls.__new__(cls)
    make_leaf(node, data, "")
    node._state_ = CONSTANT
    return node


def fill_value_and_locals(node: Any) -> None:
    """Calculates the number of a result, and its local derivative in each operand that is not a constant; if there is
    one, see `new_result`."""
    if node is not None:
        calculations[node._code_](node)


def edge_at(node: Any, i: int) -> tuple[Any, float]:
    """Returns the i-th operand of a node, and the local derivative with respect to it."""
    return node._operands_[i], node._locals_[i]


def row_of(values: Sequence[Any]) -> Nodes:
    """Returns a row of the nodes of these Values."""
    return Nodes(values)


def append_operands(path: Nodes, node: Any, entered: int) -> None:
    """Puts the operands of a node at the end of a path, the first one last, but for those that the walk has met."""
    if node._count_ == 2:
        a, b = node._operands_
        if b._mark_ < entered:
            path.append(b)
        if a._mark_ < entered:
            path.append(a)
    else:
        path.extend([x for x in reversed(node._operands_) if x._mark_ < entered])


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
    state = node._state_
    if not state & PASSED:  # then it is not AGAIN, either
        if afresh:
            node._state_ = state | PASSED
        return 0
    if node._mark_ < since:
        node._state_ = state = state | AGAIN
    return state & AGAIN if afresh else 0


def doubtful(results: Nodes) -> list[Any]:
    """Returns those of the results that were passed before the last write and that have an operand which was written at
    some time. Each is returned only once, until there is another write."""
    passed = [node for node in results if node._state_ & AGAIN]
    for node in passed:
        node._state_ &= ~AGAIN
    return [node for node in passed if any(x._state_ & WRITTEN for x in node._operands_)]


def set_aside(leaves: Nodes) -> None:
    """Sets the gradients of leaves to 0, and keeps the earlier ones."""
    looked_at = STALE | SEEN
    for count, leaf in enumerate(leaves, 1):
        if leaf._state_ & looked_at:
            leaf._state_ = after_backward(leaf._state_, leaf._grad_)
        leaf._grad_before_, leaf._grad_, leaves.aside = leaf._grad_, 0.0, count  # no interrupt comes between


def add_back(leaves: Nodes) -> None:
    """Adds the earlier gradients of leaves, which were set aside, to the new ones."""
    for leaf in leaves[: leaves.aside]:
        leaf._grad_ += leaf._grad_before_


def derivatives_by_locals(order: list[Any], variables: list[Any], upstream: float) -> list[float]:
    """As `derivatives` in value_base.py, which is this function."""
    sums = {id(order[-1]): upstream} if order else {}
    for node in reversed(order):
        upstream = sums.get(id(node), 0.0)
        if upstream:
            for operand, local in zip(node._operands_, node._locals_, strict=True):
                if local:
                    at = id(operand)
                    sums[at] = sums.get(at, 0.0) + local * upstream
    return [sums.get(id(variable), 0.0) for variable in variables]


def renew(node: Any) -> Any:
    """Forgets that a `backward()` passed this result, which is about to be recalculated; returns it."""
    node._state_ &= ~(PASSED | AGAIN)
    return node


def is_constant(node: Any) -> bool:
    return bool(node._state_ & CONSTANT)


def is_hidden(node: Any) -> bool:
    """Returns whether only the engine knows of a node, as it stands behind a result of a subclass: only in C."""
    return False


def operation_of(node: Any) -> Any:
    return BY_CODE[node._code_]


def operands_of(node: Any) -> tuple:
    return node._operands_


def locals_of(node: Any) -> tuple:
    """Returns the local derivatives; None where the operation has none, or the operand is a constant."""
    op = BY_CODE[node._code_]
    flows = [op.flows(i) and not x._state_ & CONSTANT for i, x in enumerate(node._operands_)]
    return tuple([local if flow else None for local, flow in zip(node._locals_, flows, strict=True)])


def label_of(node: Any) -> str:
    return node._label_


def set_label(node: Any, label: str) -> None:
    check_label(label)
    node._label_ = label


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
    add_methods(cls, lambda host, name, record: setattr(host, name, Method(name, record)), delattr)
    for each in cls.__mro__:
        methods = {name: x for name, x in vars(each).items() if isinstance(x, FunctionType) and name[0] != "_"}
        for name, function in methods.items():
            setattr(each, name, Method(name, function))
    for slip in slips():  # all, since nothing else is asked when an attribute is set
        setattr(Methods, slip.name, slip)
    for name, foreign in FOREIGN_NAMES.items():
        setattr(Methods, name, foreign)


def state_of(node: Any) -> tuple:
    """Returns everything that a node holds, for pickling."""
    made = operation_of(node), operands_of(node), locals_of(node)
    return *made, node._data_, node._grad_, node._state_, node._label_


def remade(cls: Any, state: tuple) -> Any:
    """Returns a new node from what `state_of` returned; a leaf is of the class `cls`, a result as in `new_result`."""
    op, operands, locals, data, grad, node_state, label = state
    if op is None:
        node = Value.__new__(cls)
        make_leaf(node, data, label)
    else:
        node = new_result(Value, op.code, operands)
    node._locals_ = tuple([0.0 if local is None else local for local in locals])
    node._data_, node._grad_, node._label_ = data, grad, label
    node._state_ = node_state | (node_state & PASSED) << 1  # AGAIN: no walk is known to have passed the copy
    return node
