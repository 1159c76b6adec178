"""The engine: a `Value` is a number that remembers how it was made, and `backward()` gives every number its derivative.

An operation on Values makes a new Value that keeps three things: which operation made it, its operands, and the local
derivative with respect to each operand, taken at that moment. That is all that the chain rule needs: walking from the
result back to the inputs, each node hands every operand

    local derivative × its own gradient

and what arrives at a number over several ways is added up. No operation needs code of its own here: values and local
derivatives come from the table in `ops.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from chainrule import ops, pickling, stale
from chainrule.errors import OperandError, ReadOnlyError
from chainrule.modes import check_deposits, check_value, modes
from chainrule.operation import HOW_TO_ADD, Operation, add_methods, number
from chainrule.stale import CONSTANT

display_hook: Callable[[Value, str], str | None] = lambda value, format: None  # noqa: E731
"""Draws a Value as "svg" or "html" for a notebook; the package puts `chainrule.draw` here."""


def _refuse(value: Value, x: Any) -> None:
    raise ReadOnlyError(f"how a Value was made, its _backward included, cannot be changed from outside. {HOW_TO_ADD}")


class Value:
    """A number, its gradient, and how it was made.

    `data` is an int, float, bool or NumPy scalar, anything else an OperandError; `label` a name for pictures.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = ("_data", "_grad", "_locals", "_operands", "_operation", "_state", "label")
    __array_ufunc__ = None  # NumPy's scalars leave `np.int64(3) * value` to us

    def __init__(self, data: Any, label: str = "", *operands: Any) -> None:
        if operands or not isinstance(label, str):
            raise ReadOnlyError(f"Value(data, label): the label is a str; no operands from outside. {HOW_TO_ADD}")
        self._data = number(data, "Value")
        self._grad = 0.0
        self._operands: tuple[Value, ...] = ()
        self._locals: tuple[float | None, ...] = ()
        self._state = stale.FRESH
        self._operation: Operation | None = None
        self.label = label

    # ---- making a node ----

    @staticmethod
    def _record(op: Operation, operands: Iterable[Any]) -> Value:
        """The result of an operation as a node of the graph; plain numbers among the operands become constants."""
        nodes = tuple([x if isinstance(x, Value) else _constant(x, op.name) for x in operands])
        if not modes.recording and modes.places is None:
            return Value(number(op.value(*[node._data for node in nodes]), op.name))
        out = Value(0.0)
        out._operation, out._operands = op, nodes
        out._evaluate()
        return out if modes.recording else out.detach()

    def _evaluate(self) -> None:
        """Takes this node's number, and the local derivative in each operand that is not a constant."""
        op, nodes = self.op, self._operands
        numbers = [node._data for node in nodes]
        self._data = y = number(op.value(*numbers), op.name)
        self._locals = tuple([None if n._state & CONSTANT else op.local(i, numbers, y) for i, n in enumerate(nodes)])
        if modes.places is not None:
            check_value(self)

    def refresh(self) -> Value:
        """Recomputes the whole graph in place from the present data of its leaves; returns self."""
        for node in topological_order(self):
            if node._operands:
                node._evaluate()
        return self

    # ---- the chain rule ----

    def backward(self, seed: float = 1.0) -> None:
        """Gives every number of the graph its derivative of this one.

        Gradients of leaves are added to (set them to 0 between steps); those of all other nodes are set afresh.
        `seed` is the gradient of this node itself, that is, the derivative of some later quantity.
        """
        seed = number(seed, "backward(seed)")
        order = topological_order(self)
        leaves = [(node, node._grad) for node in order if not node._operands]
        for node in order:
            node._state = stale.after_backward(node._state, node._grad)
            node._grad = 0.0
        self._grad = seed
        try:
            for node in reversed(order):
                node._deposit()
        finally:  # also when it was interrupted, earlier gradients are not lost
            for leaf, earlier in leaves:
                leaf._grad += earlier

    def _deposit(self) -> None:
        """One step of the chain rule: local × upstream, into each operand. A zero on either side deposits nothing."""
        upstream = self._grad
        if upstream:
            for operand, local in zip(self._operands, self._locals):  # noqa: B905 (this is the hot loop)
                if local:
                    operand._grad += local * upstream
            if modes.places is not None:
                check_deposits(self, self._locals, upstream)

    def zero_grad(self) -> None:
        """Sets the gradient of every number of this graph to 0."""
        for node in topological_order(self):
            node.grad = 0.0

    def detach(self) -> Value:
        """A new leaf with the same number: derivatives stop here."""
        return Value(self._data, self.label)

    # ---- what can be seen ----

    @property
    def data(self) -> float:
        """The number. It can be written on leaves; `refresh()` then brings the rest of a graph up to date."""
        return self._data

    @data.setter
    def data(self, x: Any) -> None:
        if self._operands:
            raise ReadOnlyError(f"the data of a result ({self.op.name}) is read-only: write a leaf's, then refresh()")
        self._data = number(x, "Value.data")
        self._state = stale.after_write(self._state)

    @property
    def grad(self) -> float:
        """The derivative that the last `backward()` found here (on a leaf: the sum since it was set to zero)."""
        self._state |= stale.READ
        return self._grad

    @grad.setter
    def grad(self, x: Any) -> None:
        self._grad = number(x, "Value.grad")
        if self._grad == 0:
            self._state &= CONSTANT

    # fmt: off
    def peek_grad(self) -> float: return self._grad  # for showing it: the watch for a forgotten zero_grad takes no note
    op = property(lambda self: self._operation, _refuse, doc="The operation that made this Value; None for a leaf.")
    operands = property(lambda self: self._operands, _refuse, doc="The Values it was made of; () for a leaf.")
    locals = property(lambda self: self._locals, _refuse, doc="The local derivative in each; None: none flows.")
    constant = property(lambda self: bool(self._state & CONSTANT), doc="Whether this leaf is a plain number.")
    # micrograd's names for the operands, the operation, and one step of the chain rule
    _prev = property(lambda self: set(self._operands), _refuse)
    _op = property(lambda self: self.op.symbol if self.op else "", _refuse)
    _backward = property(lambda self: self._deposit, _refuse)
    # fmt: on

    def __repr__(self) -> str:
        made = f", op={self.op.name!r}" if self.op else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{made}{label})"

    # ---- operators (plain numbers may stand on either side), and other things that Python asks of a number ----
    # fmt: off
    def __add__(self, other: Any) -> Value: return Value._record(ops.add, (self, other))
    def __radd__(self, other: Any) -> Value: return Value._record(ops.add, (other, self))
    def __sub__(self, other: Any) -> Value: return Value._record(ops.sub, (self, other))
    def __rsub__(self, other: Any) -> Value: return Value._record(ops.sub, (other, self))
    def __mul__(self, other: Any) -> Value: return Value._record(ops.mul, (self, other))
    def __rmul__(self, other: Any) -> Value: return Value._record(ops.mul, (other, self))
    def __truediv__(self, other: Any) -> Value: return Value._record(ops.div, (self, other))
    def __rtruediv__(self, other: Any) -> Value: return Value._record(ops.div, (other, self))
    def __pow__(self, other: Any) -> Value: return Value._record(ops.pow, (self, other))
    def __rpow__(self, other: Any) -> Value: return Value._record(ops.pow, (other, self))
    def __neg__(self) -> Value: return Value._record(ops.neg, (self,))
    def __pos__(self) -> Value: return self
    def __abs__(self) -> Value: return Value._record(ops.abs, (self,))
    def __lt__(self, other: Any) -> Value: return Value._record(ops.lt, (self, other))
    def __le__(self, other: Any) -> Value: return Value._record(ops.le, (self, other))
    def __gt__(self, other: Any) -> Value: return Value._record(ops.gt, (self, other))
    def __ge__(self, other: Any) -> Value: return Value._record(ops.ge, (self, other))
    def __eq__(self, other: Any) -> Any: return _equality(ops.eq, self, other)
    def __ne__(self, other: Any) -> Any: return _equality(ops.ne, self, other)
    def __hash__(self) -> int: return id(self)
    def __bool__(self) -> bool: return bool(self._data)
    def __format__(self, spec: str) -> str: return format(self._data, spec) if spec else repr(self)
    def __reduce__(self) -> tuple: return pickling.reduce_graph(topological_order(self))
    def _repr_svg_(self) -> str | None: return display_hook(self, "svg")
    def _repr_html_(self) -> str | None: return display_hook(self, "html")
    # fmt: on

    if TYPE_CHECKING:  # the operations of the table are methods, too: v.tanh(); they are added below

        def __getattr__(self, name: str) -> Callable[..., Value]: ...

    def __float__(self, *digits: int) -> float:
        raise OperandError("a float would lose the gradient: say chainrule.exp(v), not math.exp(v), or take v.data")

    __int__ = __round__ = __floor__ = __ceil__ = __trunc__ = __float__


add_methods(Value)


def topological_order(root: Value) -> list[Value]:
    """Every node of the graph below `root`, operands before the results made of them; without recursion.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.label or node.op.name for node in topological_order(a * b + a)]
    ['a', 'b', 'mul', 'add']
    """
    order, seen = [], {id(root)}
    path: list[tuple[Value, Iterator[Value]]] = [(root, iter(root._operands))]
    while path:
        node, operands = path[-1]
        for operand in operands:
            if id(operand) in seen:
                continue
            seen.add(id(operand))
            if operand._operands:
                path.append((operand, iter(operand._operands)))
                break
            order.append(operand)
        else:  # all of its operands are in the order: now the node itself
            order.append(node)
            path.pop()
    return order


def _constant(x: Any, where: str) -> Value:
    leaf = Value(number(x, where))
    leaf._state = CONSTANT
    return leaf


def _equality(op: Operation, value: Value, other: Any) -> Any:
    try:
        return Value._record(op, (value, other))
    except OperandError:
        return NotImplemented  # a Value and, say, a str are simply not equal
