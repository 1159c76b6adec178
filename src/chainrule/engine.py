"""The engine: a `Value` is a number that remembers how it was made, and `backward()` gives every number its derivative.

An operation on Values makes a new Value that keeps three things: which operation made it, its operands, and the local
derivative with respect to each operand, taken at that moment. That is all that the chain rule needs: walking from the
result back to the inputs, each node hands every operand *local derivative × its own gradient*, and what arrives at a
number over several ways is added up. All operations, and their local derivatives, come from the table in `ops/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule import ops
from chainrule.core import membership, modes, pickling, stale
from chainrule.core.forks import lock_held_while_forking
from chainrule.core.modes import (check_deposits, check_write, open_modes, seen_data, seen_truth, under_modes, untraced,
    warn_of_swallowed, written_out)  # fmt: skip
from chainrule.core.operation import HOW_TO_ADD, Operation, is_number, number, refuse_change, refuse_float
from chainrule.core.stale import AGAIN, LASTING, READ, STALE
from chainrule.errors import ReadOnlyError

if TYPE_CHECKING:
    import cython  # that is what Cython reads, when it compiles this file with the types of engine.pxd
else:
    from chainrule.core import interpreted as cython
if not cython.compiled:  # how a node keeps its operands and takes its number: for this the compiled engine has C
    from chainrule.storage.nodes import (Methods, Nodes, blank, complete, doubtful, evaluate, is_constant, keep,
        label_of, locals_of, node_of, operands_of, operation_of, prepare, remade, renew, set_label, state_of,
        value_of)  # fmt: skip

ADD, SUB, MUL, DIV, POW, NEG, ABS = ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg, ops.abs
LT, LE, GT, GE, EQ, NE = ops.lt, ops.le, ops.gt, ops.ge, ops.eq, ops.ne
display_hook: Any = lambda value, format: None  # noqa: E731 - see chainrule.draw
_one_walk_at_a_time = lock_held_while_forking()
_walks = 0  # two numbers for each walk, with which it marks the nodes that it has entered, and those that it has done


def is_compiled() -> bool:
    """Whether this is the engine that Cython compiled, or these lines run by Python (as with CHAINRULE_PURE=1)."""
    return cython.compiled


class Value(Methods):
    """A number, its gradient, and how it was made.

    `data` is an int, float, bool or NumPy scalar, anything else an OperandError; `label` a name for pictures.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = ("_code", "_count", "_data", "_earlier", "_edges", "_grad", "_label", "_state", "_walk")
    __array_ufunc__ = None  # NumPy's scalars leave `np.int64(3) * value` to us

    def __init__(self, data: Any, label: str = "", *operands: Any) -> None:
        if operands or not isinstance(label, str):
            raise ReadOnlyError(f"Value(data, label): the label is a str; no operands from outside. {HOW_TO_ADD}")
        prepare(self, number(data, "Value"), label)

    def refresh(self) -> Value:
        """Recomputes the whole graph in place from the present data of its leaves; returns self."""
        for node in [node for node in topological_order(self) if node.op]:
            _result(renew(node))
        return self

    # ---- the chain rule ----
    def backward(self, seed: float = 1.0) -> None:
        """Gives every number of the graph its derivative of this one.

        Gradients of leaves are added to (set them to 0 between steps), all others set afresh. `seed` is the gradient
        of this node itself, that is, the derivative of some later quantity.
        """
        upstream = number(seed, "backward(seed)")
        if open_modes:
            untraced(upstream, "call backward()")
        found = _chain_rule(self, upstream, True)
        if found:  # the user's own operations and warnings run, which may wait for the lock: so without it
            stale.check_passed(found)
            _chain_rule(self, upstream, False)
        if open_modes:
            warn_of_swallowed()

    def zero_grad(self) -> None:
        """Sets the gradient of every number of this graph to 0."""
        for node in topological_order(self):
            node.grad = 0.0

    def detach(self) -> Value:
        """A new leaf with the same number: derivatives stop here."""
        return x if isinstance(x := self.data, Value) else Value(x, self.label)

    @property
    def data(self) -> float:
        """The number. It can be written on leaves; `refresh()` then brings the rest of a graph up to date."""
        return seen_data(self, self._data) if open_modes else self._data

    @data.setter
    def data(self, x: Any) -> None:
        if self._count or open_modes:
            check_write(self)
        self._data = number(x, "Value.data")
        self._state = stale.after_write(self._state)

    @property
    def grad(self) -> float:
        """The derivative that the last `backward()` found here (on a leaf: the sum since it was set to zero)."""
        self._state |= READ
        return untraced(self._grad, "read .grad", self) if open_modes else self._grad

    @grad.setter
    def grad(self, x: Any) -> None:
        self._grad = number(x, "Value.grad")
        self._state &= LASTING if self._grad == 0 else ~0

    def __repr__(self) -> str:
        made = f", op={self.op.name!r}" if self.op else ""
        return f"Value(data={self._data}, grad={self._grad}{made}{self.label and f', label={self.label!r}'})"

    # fmt: off
    label = property(lambda self: label_of(self), lambda self, x: set_label(self, x), doc="A name for pictures, a str.")
    _remade = staticmethod(lambda cls, state: remade(cls, state))  # what `pickling` asks for
    _record = staticmethod(lambda op, operands: record_row(op, tuple(operands)))  # what `Operation` asks for
    def is_leaf(self) -> bool: return not self._code
    def peek_grad(self) -> float: return modes.peeked(self._grad, "peek_grad()") if modes.open_traces else self._grad
    def peek_data(self) -> float: return modes.peeked(self._data, "peek_data()") if modes.open_traces else self._data
    op = property(lambda self: operation_of(self), refuse_change, doc="The operation that made this; None for a leaf.")
    operands = property(lambda self: operands_of(self), refuse_change, doc="The Values it was made of; () for a leaf.")
    locals = property(lambda self: modes.peeked(locals_of(self), "locals") if modes.open_traces else locals_of(self),
                      refuse_change, doc="The local derivative in each; None: no flow.")
    constant = property(lambda self: is_constant(self), doc="Whether this leaf is a plain number.")
    _prev = property(lambda self: set(self.operands), refuse_change)  # this and the next two are micrograd's names
    _op = property(lambda self: self.op.symbol if self.op else "", refuse_change)
    _backward = property(lambda self: lambda: _step_back(self), refuse_change)

    # ---- operators (plain numbers may stand on either side), and other things that Python asks of a number ----
    def __add__(self, other: Any) -> Value: return _pair(ADD, self, other)
    def __radd__(self, other: Any) -> Value: return _pair(ADD, other, self)
    def __sub__(self, other: Any) -> Value: return _pair(SUB, self, other)
    def __rsub__(self, other: Any) -> Value: return _pair(SUB, other, self)
    def __mul__(self, other: Any) -> Value: return _pair(MUL, self, other)
    def __rmul__(self, other: Any) -> Value: return _pair(MUL, other, self)
    def __truediv__(self, other: Any) -> Value: return _pair(DIV, self, other)
    def __rtruediv__(self, other: Any) -> Value: return _pair(DIV, other, self)
    def __pow__(self, other: Any) -> Value: return _pair(POW, self, other)
    def __rpow__(self, other: Any) -> Value: return _pair(POW, other, self)
    def __neg__(self) -> Value: return Value._record(NEG, (self,))
    def __pos__(self) -> Value: return self
    def __abs__(self) -> Value: return Value._record(ABS, (self,))
    def __lt__(self, other: Any) -> Value: return _pair(LT, self, other)
    def __le__(self, other: Any) -> Value: return _pair(LE, self, other)
    def __gt__(self, other: Any) -> Value: return _pair(GT, self, other)
    def __ge__(self, other: Any) -> Value: return _pair(GE, self, other)
    def __eq__(self, other: Any) -> Any: return _pair(EQ, self, other) if _meets(self, other) else NotImplemented
    def __ne__(self, other: Any) -> Any: return _pair(NE, self, other) if is_number(other) else NotImplemented
    def __hash__(self) -> int: return id(self)
    def __bool__(self) -> bool: return seen_truth(self, bool(self._data)) if open_modes else bool(self._data)
    def __format__(self, spec: str) -> str: return format(written_out(self._data), spec) if spec else repr(self)
    def __reduce__(self) -> tuple | str: return pickling.reduce_graph(topological_order(self))
    def __getstate__(self) -> tuple: return state_of(self)
    def _repr_svg_(self) -> str | None: return display_hook(self, "svg")
    def _repr_html_(self) -> str | None: return display_hook(self, "html")
    def __float__(self) -> float: return refuse_float()
    def __int__(self) -> int: return refuse_float()
    def __round__(self, *digits: int) -> float: return refuse_float()
    __floor__ = __ceil__ = __trunc__ = __round__


