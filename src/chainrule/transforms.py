"""Derivatives of ordinary functions to any order: `grad`, `value_and_grad`, `jacobian`, `hessian`, `jvp`, `vjp`.

A function of scalars, or of nested lists, tuples and dicts of scalars, is run on fresh Values; the chain rule then
walks the graph that this leaves behind. It keeps its sums to itself, so `.grad` of Values that the function closes
over is never touched.

Called with numbers at the outermost level, everything here gives plain floats, and the local derivatives kept in the
graph are all that is needed. Called with Values, or from inside another transform, it gives Values that can be
differentiated again: then the local derivatives are made afresh from the table, as Values.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.core.modes import check_deposits, differentiating, modes, nested_transform, warn_of_swallowed
from chainrule.core.operation import number
from chainrule.core.trees import leaves, tree_map, unflatten
from chainrule.engine import Value, topological_order
from chainrule.errors import ArgumentError, GraphError, OperandError, SizeError
from chainrule.ops import chain, identity


def grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that gives the derivative of `f`, which must return one number.

    Args:
        f: a function of numbers, or of nested lists, tuples and dicts of numbers.
        argnums: which positional argument (or arguments) to differentiate in.

    Returns:
        A function of the same arguments. Its result has the structure of argument `argnums`; for several argnums it
        is a tuple of such.

    Raises:
        OperandError: on the call, if `f` does not return one number, or an argument holds something else than numbers.
        ArgumentError: on the call, if there is no argument `argnums`.

    >>> from chainrule import exp, sin
    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0
    >>> grad(lambda p: p["w"] * p["x"][1])({"w": 3.0, "x": [5.0, 7.0]})
    {'w': 7.0, 'x': [0.0, 3.0]}
    """
    return _named(f, "grad", lambda *args, **named: value_and_grad(f, argnums)(*args, **named)[1])


def value_and_grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """Like `grad`, but the function returns the pair (value, derivative).

    >>> value_and_grad(lambda a, b: a * b, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """

    def value_and_derivative(*args: Any, **named: Any) -> tuple[Any, Any]:
        run = _run(f, args, named, argnums)
        if isinstance(run.out, list | tuple | dict):
            raise OperandError(f"grad needs a function that returns one number, but {_name(f)} returned a "
                               f"{type(run.out).__name__}: use jacobian")  # fmt: skip
        with nested_transform():
            return run.value(), run.like_arguments(run.pullback(run.out, 1.0))

    return _named(f, "value_and_grad", value_and_derivative)


