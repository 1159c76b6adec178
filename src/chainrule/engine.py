"""The engine: a `Value` is a number that remembers how it was made, and `backward()` gives every number its derivative.

Each operation stands in the table `ops/`: its value, and its local derivative with respect to each operand, where `y`
is the result. (Write another one there, and `add_table`, at the end, makes it a method of Values.)

    @operation(local=[lambda a, b, y: b, lambda a, b, y: a], symbol="*")
    def mul(a, b):
        return a * b

All three get plain numbers. Called with Values, `mul` makes a new one, which keeps them and the local derivatives:

>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> y = a * b
>>> y.data, y.op.name, y.operands == (a, b), y.locals
(6.0, 'mul', True, (3.0, 2.0))

That is all the chain rule needs: from the result back to the leaves, each node hands every operand *local derivative ×
its own gradient*, and what reaches a number over several ways is added up.

>>> y.backward()
>>> a.grad, b.grad
(3.0, 2.0)

What a node keeps (the names end in `_`, so that no attribute of a user's own is one of them):

    _data_         its number, which one reads as `data`
    _grad_         its gradient, `grad`: d root / d this number, where root is what `backward()` was called on
    _code_         which operation made it, `op`
    _count_        how many operands it has; it is a leaf if there are none
    _operands_, _locals_   what it was made of, and the local derivative with respect to each: `edge_at` gives both
    _mark_         how far the last walk over a graph came with it, see `_sort`; at first, which walk was the last
    _grad_before_  of a leaf: its gradient when the present `backward()` began
    _state_        flags: is it a constant, as the 3 in 3 * x, with derivative 0? The others are for `core/stale.py`
    _label_        a name for pictures

What else Python asks of a number is in `storage/value_base.py`. The list `open_modes` is empty, unless somebody is in
`no_grad()`, `detect_anomaly()`, `recording()` or a compilation (`core/modes.py`); what is then to be done is in
`core/hooks.py`. What is done to the slots of one node is in `storage/nodes.py`, such as `fill_value_and_locals`, which
calls the functions of the table. A node is the Value itself; in the compiled engine it is a struct of C, to which
`node_of` goes, and `value_of` back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule import ops
from chainrule.core import stale
from chainrule.core.forks import lock_held_while_forking
from chainrule.core.hooks import began, deposited, ended, made_leaf, under_modes
from chainrule.core.modes import open_modes
from chainrule.core.operation import Operation, is_number, number
from chainrule.storage.value_base import ValueBase, differs, equals, is_compiled, label_alone  # noqa: F401

if TYPE_CHECKING:
    import cython  # that is what Cython reads, when it compiles this file with the types of engine.pxd
else:
    from chainrule.core import interpreted as cython
if not cython.compiled:  # so it is in plain Python; in the compiled engine these are functions of C
    from chainrule.storage.nodes import (Nodes, add_back, add_table, append_operands, doubtful, edge_at, make_leaf,
        fill_value_and_locals, giver, new_marks, new_pair, new_result, node_of, remade, renew, row_of, set_aside,
        value_of, watch)  # fmt: skip
    from chainrule.storage.value_base import check_step, compares_numbers

ADD, SUB, MUL, DIV, POW, NEG, ABS = ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg, ops.abs
LT, LE, GT, GE, EQ, NE = ops.lt, ops.le, ops.gt, ops.ge, ops.eq, ops.ne
one_walk_at_a_time = lock_held_while_forking()  # since threads may share nodes, and so marks and gradients


# ---- how an operation makes a node ----
def record(op: Operation, operands: tuple) -> Value:
    """The result of an operation: a new node with its operands, its number and its local derivatives."""
    return _calculated(new_result(Value, op.code, operands))


def record_pair(op: Operation, a: Any, b: Any) -> Value:
    """The same for two operands, without a tuple of them: for the operators, which are called most."""
    return _calculated(new_pair(Value, op.code, a, b))


def _calculated(node: Value) -> Value:
    """The node, with number and local derivatives by the table; None, if an array's own operators are to take over."""
    fill_value_and_locals(node)
    return NotImplemented if node is None else under_modes(node) if open_modes else node


