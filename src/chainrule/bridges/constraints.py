"""Bounds and constraints in the nesting of the numbers to find, as SciPy takes them."""

from __future__ import annotations

import math
from typing import Any

from chainrule.bridges.evaluation import OfVector, one_number, several_numbers
from chainrule.bridges.nesting import Nesting, np
from chainrule.core.extras import require
from chainrule.core.operation import is_number, number
from chainrule.errors import ArgumentError, SizeError, shown, suggest

optimize = require("scipy.optimize", extra="scipy")
linalg = require("scipy.sparse.linalg", extra="scipy")

KINDS = {"eq": 0.0, "ineq": math.inf}
"""The types of a constraint that is a dict, with the largest number that its function may return."""


def bounds_of(bounds: Any, nesting: Nesting) -> Any:
    """Reads bounds given as pairs.

    Args:
        bounds: None; a `Bounds`; a flat list of pairs; or pairs in a nesting like that of the numbers, in which one
            pair may stand for all numbers of a branch.
        nesting: of the numbers to find.

    Returns:
        A `scipy.optimize.Bounds`; None for none.

    Raises:
        SizeError: the nesting is another.
        ArgumentError: a pair is not in order.

    >>> bounds = bounds_of({"a": (0, None), "b": (-1, 1)}, Nesting({"a": 1.0, "b": [2.0, 3.0]}, "x0"))
    >>> bounds.lb, bounds.ub
    (array([ 0., -1., -1.]), array([inf,  1.,  1.]))
    """
    if bounds is None:
        return None
    if isinstance(bounds, optimize.Bounds):
        return optimize.Bounds(*[_one_for_each(side, nesting) for side in (bounds.lb, bounds.ub)], bounds.keep_feasible)
    if isinstance(bounds, list | tuple) and len(bounds) == len(nesting) and all(map(_is_pair, bounds)):
        pairs = list(bounds)
    else:
        pairs = nesting.matched(bounds, "bounds", _is_pair)
    low = [-math.inf if low is None else number(low, "bounds") for low, _ in pairs]
    high = [math.inf if high is None else number(high, "bounds") for _, high in pairs]
    for pair, a, b in zip(pairs, low, high, strict=True):
        if not a <= b:
            raise ArgumentError(f"bounds has {shown(pair)}: give (lowest, highest), None for no bound")
    return optimize.Bounds(np.array(low), np.array(high))


def sides_of(bounds: Any, nesting: Nesting) -> Any:
    """Reads bounds given as the pair (lowest, highest), each a number or in the nesting of the numbers.

    Raises:
        SizeError: a side has another nesting.
        ArgumentError: it is no pair, or the sides are not in order.
    """
    if bounds is None:
        return (-math.inf, math.inf)
    if isinstance(bounds, optimize.Bounds):
        low, high = [_one_for_each(side, nesting) for side in (bounds.lb, bounds.ub)]
    elif isinstance(bounds, list | tuple) and len(bounds) == 2:
        low, high = [nesting.flat(side, "bounds") for side in bounds]
    else:
        sides = "(lowest, highest), each a number for all or in the nesting of x0"
        raise ArgumentError(f"bounds is {shown(bounds)}: give {sides}")
    if not (low < high).all():
        raise ArgumentError(f"bounds is {shown(bounds)}: for each number of x0 the lowest must be below the highest")
    return low, high


def constraints_of(constraints: Any, nesting: Nesting, *, with_hessians: bool) -> list[Any]:
    """Reads constraints: those with functions of nested numbers become such with functions of a vector.

    Args:
        constraints: one, or several in a list or tuple; see `minimize`.
        nesting: of the numbers to find.
        with_hessians: whether the method uses second derivatives of constraints.

    Raises:
        ArgumentError: one has another form.
    """
    several = isinstance(constraints, list | tuple)
    return [
        _constraint(each, f"constraints[{i}]" if several else "constraints", nesting, with_hessians)
        for i, each in enumerate(constraints if several else [constraints])
    ]


def _constraint(given: Any, name: str, nesting: Nesting, with_hessian: bool) -> Any:
    if isinstance(given, optimize.LinearConstraint):
        return given
    keep_feasible, args = False, ()  # type: tuple[Any, Any]
    if isinstance(given, optimize.NonlinearConstraint):
        if callable(given.jac):
            raise ArgumentError(f"{name} has a jac of its own, but derivatives are found here: leave jac= out")
        function, low, high, keep_feasible = given.fun, given.lb, given.ub, given.keep_feasible
    else:
        function, args, high = _read(given, name)
        low = 0.0
    g = OfVector(function, nesting, args, several_numbers)
    options: dict[str, Any] = {"hess": _hessians(function, nesting, g.args)} if with_hessian else {}
    return optimize.NonlinearConstraint(g.values, low, high, jac=g.jacobian, keep_feasible=keep_feasible, **options)


def _read(given: Any, name: str) -> tuple[Any, Any, float]:
    """The function of a constraint that is a dict, its further arguments, and the largest number it may return."""
    example = f'{name.partition("[")[0]}={{"type": "ineq", "fun": g}} for g(p) >= 0, or "eq" for g(p) = 0'
    if not isinstance(given, dict):
        raise ArgumentError(f"{name} is {shown(given)}, which is no constraint: give {example}")
    kind, function = given.get("type"), given.get("fun")
    if not isinstance(kind, str) or kind.lower() not in KINDS:
        raise ArgumentError(f"{name} has the type {shown(kind)}: give {example}.{suggest(kind, KINDS)}")
    if not callable(function):
        raise ArgumentError(f"{name} has no function at 'fun', but {shown(function)}: give {example}")
    if "jac" in given:
        raise ArgumentError(f"{name} has a jac of its own, but derivatives are found here: leave 'jac' out")
    for key in given:
        if key not in ("type", "fun", "args"):
            raise ArgumentError(f"{name} has {shown(key)}, which no constraint has: give {example}")
    return function, given.get("args", ()), KINDS[kind.lower()]


def _hessians(function: Any, nesting: Nesting, args: Any) -> Any:
    """The function that gives Σ vᵢ · (the Hessian of constraint i) at x, as an operator."""

    def weighted(given: Any, v: Any, *rest: Any) -> Any:
        numbers = several_numbers(function(given, *rest), "a constraint")
        return sum([weight * number for weight, number in zip(v, numbers, strict=True)], 0.0)

    sum_of_all = OfVector(weighted, nesting, (), one_number)

    def hessian(x: Any, v: Any) -> Any:
        def times(direction: Any) -> Any:
            sum_of_all.args = (v, *args)
            return sum_of_all.hvp(x, np.ravel(direction))

        return linalg.LinearOperator((len(x), len(x)), matvec=times, dtype=np.float64)

    return hessian


def _one_for_each(side: Any, nesting: Nesting) -> Any:
    if side.size not in (1, len(nesting)):
        raise SizeError(f"bounds has {side.size} numbers, but x0 has {len(nesting)}")
    return np.broadcast_to(side.ravel(), len(nesting))


def _is_pair(x: Any) -> bool:
    return isinstance(x, list | tuple) and len(x) == 2 and all(each is None or is_number(each) for each in x)
