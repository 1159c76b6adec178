"""Functions of nested numbers as functions of one vector, with their derivatives: native code, where there can be any.

What cannot be traced is done by the eager engine, with one `SlowWarning` that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from chainrule import transforms
from chainrule.bridges.nesting import Nesting, np, vector
from chainrule.compiler.calling.options import Options
from chainrule.compiler.calling.paths import name_of
from chainrule.compiler.compiled import CompiledFunction
from chainrule.compiler.reports.fallbacks import Reason
from chainrule.core.operation import is_number
from chainrule.core.trees import leaves
from chainrule.engine import Value
from chainrule.errors import OperandError, TraceError, shown

Returns = Callable[[Any, str], Any]


class OfVector:
    """A function of nested numbers, evaluated at vectors.

    Args:
        function: takes the nested numbers, and then `args`. What is made of one that `compile` made is kept for the
            next time; one of a batch is called as it is.
        nesting: the nesting of its numbers.
        args: its other arguments, in a tuple; anything else is the only one, as in SciPy.
        returns: checks what it returns, which it gets with the function's name; `one_number` or `several_numbers`.

    >>> f = OfVector(lambda p: p["a"] * p["b"][0], Nesting({"a": 3.0, "b": [4.0]}, "x0"), (), one_number)
    >>> f.value_and_grad(np.array([3.0, 4.0])), f.hvp(np.array([3.0, 4.0]), np.array([0.0, 1.0]))
    ((12.0, array([4., 3.])), array([1., 0.]))
    """

    def __init__(self, function: Callable, nesting: Nesting, args: Any, returns: Returns) -> None:
        self.name = name_of(function)
        self.args, self._nesting = args if isinstance(args, tuple) else (args,), nesting
        self._takes_trees = isinstance(function, CompiledFunction) and function.options.in_axes is not None
        if self._takes_trees:
            self._native: Any = function
        elif isinstance(function, CompiledFunction):
            self._native = _kept(function, nesting, returns)
        else:
            self._native = _Native(_of_vector(function, nesting, returns), Options())
        self._returns, self._is_eager = returns, False

    def value(self, x: Any) -> Any:
        """Returns the number that the function returns at `x`."""
        return self._one(self._call("value", x))

    def value_and_grad(self, x: Any) -> tuple[float, Any]:
        """Returns the value and the gradient, float64[n]."""
        value, gradient = self._call("value_and_grad", x)
        return self._one(value), vector(gradient)

    def hvp(self, x: Any, direction: Any) -> Any:
        """Returns the product of the Hessian and a direction, float64[n]."""
        return vector(self._call("hvp", x, direction))

    def hessian(self, x: Any) -> Any:
        """Returns the Hessian, float64[n, n]."""
        return np.column_stack([self.hvp(x, unit) for unit in np.eye(len(x))])

    def values(self, x: Any) -> Any:
        """Returns all numbers that the function returns: float64[m]."""
        return vector(self._call("values", x))

    def jacobian(self, x: Any) -> Any:
        """Returns the derivatives of all numbers that the function returns: float64[m, n]."""
        return vector(self._call("jacobian", x)).reshape(-1, len(x))

    def _one(self, value: Any) -> Any:
        return self._returns(value, self.name) if self._takes_trees else value  # others are checked when traced

    def _call(self, what: str, *vectors: Any) -> Any:
        if self._takes_trees:
            x, *others = [self._nesting.filled(each) for each in vectors]
            return _NATIVE[what](self._native)(x, *self.args, *others)
        if not self._is_eager:
            try:
                return _NATIVE[what](self._native)(vectors[0], *self.args, *vectors[1:])
            except TraceError as error:
                self._is_eager = True
                self._native.fallbacks.met(_untraced(str(error)))
        x, *others = [each.tolist() for each in vectors]
        return _EAGER[what](self._native.function)(x, *self.args, *others)


def _eager_value(f: Callable) -> Callable:
    """The function on plain numbers; it itself gets Values, whose methods it may call."""
    return lambda x, *args: transforms.vjp(lambda numbers: f(numbers, *args), x)[0]


_NATIVE: dict[str, Callable[[CompiledFunction], Callable]] = {
    "value": lambda f: f,
    "values": lambda f: f.value_vector,
    "value_and_grad": lambda f: f.value_and_grad,
    "jacobian": lambda f: f.jacobian_matrix,
    "hvp": lambda f: f.hvp,
}
_EAGER: dict[str, Callable[[Callable], Callable]] = {
    "value": _eager_value,
    "values": _eager_value,
    "value_and_grad": transforms.value_and_grad,
    "jacobian": transforms.jacobian,
    "hvp": transforms.hvp,
}


def _untraced(why: str) -> Reason:
    hint = "That is slower by far. Let it calculate with numbers, operators and functions of chainrule alone."
    return Reason("function", f"evaluated by the eager engine, since it cannot be traced: {why}", hint, 1, 0)


class _Native(CompiledFunction):
    """A compiled function of one vector and further arguments."""

    def __init__(self, function: Callable, options: Options) -> None:
        super().__init__(function, options)
        self._forward: CompiledFunction | None = None
        self._is_decided = False

    def jacobian_matrix(self, x: Any, *args: Any) -> Any:
        """Calculates the Jacobian in one native call, float64[m, n]: backwards from each of the m results, or, where
        that would be more work, forwards from each of the n numbers, each in a sample of its own."""
        if not self._is_decided:
            self._is_decided = True
            if self._is_less_forward(x, *args):
                in_axes = (None,) * (1 + len(args)) + (0,)
                self._forward = CompiledFunction(_tangent_of(self.function), replace(self.options, in_axes=in_axes))
        if self._forward is None:
            return super().jacobian_matrix(x, *args)
        return self._forward.value_vector(x, *args, np.eye(len(x))).reshape(-1, len(x))

    def _is_less_forward(self, x: Any, *args: Any) -> bool:
        """Whether going forwards is less work. A result in the middle tells how far back each of them goes: to a few
        numbers of its own, as a residual does, or through most of the calculation, as a step of a simulation does."""
        self.value_vector(x, *args)
        _, path, _ = self._last_call("a value")
        graph = path.traced.graph
        left = [graph.outputs[len(graph.outputs) // 2]]
        reached = set(left)
        while left:
            new = set(graph.operands[left.pop()]) - reached
            reached |= new
            left.extend(new)
        return len(graph.outputs) * len(reached) > len(x) * len(graph)


def _tangent_of(function: Callable) -> Callable:
    def tangent(x: Any, *others: Any) -> Any:
        *args, direction = others
        return transforms.jvp(lambda numbers: function(numbers, *args), (x,), (direction,))[1]

    tangent.__name__ = f"jacobian({name_of(function)})"
    return tangent


_known: WeakKeyDictionary[CompiledFunction, dict[Any, _Native]] = WeakKeyDictionary()
"""For a function that the user compiled, what was made of it, by the nesting of its numbers."""


def _kept(function: CompiledFunction, nesting: Nesting, returns: Returns) -> _Native:
    """The function of a vector that is made of one that the user compiled: once for each nesting."""
    made = _known.setdefault(function, {})
    key = nesting.form, returns
    if key not in made:
        made[key] = _Native(_of_vector(function.function, nesting, returns), function.options)
    return made[key]


def _of_vector(function: Callable, nesting: Nesting, returns: Returns) -> Callable:
    name = name_of(function)

    def of_vector(numbers: Any, *args: Any) -> Any:
        return returns(function(nesting.with_values(numbers), *args), name)

    of_vector.__name__ = of_vector.__qualname__ = name
    return of_vector


def one_number(out: Any, name: str) -> Any:
    """Checks that a function returned one number.

    Raises:
        OperandError: it returned something else.
    """
    if isinstance(out, Value) or is_number(out):
        return out
    mended = "return chainrule.sum_of_squares(...) of it, or call least_squares"
    if out is None:
        mended = "end it with a return"
    elif isinstance(out, np.ndarray) and out.dtype.kind == "f":
        mended = "where it was compiled with in_axes, say reduce='sum' or 'mean' as well"
    raise OperandError(f"what is minimised must be one number, but {name} returned {_told(out)}: {mended}")


def several_numbers(out: Any, name: str) -> list[Any]:
    """Returns the numbers that a function returned, in one list.

    Raises:
        OperandError: it returned something else, or none.
    """
    numbers = [x for part in leaves(out) for x in (part.ravel().tolist() if isinstance(part, np.ndarray) else [part])]
    if not numbers or not all(isinstance(x, Value) or is_number(x) for x in numbers):
        raise OperandError(f"{name} must return numbers, in lists or arrays, but returned {_told(out)}")
    return numbers


def _told(out: Any) -> str:
    return "None" if out is None else f"the {type(out).__name__} {shown(out, 40)}"
