"""What Python, notebooks and the other modules need of a `Value`, beside the mathematics in `engine.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule import ops
from chainrule.core import attributes, hooks, membership, pickling, stale, ufuncs
from chainrule.core.closures import fixed, label_alone  # noqa: F401
from chainrule.core.hints import refuse_float, refuse_index
from chainrule.core.membership import differs, equals  # noqa: F401
from chainrule.core.modes import open_modes, open_traces
from chainrule.core.hooks import seen_data, seen_truth, setting_grad, untraced, writing, written_out
from chainrule.core.operation import is_number, number
from chainrule.core.stale import LASTING, LOOKED_AT, PASSED, SEEN, WRITTEN

if TYPE_CHECKING:
    import cython
else:
    from chainrule.core import interpreted as cython
if not cython.compiled:
    from chainrule.storage.nodes import (Methods, derivatives_by_locals, is_constant, is_hidden, label_of, locals_of,
        operands_of, operation_of, own_of, set_label, state_of)  # fmt: skip

display_hook: Any = lambda value, format: None  # noqa: E731 - see chainrule.draw


def is_compiled() -> bool:
    """Returns whether the engine was compiled by Cython; if not, Python runs its files (as with CHAINRULE_PURE=1)."""
    return cython.compiled


class ValueBase(Methods):
    """The base of `Value`: the attributes that can be read and written.

    The head of `engine.py` says what each slot of a node holds.
    """

    __slots__ = ("_code_", "_count_", "_data_", "_grad_", "_grad_before_", "_label_",
        "_locals_", "_mark_", "_operands_", "_state_")  # fmt: skip

    # ---- its number and its gradient ----
    @property
    def data(self) -> float:
        """The number. It can be written on leaves; `refresh()` then brings the rest of a graph up to date."""
        return seen_data(self, self._data_) if open_modes else self._data_

    @data.setter
    def data(self, x: Any) -> None:
        if self._count_ or open_modes:
            x = writing(self, x)
        self._data_ = number(x, "Value.data")
        self._state_ = stale.after_write(self._state_)

    @property
    def grad(self) -> float:
        """The derivative that the last `backward()` found here (on a leaf: the sum since it was set to zero)."""
        self._state_ |= LOOKED_AT  # for the warnings of core/stale.py
        return untraced(self._grad_, "read .grad", self) if open_modes else self._grad_

    @grad.setter
    def grad(self, x: Any) -> None:
        if open_modes:
            x = setting_grad(self, x)
        self._grad_ = number(x, "Value.grad")
        self._state_ &= LASTING if self._grad_ == 0 else ~0

    # fmt: off
    def peek_grad(self) -> float: return hooks.peeked(self._grad_, "peek_grad()") if open_traces else self._grad_
    def peek_data(self) -> float: return hooks.peeked(self._data_, "peek_data()") if open_traces else self._data_

    # fmt: on
    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **named: Any) -> Any:
        """Calculates a function of NumPy's. `np.float64(2) * v` comes by here: NumPy's scalars ask no Value first."""
        if len(given) == 2 and isinstance(given[0], float) and ufunc in ufuncs.met and not named:
            return ufuncs.met[ufunc][0](float(given[0]), given[1])
        return ufuncs.applied(ufunc, method, given, named)

    # fmt: off
    # ---- how it was made ----
    def is_leaf(self) -> bool: return not self._count_
    label = property(lambda self: label_of(self), lambda self, x: set_label(self, "" if x is None else x),
                     doc="A name for pictures, a str.")
    op = fixed(lambda self: operation_of(self), "The operation that made this; None for a leaf.")
    operands = fixed(lambda self: operands_of(self), "The Values it was made of; () for a leaf.")
    locals = fixed(lambda self: hooks.peeked(locals_of(self), "locals") if open_traces else locals_of(self),
                   "The local derivative in each; None: no flow.")
    _hidden = property(lambda self: is_hidden(self), doc="Whether it stands behind a result of a subclass.")
    constant = property(lambda self: is_constant(self), doc="Whether this leaf is a plain number.")
    _label = property(lambda self: label_of(self), lambda self, x: set_label(self, "" if x is None else x))
    _prev = fixed(lambda self: set(self.operands))  # this, the one before and the next ones are micrograd's names
    _children = fixed(lambda self: self.operands)  # this and the next are microgpt's
    _local_grads = fixed(lambda self: tuple([x or 0.0 for x in self.locals]))
    _backward = fixed(lambda self: lambda: _step_back(self), closure=True)
    _op = fixed(lambda self: self.op.symbol if self.op else "")
    # fmt: on

    def peek_passed(self) -> bool:
        """Returns whether a `backward()` has passed this result since it was calculated, for pictures."""
        return bool(self._state_ & PASSED)

    def peek_written(self) -> list[int]:
        """Returns the places of the operands that are leaves written since this was calculated, for pictures.

        If some of several leaves were written since, it is unknown which: all that were ever written are returned.
        """
        op, operands, kept, data, *_ = state_of(self)
        written = [i for i, x in enumerate(operands) if x.is_leaf() and state_of(x)[5] & WRITTEN]
        numbers = [x.peek_data() for x in operands] if written else []
        return written if written and stale.is_outdated(op, numbers, kept, data) else []

    # ---- other things that Python asks of a number ----
    # fmt: off
    def item(self) -> float: return self.data
    def __pos__(self) -> Any: return self
    def __mod__(self, other: Any) -> Any: return self._record(ops.mod, (self, other))
    def __rmod__(self, other: Any) -> Any: return self._record(ops.mod, (other, self))
    def __floordiv__(self, other: Any) -> Any: return self._record(ops.floordiv, (self, other))
    def __rfloordiv__(self, other: Any) -> Any: return self._record(ops.floordiv, (other, self))
    def __divmod__(self, other: Any) -> Any: return self // other, self % other
    def __rdivmod__(self, other: Any) -> Any: return other // self, other % self
    def conjugate(self) -> Any: return self  # NumPy asks for it where it squares: arr.std()
    def __bool__(self) -> bool: return seen_truth(self, bool(self._data_)) if open_modes else bool(self._data_)
    def __format__(self, spec: str) -> str: return format(written_out(self._data_), spec) if spec else repr(self)
    def __reduce__(self) -> tuple | str: return pickling.reduce_graph(self._order())
    def __getstate__(self) -> tuple: return state_of(self)
    def __setstate__(self, own: dict[int, dict[str, Any]]) -> None: pickling.restore_attributes(self._order(), own)
    def __dir__(self) -> list[str]: return [name for name in object.__dir__(self) if attributes.is_there(self, name)]
    def _set_attribute(self, name: str, x: Any) -> None: Methods.__setattr__(self, name, x)
    def own_attributes(self) -> dict[str, Any]: return own_of(self) | attributes.in_slots(self)
    def _repr_svg_(self) -> str | None: return display_hook(self, "svg")
    def _repr_html_(self) -> str | None: return display_hook(self, "html")
    def __index__(self) -> int: return refuse_index()
    def __float__(self) -> float: return ufuncs.refuse_item() or refuse_float()
    def __int__(self) -> int: return refuse_float()
    def __round__(self, *digits: int) -> float: return refuse_float()
    __floor__ = __ceil__ = __trunc__ = __round__
    # fmt: on

    def __repr__(self) -> str:
        made = f", op={self.op.name!r}" if self.op else ""
        return f"Value(data={self._data_}, grad={self._grad_}{made}{self.label and f', label={self.label!r}'})"


def check_step(leaf: ValueBase, x: Any, sign: str) -> ValueBase:
    """Returns a leaf of which `p += x`, or another `sign`, makes a new Value. It warns if that looks like
    `p -= lr * p.grad`, meant to move the leaf. (With an `x` that is a Value it is a new formula.)"""
    if leaf._state_ & SEEN and leaf._grad_ and not isinstance(x, ValueBase):
        stale.warn_of_update(sign)
    return leaf


def derivatives(order: list[Any], variables: list[Any], upstream: float) -> list[float]:
    """Returns the derivative of the last Value of an order in each of some Values, times `upstream`, by the local
    derivatives that nodes keep. It adds up as `backward()` does, but the gradients of all Values stay what they are."""
    return derivatives_by_locals(order, variables, upstream)


def _step_back(node: Any) -> None:
    if open_modes:
        hooks.stepping(node)
    node._send_down()
    hooks.warn_of_swallowed()


def compares_numbers(a: ValueBase, b: Any) -> bool:
    """Returns whether `a == b` compares numbers: not if `b` is no number, nor within `a in nodes` (membership.py)."""
    alike = isinstance(b, ValueBase) and a is not b and (open_modes or a._data_ == b.data)
    return is_number(b) and not (alike and membership.by_identity())