# ---- the order: operands before the results made of them ----
def topological_order(*roots: Value, since: int = 0) -> list[Value]:
    """Every node of the graph below `roots`, operands before the results made of them; if made `since` that mark."""
    order, path = Nodes(), row_of(roots[::-1])
    with one_walk_at_a_time:
        _sort(path, order, order, False, since)  # results and leaves in one row
    return list(order)


def _sort(path: Nodes, results: Nodes, leaves: Nodes, afresh: bool, oldest: int) -> int:
    """The topological sort, depth first, into `results` and `leaves`: nodes wait on `path` (first: roots) for operands.

    Its mark is below `entered` before the walk comes to it, `entered` while it waits for its operands, and `done` once
    it is in the order; the next walk has two larger marks, so nothing need be wiped off. For `backward()`, `afresh`,
    the gradients of results are set to 0 on the way. (`since`, `watch` and `doubt` are for `core/stale.py` alone.)
    """
    entered = new_marks()  # two of them
    done, since, doubt = entered + 1, stale.first_since_write(entered), 0
    while len(path):
        node = path.pop()
        if oldest and 0 < node._mark_ < oldest:  # and what it is made of is older still
            continue
        if node._mark_ < entered and node._count_:
            path.put_back(node)  # below its operands: it is met again once all of them are in the order
            doubt |= watch(node, since, afresh)
            if afresh:
                node._grad_ = 0.0
            node._mark_ = entered
            append_operands(path, node, entered)  # the first comes last, and is looked at next
        elif node._mark_ < done:  # a leaf, or a result whose operands are in the order; met again, it is passed over
            node._mark_ = done
            if node._count_:
                results.append(node)
            else:
                leaves.append(node)
    return doubt


# ---- the chain rule ----
def send_gradients_down(node: Value) -> None:
    """One step of the chain rule: local derivative × gradient, added to the gradient of each operand."""
    upstream = node._grad_
    if upstream:  # a zero on either side adds nothing: 0 · inf would be nan in a branch not taken, or for a constant
        for i in range(node._count_):
            operand, local = edge_at(node, i)
            if local:
                operand._grad_ += local * upstream
    if open_modes:  # detect_anomaly() raises here if a gradient is not finite
        deposited(value_of(node), upstream)


def _send_all_down(root: Value, upstream: float, stop_if_old: bool) -> list | None:
    """The chain rule from `root` to the leaves; with `stop_if_old`, only if no result may be older than the data of its
    leaves: it then returns those that may be, and has sent nothing."""
    with one_walk_at_a_time:
        results, leaves, path = Nodes(), Nodes(), Nodes()
        path.append(node_of(root))
        doubt = _sort(path, results, leaves, True, 0)
        if stop_if_old and doubt and (old := doubtful(results)):
            return old
        try:
            set_aside(leaves)  # keeps their gradients in _grad_before_, and sets them to 0
            root._grad_ = upstream
            while len(results):  # in reverse order: what a node hands on is whole by then
                send_gradients_down(results.pop())
        finally:  # also when it was interrupted
            add_back(leaves)  # _grad_before_ + _grad_, in one addition: two calls give exactly twice the gradient
    return None


