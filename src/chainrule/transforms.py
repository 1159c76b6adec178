"""Derivatives of ordinary functions to any order: `grad`, `value_and_grad`, `jacobian`, `hessian`, `hvp`, `jvp`, `vjp`.

A transform runs a function of scalars, or of nested lists, tuples, dicts, dataclasses and arrays of scalars, on fresh
Values (in place of an array, on an array of them), and applies the chain rule to the graph that results. It keeps its
gradients to itself: `.grad` of Values that the function closes over does not change.

On numbers, at the outermost level, all results are plain floats, and the local derivatives stored in the graph suffice.
On Values, or within another transform, results are Values that can be differentiated again: then the local derivatives
are recalculated from the table, as Values.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.core.anomaly import check_deposits, warn_of_swallowed
from chainrule.core.arrays import holds_objects
from chainrule.core.modes import differentiating, modes, nested_transform
from chainrule.core.operation import number
from chainrule.core.packing import Row
from chainrule.core.trees import as_argument, formed, is_tree, leaves, tree_map, unflatten
from chainrule.engine import Value, one_walk_at_a_time, topological_order
from chainrule.errors import ArgumentError, GraphError, OperandError, SizeError
from chainrule.ops import chain, identity
from chainrule.storage.value_base import derivatives


def grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """Returns the function that calculates the derivative of `f`, which must return one number.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts, dataclasses and arrays of numbers.
        argnums: the position of the argument to differentiate with respect to, or several positions.

    Returns:
        A function of the same arguments. Its result has the structure of argument `argnums`; for several argnums it
        is a tuple of such. Called with plain numbers, it gives plain floats, also where `f` uses Values from outside;
        called with Values it gives Values, which keep the graph of all that `f` uses.

    Raises:
        OperandError: on the call, if `f` does not return one number, or an argument holds something other than numbers.
        ArgumentError: on the call, if there is no argument `argnums`.

    >>> from chainrule import exp, sin
    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0
    >>> grad(lambda p: p["w"] * p["x"][1])({"w": 3.0, "x": [5.0, 7.0]})
    {'w': 7.0, 'x': [0.0, 3.0]}
    >>> w = Value(2.0)
    >>> slope = grad(lambda x: w * x * x)
    >>> slope(3.0), slope(Value(3.0)).data
    (12.0, 12.0)
    """
    both = value_and_grad(f, argnums)
    return _named(f, "grad", lambda *args, **named: both(*args, **named)[1])


def value_and_grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """Like `grad`, but the function returns the pair (value, derivative).

    >>> value_and_grad(lambda a, b: a * b, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """

    def value_and_derivative(*args: Any, **named: Any) -> tuple[Any, Any]:
        run = _run(f, args, named, argnums)
        _check_number(run.out, f, "grad")
        with nested_transform():
            return run.value(), run.like_arguments(run.pullback(run.out, 1.0))

    return _named(f, "value_and_grad", value_and_derivative)


def jacobian(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """Returns the function that calculates every derivative of every result of `f`.

    It takes and raises what `grad` does, but `f` may return any nesting of numbers.

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
    """Returns the function that calculates all second derivatives of `f`, which must return one number. It raises what
    `grad` does.

    Returns:
        A function of the same arguments: the structure of argument `argnums`, twice nested.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return _named(f, "hessian", jacobian(grad(f, argnums), argnums))


def hvp(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """Returns the function that multiplies the Hessian of `f` by a direction (Hessian-vector product), without making
    the Hessian: it is the gradient of the derivative in that direction. So it takes a few times as long as the
    gradient, however many variables there are. `f` must return one number; it raises what `grad` and `jvp` do.

    Returns:
        A function of the same arguments and, after them, the direction, which has the structure of argument `argnums`.
        So has the result; for several argnums both are tuples of such.

    >>> hvp(lambda v: v[0] ** 2 * v[1])([3.0, 4.0], [1.0, 10.0])
    [68.0, 6.0]
    """

    def product(*args: Any, **named: Any) -> Any:
        if len(args) < 2:
            raise ArgumentError(f"after the arguments of {_name(f)} comes the direction, which multiplies its Hessian: "
                                f"hvp({_name(f)})(x, v)")  # fmt: skip
        *point, direction = args
        slope = directional(f, direction, argnums)
        run = _run(slope, tuple(point), named, argnums, direction)
        with nested_transform():
            return run.like_arguments(run.pullback(run.out, 1.0))

    return _named(f, "hvp", product)


def directional(f: Callable, direction: Any, argnums: int | Sequence[int] = 0) -> Callable:
    """Returns the function that calculates the derivative of `f`, which must return one number, in a direction.

    >>> directional(lambda v: v[0] ** 2 * v[1], [1.0, 10.0])([3.0, 4.0])
    114.0
    """

    def slope(*args: Any, **named: Any) -> Any:
        run = _run(f, args, named, argnums, direction)
        _check_number(run.out, f, "hvp")
        return _along(run, _matched(run.arguments, direction, "the direction of hvp"))[1]

    return _named(f, "directional", slope)


def vjp(f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """Reverse mode: evaluates `f`, and returns the function that maps upstream gradients to derivatives
    (vector-Jacobian product).

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts, dataclasses and arrays of numbers.
        primals: its arguments.

    Returns:
        (value, pullback): `pullback(upstream)` takes the structure of the value and returns a tuple of derivatives, one
        for each of `primals`.

    Raises:
        OperandError: an argument, or a result, is something other than numbers.
        SizeError: on the call of `pullback`, if `upstream` has another structure.

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
    """Forward mode: evaluates `f` and its derivative in the direction `tangents` (Jacobian-vector product).

    Args:
        f: a function of `len(primals)` arguments.
        primals: a list or tuple of arguments: the point.
        tangents: the direction, in the structure of `primals`.

    Returns:
        (value, derivative), both in the structure that `f` returns.

    Raises:
        OperandError: an argument, a tangent or a result is something other than numbers.
        SizeError: `tangents` has another structure than `primals`.

    >>> jvp(lambda a, b: a * b, (3.0, 4.0), (1.0, 10.0))
    (12.0, 34.0)
    """
    run = _run(f, tuple(primals), {}, tuple(range(len(primals))), tangents)
    return _along(run, _matched(run.arguments, tuple(tangents), "tangents of jvp"))


def gradients(out: Value, variables: Sequence[Value]) -> list[float]:
    """The derivatives of a Value with respect to some Values of its graph. Unlike `backward()`, it does not touch
    `.grad`.

    >>> x, y = Value(3.0), Value(4.0)
    >>> gradients(x * y, [x, y]), x.grad
    ([4.0, 3.0], 0.0)
    """
    return [_plain(x) for x in _pullback(topological_order(out), list(variables), 1.0, False)]


# ---- how a function is run, and how the chain rule walks what it leaves behind ------------------------------------


@dataclass(frozen=True)
class _Run:
    """One call of a function on fresh Values."""

    variables: list[Value]
    """One for each number of the arguments to differentiate with respect to."""
    arguments: Any
    """These arguments; gradients are returned in their structure."""
    out: Any
    since: int
    """What was made before this mark cannot depend on the variables: no walk goes there."""
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
        order = topological_order(out, since=self.since)
        return [self.result(x) for x in _pullback(order, self.variables, upstream, self.as_values)]

    def like_arguments(self, flat: Iterable[Any]) -> Any:
        return unflatten(self.arguments, flat)


def _run(f: Callable, args: tuple, named: dict, argnums: int | Sequence[int], others: Any = ()) -> _Run:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise ArgumentError(f"argnums={i}, but {_name(f)} was called with {len(args)} positional arguments")
    chosen = [i % len(args) for i in numbers]
    as_values = modes.nesting > 0 or _are_there_values([*args, *named.values(), others])
    with one_walk_at_a_time:
        since = Value._new_mark()
    with nested_transform():
        fresh = {i: tree_map(_variable, args[i], as_argument) for i in chosen}
        variables = [leaf for i in chosen for leaf in leaves(fresh[i])]  # before `f` may change its lists
        with differentiating(variables):
            out = f(*[fresh.get(i, arg) for i, arg in enumerate(args)], **named)
    out = out if is_tree(out) else leaves(out)[0]  # an array without axes is a number
    arguments = args[chosen[0]] if isinstance(argnums, int) else tuple([args[i] for i in chosen])
    return _Run(variables, arguments, out, since, as_values)


def _check_number(out: Any, f: Callable, transform: str) -> None:
    if is_tree(out):
        raise OperandError(f"{transform} needs a function that returns one number, but {_name(f)} returned a "
                           f"{type(out).__name__}: use jacobian")  # fmt: skip


def _are_there_values(arguments: list[Any]) -> bool:
    """Whether some argument holds a Value; arrays and tables of plain numbers are not looked through."""
    return any(isinstance(x, Value) for x in leaves(arguments, lambda x: not holds_objects(x)))


def _variable(x: Any) -> Value:
    """A node for `x` that is used nowhere else, and so is distinct from what the function closes over."""
    return identity(x) if isinstance(x, Value) else Value(number(x, "a differentiated argument"))


def _pullback(order: list[Value], variables: list[Value], upstream: Any, as_values: bool) -> list[Any]:
    """Reverse mode: the derivative of the last node with respect to each variable, times `upstream`."""
    if not (as_values or modes.places is not None) and type(upstream) is float:
        return derivatives(order, variables, upstream)
    gradient = {id(root): upstream for root in order[-1:]}
    _propagate(order, _active(order, variables), gradient, as_values)
    return [gradient.get(id(variable), 0.0) for variable in variables]


def _propagate(order: list[Value], active: set[int], gradient: dict[int, Any], as_values: bool) -> None:
    """Adds the derivative with respect to each node to `gradient`, which has that of the last node."""
    for node in reversed(order):
        if id(node) not in gradient or id(node) not in active:
            continue
        operands = Row(node.operands)
        for i, (operand, kept) in enumerate(zip(operands, node.locals, strict=True)):
            if kept is not None and id(operand) in active:
                local = _local(node, operands, i, kept) if as_values else kept
                deposit = chain(gradient[id(node)], local)
                if modes.places is not None:
                    check_deposits(node, _plain(gradient[id(node)]), operand, _plain(local))
                gradient[id(operand)] = gradient[id(operand)] + deposit if id(operand) in gradient else deposit
    if modes.places is not None:
        warn_of_swallowed()


def _along(run: _Run, tangents: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """The value of a run, and its derivative in a direction, of which there are pairs (argument, tangent)."""
    moving = [(v, t) for v, (_, t) in zip(run.variables, tangents, strict=True) if _is_moving(t)]
    with nested_transform():
        tangent = {id(variable): t for variable, t in moving}
        roots = [out for out in leaves(run.out) if isinstance(out, Value)]
        _pushforward(topological_order(*roots, since=run.since), tangent, run.as_values)
        return run.value(), tree_map(lambda out: run.result(tangent.get(id(out), 0.0)), run.out)


def _pushforward(order: list[Value], tangent: dict[int, Any], as_values: bool) -> None:
    """Forward mode: adds the derivative of each node to `tangent`, which has those of the variables."""
    for node in order:
        if id(node) not in tangent:
            operands = Row(node.operands)
            for i, (operand, kept) in enumerate(zip(operands, node.locals, strict=True)):
                if kept is not None and id(operand) in tangent:
                    local = _local(node, operands, i, kept) if as_values else kept
                    deposit = chain(local, tangent[id(operand)])
                    tangent[id(node)] = tangent[id(node)] + deposit if id(node) in tangent else deposit


def _active(order: list[Value], variables: list[Value]) -> set[int]:
    """The ids of nodes that depend on a variable (activity analysis)."""
    active = set(map(id, variables))
    for node in order:
        operands = node.operands
        if not active.isdisjoint(map(id, operands)):
            edges = zip(operands, node.locals, strict=True)
            if any(local is not None and id(operand) in active for operand, local in edges):
                active.add(id(node))
    return active


def _local(node: Value, operands: Row, i: int, kept: float) -> Any:
    """A local derivative recalculated from the table, as a Value; it must equal the number stored in the node."""
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


def _is_moving(tangent: Any) -> bool:
    return isinstance(tangent, Value) or number(tangent, "a tangent") != 0


def _matched(tree: Any, other: Any, what: str) -> list[tuple[Any, Any]]:
    """Pairs the numbers of two trees; refuses trees of different structures."""
    if tree_map(lambda leaf: None, tree, formed) != tree_map(lambda leaf: None, other, formed):
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