complete(Value)


def topological_order(root: Value) -> list[Value]:
    """Every node of the graph below `root`, operands before the results made of them.

    >>> [node.label or node.op.name for node in topological_order(Value(2.0, "a") * Value(3.0, "b"))]
    ['a', 'b', 'mul']
    """
    order = Nodes()
    with _one_walk_at_a_time:
        _sort(root, order, order, False)
    return list(order)


def _chain_rule(root: Value, upstream: float, doubting: bool) -> list | None:
    """Does what `backward()` says; if it is `doubting` and some results may be stale, it just gives those."""
    with _one_walk_at_a_time:
        results, leaves = Nodes(), Nodes()
        found = doubtful(results) if _sort(root, results, leaves, True) & AGAIN else None
        if found and doubting:
            return found
        made, given = results.nodes, leaves.nodes
        for leaf in given[: leaves.count]:
            if leaf._state & STALE:
                leaf._state = stale.after_backward(leaf._state, leaf._grad)
            leaf._earlier, leaf._grad = leaf._grad, 0.0
        root._grad = upstream
        try:
            for i in range(results.count - 1, -1, -1):
                _deposit(made[i])
        finally:  # also when it was interrupted, earlier gradients are not lost
            for leaf in given[: leaves.count]:
                leaf._grad += leaf._earlier
    return None


