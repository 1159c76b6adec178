"""SciPy's optimisers for functions written with chainrule's operations: exact derivatives, by one native call each.

`minimize` and `least_squares` take what SciPy's functions of these names take, with two differences: derivatives are
not asked for, and the numbers to find may be in any nesting: a number, arrays, nested lists, tuples and dicts. Needs
the extra "scipy".

>>> from chainrule import exp
>>> def rosenbrock(p):
...     return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2
>>> found = minimize(rosenbrock, {"x": -1.2, "y": 1.0}, method="trust-ncg", options={"gtol": 1e-10})
>>> {name: round(number, 6) for name, number in found.params.items()}
{'x': 1.0, 'y': 1.0}
>>> times, sizes = [0.0, 1.0, 2.0, 3.0], [10.1, 6.0, 3.7, 2.2]
>>> decay = least_squares(lambda p: [p[0] * exp(-p[1] * t) - y for t, y in zip(times, sizes)], [1.0, 1.0])
>>> [round(number, 3) for number in decay.params], [round(error, 3) for error in decay.standard_errors]
([10.08, 0.508], [0.057, 0.006])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.bridges.constraints import bounds_of, constraints_of, sides_of
from chainrule.bridges.evaluation import OfVector, one_number, several_numbers
from chainrule.bridges.nesting import Nesting, np
from chainrule.core.extras import require
from chainrule.errors import ArgumentError, shown

optimize = require("scipy.optimize", extra="scipy")

WITHOUT_DERIVATIVES = ("nelder-mead", "powell", "cobyla", "cobyqa")
WITH_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
WITH_HESSIANS = ("dogleg", "trust-exact")
"""The methods of `scipy.optimize.minimize` that take no gradient; products of the Hessian and a vector; the Hessian."""


def minimize(
    f: Callable,
    x0: Any,
    args: Any = (),
    method: Any = None,
    *,
    bounds: Any = None,
    constraints: Any = (),
    **others: Any,
) -> Any:
    """Minimises a function, by `scipy.optimize.minimize`.

    The gradient is exact, and comes with the value from one native call; methods that use second derivatives get exact
    products of the Hessian and a vector. A function that cannot be traced is evaluated by the eager engine, with a
    `SlowWarning`. One that `chainrule.compile` made is used as it is, so that several calls share what was compiled,
    and a loss of many samples may be compiled with `in_axes` and `reduce`.

    Args:
        f: a function of the numbers to find, in the nesting of `x0`, that returns one number. An array in `x0` comes as
            an array of objects.
        x0: where to begin: a number, an array, or nested lists, tuples and dicts of these.
        args: further arguments of `f`.
        method: one of SciPy's methods; SciPy chooses if it is left out.
        bounds: pairs (lowest, highest), None for none: one for each number in the nesting of `x0`, or one for all
            numbers of a branch; or a flat list of pairs; or a `scipy.optimize.Bounds`.
        constraints: one or several of `{"type": "ineq", "fun": g}` (g ≥ 0), `{"type": "eq", "fun": g}` (g = 0),
            `scipy.optimize.NonlinearConstraint(g, lowest, highest)`, where `g` is a function like `f` that returns
            numbers and gets an exact Jacobian, and `scipy.optimize.LinearConstraint`, of the flat vector.
        others: `tol`, `callback` and `options`, as SciPy takes them. A callback gets the flat vector.

    Returns:
        SciPy's `OptimizeResult`, with one more attribute, `params`: the numbers found, in the nesting of `x0`.

    Raises:
        OperandError: `x0` holds something other than numbers, or `f` does not return one number.
        ArgumentError: a derivative is given, a constraint or bound has a wrong form, or `f` is not finite at `x0`.
        SizeError: the bounds have another nesting.
        MissingExtraError: a library is not installed.

    >>> from scipy.optimize import NonlinearConstraint
    >>> ring = NonlinearConstraint(lambda p: p[0] ** 2 + p[1] ** 2, 1.0, 1.0)
    >>> found = minimize(lambda p: p[0] + p[1], [1.0, 0.0], constraints=ring, tol=1e-12)
    >>> [round(number, 6) for number in found.params]
    [-0.707107, -0.707107]
    """
    refuse_derivatives("minimize", others, ("jac", "hess", "hessp"))
    nesting = Nesting(x0, "x0")
    objective = OfVector(f, nesting, args, one_number)
    kind = method.lower() if isinstance(method, str) else method
    derivatives: dict[str, Any] = {}
    if kind in WITHOUT_DERIVATIVES:
        function: Callable = objective.value
        _check_start(objective, nesting, function(nesting.numbers))
    else:
        function, derivatives["jac"] = objective.value_and_grad, True
        _check_start(objective, nesting, *function(nesting.numbers))
        if kind in WITH_PRODUCTS or callable(kind):
            derivatives["hessp"] = objective.hvp
        elif kind in WITH_HESSIANS:
            derivatives["hess"] = objective.hessian
    found = optimize.minimize(
        function,
        nesting.numbers,
        method=method,
        bounds=bounds_of(bounds, nesting),
        constraints=constraints_of(constraints, nesting, with_hessians=kind == "trust-constr"),
        **derivatives,
        **others,
    )
    found.params = nesting.filled(found.x)
    return found


def least_squares(f: Callable, x0: Any, args: Any = (), *, bounds: Any = None, **others: Any) -> Any:
    """Minimises half of a sum of squares, by `scipy.optimize.least_squares`, and estimates standard errors.

    The Jacobian is exact, from native code. `f` is evaluated as by `minimize`; one that `chainrule.compile` made with
    `in_axes` gives one residual for each sample.

    Standard errors are the square roots of the diagonal of s² (JᵀJ)⁻¹, with the Jacobian J at the solution and
    s² = Σ residual² / (m - n), for m residuals and n numbers. They assume that the residuals are independent and have
    equal variance, that no bound is active, and that `f` is close to linear within the errors (Seber and Wild,
    "Nonlinear Regression", 1989, section 2.1). Where that formula has no answer they are nan, and
    `standard_errors_note` says why.

    Args:
        f: a function of the numbers to find, in the nesting of `x0`, that returns residuals, in lists or arrays.
        x0: where to begin, as for `minimize`.
        args: further arguments of `f`.
        bounds: a pair (lowest, highest), each a number for all or in the nesting of `x0`; or a
            `scipy.optimize.Bounds`.
        others: what else SciPy takes: `method`, `loss`, `x_scale`, `ftol`, `xtol`, `gtol`, `max_nfev`, …

    Returns:
        SciPy's `OptimizeResult`, with `params` and `standard_errors` in the nesting of `x0`, and
        `standard_errors_note`, "" where they are numbers.

    Raises:
        OperandError, ArgumentError, SizeError, MissingExtraError: as `minimize`.

    >>> points = [(0.0, 1.0), (1.0, 3.1), (2.0, 4.9)]
    >>> line = least_squares(lambda p: [p["a"] + p["b"] * x - y for x, y in points], {"a": 0, "b": 0})
    >>> {name: round(number, 6) for name, number in line.params.items()}
    {'a': 1.05, 'b': 1.95}
    >>> {name: round(error, 6) for name, error in line.standard_errors.items()}
    {'a': 0.111803, 'b': 0.086603}
    """
    refuse_derivatives("least_squares", others, ("jac", "jac_sparsity"))
    nesting = Nesting(x0, "x0")
    residuals = OfVector(f, nesting, args, several_numbers)
    _check_start(residuals, nesting, residuals.values(nesting.numbers), residuals.jacobian(nesting.numbers))
    found = optimize.least_squares(
        residuals.values,
        nesting.numbers,
        jac=residuals.jacobian,
        bounds=sides_of(bounds, nesting),
        **others,
    )
    found.params = nesting.filled(found.x)
    errors, found.standard_errors_note = _standard_errors(found, others.get("loss", "linear"))
    found.standard_errors = nesting.filled(errors)
    return found


def refuse_derivatives(name: str, given: dict[str, Any], derivatives: Sequence[str]) -> None:
    """Refuses derivatives of the user's own, for which the functions would have another argument.

    Raises:
        ArgumentError: there are some.
    """
    for derivative in derivatives:
        if derivative in given:
            raise ArgumentError(f"{name} finds exact derivatives itself: leave {derivative}= out, {name}(f, x0)")


def _check_start(f: OfVector, nesting: Nesting, *found: Any) -> None:
    """Refuses to begin where something is not finite.

    Raises:
        ArgumentError: a number of `x0`, a value or a derivative is infinite or nan.
    """
    if not np.isfinite(nesting.numbers).all():
        raise ArgumentError(f"x0 is {shown(nesting.given)}: begin at finite numbers")
    for what, numbers in zip(("", "a derivative of "), found, strict=False):
        bad = [x for x in np.ravel(numbers).tolist() if not math.isfinite(x)]
        if bad:
            at = f"{what}{f.name} is {bad[0]} at x0 = {shown(nesting.given)}"
            mended = "where an operation has a finite number and slope, as in chainrule.log(chainrule.max(x, 1e-12))"
            raise ArgumentError(f"{at}: begin where it is finite, or keep operands {mended}")


def _standard_errors(found: Any, loss: Any) -> tuple[Any, str]:
    """Returns the standard errors of the numbers found, float64[n]; where there are none, nan and the reason."""
    jacobian = np.asarray(found.jac)
    m, n = jacobian.shape
    none = np.full(n, np.nan)
    if loss != "linear":
        return none, f"none for loss={shown(loss)}: the formula is that of plain squares"
    if m <= n:
        return none, f"none without more residuals ({m}) than numbers to find ({n})"
    if np.any(found.active_mask):
        return none, "none at an active bound, where estimates are not normally distributed"
    scale = np.linalg.norm(jacobian, axis=0)
    if not (np.isfinite(jacobian).all() and scale.all()):
        return none, "none where the residuals do not depend on one of the numbers, or a derivative is not finite"
    _, singular, rotation = np.linalg.svd(jacobian / scale, full_matrices=False)  # the numbers may differ in size
    if singular[-1] <= singular[0] * max(m, n) * np.finfo(float).eps:
        return none, "none where the residuals do not tell the numbers apart: the columns of the Jacobian are dependent"
    variances = ((rotation / singular[:, None]) ** 2).sum(axis=0) * 2 * found.cost / (m - n)
    return np.sqrt(variances) / scale, ""