class Value(ValueBase):
    """A number, its gradient, and how it was made. `data` is an int, float, bool or NumPy scalar (anything else raises
    an OperandError), `label` a name for pictures."""

    __slots__ = ()  # those of its base

    def __init__(self, data: Any, label: str = "", *others: Any, _children: Any = None, _op: Any = None) -> None:
        if _children is not _op or others or not isinstance(label, str):  # as in micrograd: operands, operation, label
            label = label_alone(label, others, _children, _op)  # raises an error, unless there are no operands
        make_leaf(self, number(data, "Value"), label)
        if open_modes:
            made_leaf(self)

    def backward(self, seed: float = 1.0) -> None:
        """Gives every number of the graph its gradient: d this one / d that number.

        Gradients of leaves add up from call to call (set them to 0 between steps); those of results begin at 0 in each
        call. `seed` is the gradient of this node itself, that is, the derivative of some later quantity. If a leaf was
        written since the graph was made, it warns, and gives the derivatives at the numbers of that time.
        """
        upstream = number(seed, "backward(seed)")
        if open_modes:
            began(self, upstream)
        if old := _send_all_down(self, upstream, True):
            stale.warn_if_outdated(old)  # without the lock, since functions of the user's own may be called
            _send_all_down(self, upstream, False)
        if open_modes:
            ended(self)

    def zero_grad(self) -> None:
        """Sets the gradient of every number of this graph to 0."""
        for value in topological_order(self):
            value.grad = 0.0

    def refresh(self) -> Value:
        """Recomputes all numbers and local derivatives of the graph from the present data of leaves; returns self."""
        for value in topological_order(self):
            if not value.is_leaf():
                _calculated(renew(value))
        return self

    def detach(self) -> Value:
        """A new leaf with the same number: derivatives stop here. (While `compile` traces, `data` is such a leaf.)"""
        if isinstance(x := self.data, Value):
            return x
        return made_leaf(remade(type(self), (None, (), (), x, 0.0, 0, self.label)))

    # fmt: off
    # called by the modules beneath
    _record = staticmethod(lambda op, operands: record(op, tuple(operands)))  # for a call such as tanh(v)
    _remade = staticmethod(lambda cls, state: remade(cls, state))  # for copies and pickles, as the next
    def _order(self) -> list[Value]: return topological_order(self)
    def _send_down(self) -> None: send_gradients_down(giver(self))  # for v._backward(), as in micrograd
    _new_mark = staticmethod(lambda: new_marks())  # larger than any so far; nodes made from now on have no smaller one

    # operators; plain numbers may stand on either side, and comparisons give 1.0 or 0.0, with no derivative
    def __add__(self, other: Any) -> Value: return record_pair(ADD, self, other)
    def __radd__(self, other: Any) -> Value: return record_pair(ADD, other, self)
    def __iadd__(self, x: Any) -> Value: return record_pair(ADD, self if self._count_ else check_step(self, x, "+="), x)
    def __sub__(self, other: Any) -> Value: return record_pair(SUB, self, other)
    def __rsub__(self, other: Any) -> Value: return record_pair(SUB, other, self)
    def __isub__(self, x: Any) -> Value: return record_pair(SUB, self if self._count_ else check_step(self, x, "-="), x)
    def __mul__(self, other: Any) -> Value: return record_pair(MUL, self, other)
    def __rmul__(self, other: Any) -> Value: return record_pair(MUL, other, self)
    def __truediv__(self, other: Any) -> Value: return record_pair(DIV, self, other)
    def __rtruediv__(self, other: Any) -> Value: return record_pair(DIV, other, self)
    def __pow__(self, other: Any) -> Value: return record_pair(POW, self, other)
    def __rpow__(self, other: Any) -> Value: return record_pair(POW, other, self)
    def __neg__(self) -> Value: return record(NEG, (self,))
    def __abs__(self) -> Value: return record(ABS, (self,))
    def __lt__(self, other: Any) -> Value: return record_pair(LT, self, other)
    def __le__(self, other: Any) -> Value: return record_pair(LE, self, other)
    def __gt__(self, other: Any) -> Value: return record_pair(GT, self, other)
    def __ge__(self, other: Any) -> Value: return record_pair(GE, self, other)
    def __eq__(self, x: Any) -> Any: return record_pair(EQ, self, x) if compares_numbers(self, x) else equals(self, x)
    def __ne__(self, x: Any) -> Any: return record_pair(NE, self, x) if is_number(x) else differs(self, x)
    def __hash__(self) -> int: return id(self)


add_table(Value)  # from here on the operations of the table are methods: v.tanh()