def _sort(root: Value, results: Nodes, leaves: Nodes, afresh: bool) -> int:
    """Puts the graph's leaves into one row and its results, in topological order, into another; depth first, without
    recursion: a node stays on the path until its operands are in. `afresh` sets the gradients of results to 0, and has
    their states returned, all in one."""
    global _walks  # noqa: PLW0603 - in the compiled build a variable of C
    _walks += 2
    entered, done, states = _walks, _walks + 1, 0
    since, path = stale.first_since_write(entered), Nodes()
    path.append(node_of(root))
    while path.count:
        node = path.last()
        if node._walk < entered and node._count:
            if node._walk < since:
                node._state |= (node._state & 32) << 1  # stale.AGAIN if it was stale.PASSED
            node._walk = entered
            for i in range(node._count - 1, -1, -1):
                path.append(node._edges[i].operand)
        else:
            path.pop()
            if node._walk < done:
                node._walk = done
                if not node._count:
                    leaves.append(node)
                    continue
                results.append(node)
                if afresh:
                    node._grad = 0.0
                    states |= node._state
                    node._state |= 32  # stale.PASSED
    return states


def _deposit(node: Value) -> None:
    """One step of the chain rule: local × upstream, into each operand. A zero on either side deposits nothing."""
    upstream = node._grad
    if upstream:
        for i in range(node._count):
            if node._edges[i].local:
                node._edges[i].operand._grad += node._edges[i].local * upstream
    if open_modes:
        check_deposits(value_of(node), upstream)


def _step_back(node: Value) -> None:
    _deposit(node_of(node))
    warn_of_swallowed()


def record_row(op: Operation, operands: tuple) -> Value:
    """The result of an operation as a node of the graph; plain numbers among the operands become constants."""
    out = blank(Value, op.code, len(operands))
    for i in range(len(operands)):
        keep(out, i, operands[i])
    return _result(out)


def _pair(op: Operation, a: Any, b: Any) -> Value:  # as record_row, for the operators
    out = blank(Value, op.code, 2)
    keep(out, 0, a)
    keep(out, 1, b)
    return _result(out)


def _meets(a: Value, b: Any) -> bool:  # whether `a == b` compares numbers: not in `a in nodes`, see membership.py
    alike = isinstance(b, Value) and a is not b and (open_modes or a._data == b.data)
    return is_number(b) and not (alike and membership.by_identity())


def _result(node: Value) -> Value:
    """Takes a result's number, and the local derivative in each operand that is not a constant, from the table."""
    evaluate(node)
    return under_modes(node) if open_modes else node