def jacobian(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that gives every derivative of every result of `f`.

    Returns:
        A function of the same arguments. Its result has the structure of what `f` returns, with, in place of each
        number, the structure of argument `argnums` holding that number's derivatives.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0]]
    """

    def derivatives(*args: Any, **named: Any) -> Any:
        run = _run(f, args, named, argnums)
        with nested_transform():
            return tree_map(lambda out: run.like_arguments(run.pullback(out, 1.0)), run.out)

    return _named(f, "jacobian", derivatives)


def hessian(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that gives all second derivatives of `f`, which must return one number.

    Returns:
        A function of the same arguments: the structure of argument `argnums`, twice nested.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return _named(f, "hessian", jacobian(grad(f, argnums), argnums))


def vjp(f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """Reverse mode: the value of `f`, and the function that takes upstream gradients back to the arguments.

    Returns:
        (value, pullback): `pullback(upstream)` takes the structure of the value and gives a tuple of derivatives, one
        for each of `primals`.

    >>> value, pullback = vjp(lambda a, b: [a * b, a], 3.0, 4.0)
    >>> value, pullback([1.0, 10.0])
    ([12.0, 3.0], (14.0, 3.0))
    """
    run = _run(f, primals, {}, tuple(range(len(primals))))

    def pullback(upstream: Any) -> tuple:
        with nested_transform():
            total = [0.0] * len(run.variables)
            for out, seed in _matched(run.out, upstream, "the upstream gradient of vjp"):
                total = [a + b for a, b in zip(total, run.pullback(out, seed), strict=True)]
            return run.like_arguments(total)

    return run.value(), pullback


def jvp(f: Callable, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Forward mode: the value of `f`, and its derivative in the direction `tangents`.

    Args:
        f: a function of `len(primals)` arguments.
        primals: where to take the derivative: a list or tuple of arguments.
        tangents: how each number of `primals` moves: the same structure.

    Returns:
        (value, derivative), both of the structure that `f` returns.

    >>> jvp(lambda a, b: a * b, (3.0, 4.0), (1.0, 10.0))
    (12.0, 34.0)
    """
    run = _run(f, tuple(primals), {}, tuple(range(len(primals))), tangents)
    moving = [(v, t) for v, t in zip(run.variables, _flat_like(tuple(primals), tangents), strict=True) if _moves(t)]
    with nested_transform():
        tangent = {id(variable): t for variable, t in moving}
        for root in leaves(run.out):
            if isinstance(root, Value):
                _push_forward(root, tangent, run.as_values)
        return run.value(), tree_map(lambda out: run.result(tangent.get(id(out), 0.0)), run.out)


def gradients(out: Value, variables: Sequence[Value]) -> list[float]:
    """The derivative of a Value in each of some Values of its graph; other than `backward()`, it leaves `.grad` alone.

    >>> x, y = Value(3.0), Value(4.0)
    >>> gradients(x * y, [x, y]), x.grad
    ([4.0, 3.0], 0.0)
    """
    return [_plain(x) for x in _pull_back(out, list(variables), 1.0, False)]


# ---- how a function is run, and how the chain rule walks what it leaves behind ------------------------------------


@dataclass(frozen=True)
class _Run:
    """One call of a function on fresh Values."""

    variables: list[Value]
    """One for each number of the arguments to differentiate in."""
    arguments: Any
    """Those arguments; gradients are given back in their structure."""
    out: Any
    as_values: bool
    """Whether results must be Values, to be differentiated again."""

    def result(self, x: Any) -> Any:
        if self.as_values:
            return x if isinstance(x, Value) else Value(x)
        return number(_plain(x), "the result")

    def value(self) -> Any:
        return tree_map(self.result, self.out)

    def pullback(self, out: Any, upstream: Any) -> list[Any]:
        if not isinstance(out, Value):
            number(out, "the function's result")
            return [self.result(0.0) for _ in self.variables]
        return [self.result(x) for x in _pull_back(out, self.variables, upstream, self.as_values)]

    def like_arguments(self, flat: Iterable[Any]) -> Any:
        return unflatten(self.arguments, flat)


def _run(f: Callable, args: tuple, named: dict, argnums: int | Sequence[int], also: Any = ()) -> _Run:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise ArgumentError(f"argnums={i}, but {_name(f)} was called with {len(args)} positional arguments")
    chosen = [i % len(args) for i in numbers]
    as_values = modes.nesting > 0 or any(isinstance(x, Value) for x in leaves([*args, *named.values(), also]))
    with nested_transform():
        fresh = {i: tree_map(_variable, args[i]) for i in chosen}
        variables = [leaf for i in chosen for leaf in leaves(fresh[i])]  # before `f` changes its lists
        with differentiating(variables):
            out = f(*[fresh.get(i, arg) for i, arg in enumerate(args)], **named)
    arguments = args[chosen[0]] if isinstance(argnums, int) else tuple([args[i] for i in chosen])
    return _Run(variables, arguments, out, as_values)


def _variable(x: Any) -> Value:
    """A node for `x` that is used nowhere else, so that what the function closes over is held apart from it."""
    return identity(x) if isinstance(x, Value) else Value(number(x, "a differentiated argument"))


def _pull_back(root: Value, variables: list[Value], upstream: Any, as_values: bool) -> list[Any]:
    """Reverse mode: the derivative of `root` in each variable, times `upstream`."""
    order = topological_order(root)
    reached = _reached(order, variables)
    gradient = {id(root): upstream}
    if as_values or modes.places is not None or type(upstream) is not float:
        _hand_down(order, reached, gradient, as_values)
    else:
        _hand_down_numbers(order, reached, gradient)
    return [gradient.get(id(variable), 0.0) for variable in variables]


def _hand_down(order: list[Value], reached: set[int], gradient: dict[int, Any], as_values: bool) -> None:
    """Adds the derivatives of all nodes to `gradient`, which has that of the last one."""
    for node in reversed(order):
        if id(node) not in gradient or id(node) not in reached:
            continue
        operands = node.operands
        for i, (operand, kept) in enumerate(zip(operands, node.locals, strict=True)):
            if kept is not None and id(operand) in reached:
                local = _local(node, operands, i, kept) if as_values else kept
                part = chain(gradient[id(node)], local)
                if modes.places is not None:
                    check_deposits(node, _plain(gradient[id(node)]), operand, _plain(local))
                gradient[id(operand)] = gradient[id(operand)] + part if id(operand) in gradient else part
    if modes.places is not None:
        warn_of_swallowed()


def _hand_down_numbers(order: list[Value], reached: set[int], gradient: dict[int, float]) -> None:
    """The same, where all are plain numbers and nobody looks on, in half the time."""
    product = chain.value
    for node in reversed(order):
        upstream = gradient.get(id(node))
        if upstream is not None and id(node) in reached:
            for operand, local in zip(node.operands, node.locals, strict=True):
                at = id(operand)
                if local is not None and at in reached:
                    part = product(upstream, local)
                    gradient[at] = gradient[at] + part if at in gradient else part


def _push_forward(root: Value, tangent: dict[int, Any], as_values: bool) -> None:
    """Forward mode: adds the derivative of each node of the graph to `tangent`, which has those of the variables."""
    for node in topological_order(root):
        if id(node) not in tangent:
            operands = node.operands
            for i, (operand, kept) in enumerate(zip(operands, node.locals, strict=True)):
                if kept is not None and id(operand) in tangent:
                    local = _local(node, operands, i, kept) if as_values else kept
                    part = chain(local, tangent[id(operand)])
                    tangent[id(node)] = tangent[id(node)] + part if id(node) in tangent else part


def _reached(order: list[Value], variables: list[Value]) -> set[int]:
    """The nodes through which a variable acts; on all others the derivative does not depend."""
    reached = set(map(id, variables))
    for node in order:
        operands = node.operands
        if not reached.isdisjoint(map(id, operands)):
            ways = zip(operands, node.locals, strict=True)
            if any(local is not None and id(operand) in reached for operand, local in ways):
                reached.add(id(node))
    return reached


def _local(node: Value, operands: tuple[Value, ...], i: int, kept: float) -> Any:
    """A local derivative made afresh from the table as a Value; it must equal the number kept in the node."""
    assert node.op is not None
    local = node.op.local(i, operands, node, finite=modes.trace is None and math.isfinite(_plain(node)))
    now = _plain(local)
    if now != kept and not (math.isnan(now) and math.isnan(kept)):
        raise GraphError(
            f"the data of an operand of {node.op.name} changed after the call, so its derivative cannot be "
            "differentiated again: build the graph after the change"
        )
    return local


def _plain(x: Any) -> float:
    return x.peek_data() if isinstance(x, Value) else x


def _moves(tangent: Any) -> bool:
    return isinstance(tangent, Value) or number(tangent, "a tangent") != 0


def _flat_like(tree: Any, other: Any) -> list[Any]:
    return [b for _, b in _matched(tree, other if not isinstance(tree, tuple) else tuple(other), "tangents of jvp")]


def _matched(tree: Any, other: Any, what: str) -> list[tuple[Any, Any]]:
    """The numbers of two trees, in pairs; refused if their structures differ."""
    if tree_map(lambda leaf: None, tree) != tree_map(lambda leaf: None, other):
        raise SizeError(f"{what} must have the structure of {_shape(tree)} but has that of {_shape(other)}")
    return list(zip(leaves(tree), leaves(other), strict=True))


def _shape(tree: Any) -> str:
    return repr(unflatten(tree, [_Blank()] * len(leaves(tree))))


class _Blank:
    def __repr__(self) -> str:
        return "·"


def _name(f: Callable) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _named(f: Callable, transform: str, g: Callable) -> Callable:
    functools.update_wrapper(g, f, assigned=("__module__", "__doc__"), updated=())
    g.__name__ = g.__qualname__ = f"{transform}({_name(f)})"
    return g
