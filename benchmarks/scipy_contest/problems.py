"""The ten problems. Each function is written as one would for its library: numbers in lists for chainrule, arrays for
NumPy, which finite differences use, and for JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import optimize

import chainrule
from chainrule import ops
from scipy_contest.nist import DATASETS, TIGHT


@dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes:
        name: its name in the report.
        x0: where to begin.
        scalars: the function, or residuals, of a list of numbers in chainrule's operations.
        arrays: the same of an array; it is given `numpy` or `jax.numpy`.
        method: SciPy's; "least_squares" for a sum of squares.
        without: the method of finite differences, which have no products with the Hessian.
        error: how far a solution is from the right one.
        what: what that error is.
        tolerance: what exact derivatives must reach.
        options: further options of SciPy.
        constraint: gives a function that must be 0 or more, in the functions of `chainrule.ops`, `numpy` or
            `jax.numpy`.
        others, bounds: constraints and bounds in SciPy's own form.
        polished: whether the equations of a least sum of squares, that its gradient is 0, are solved at the end, by
            exact second derivatives: a comparison of sums alone finds half of a number's digits.
        jax: the function where JAX needs another one, of `jax`.
    """

    name: str
    x0: list[float]
    scalars: Callable[[Any], Any]
    arrays: Callable[[Any], Callable[[Any], Any]]
    method: str
    error: Callable[[Any], float]
    what: str
    tolerance: float
    without: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    constraint: Callable[[Any], Any] | None = None
    others: tuple[Any, ...] = ()
    bounds: Any = None
    polished: bool = False
    jax: Callable[[Any], Callable[[Any], Any]] | None = None


def all_problems() -> list[Problem]:
    """Returns the ten problems."""
    return [
        _rosenbrock(100),
        *[_regression(data) for data in DATASETS],
        _garch(1000),
        _logistic(500, 6),
        _portfolio(30),
        _ode(100),
        _equations(50),
        _surface(12),
    ]


# ---- without data ----------------------------------------------------------------------------------------------------


def _rosenbrock(n: int) -> Problem:
    def scalars(x: Any) -> Any:
        return ops.sum([100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)])

    return Problem(
        name=f"Rosenbrock, {n}-D",
        x0=[-1.2, 1.0] * (n // 2),
        scalars=scalars,
        arrays=lambda m: lambda x: m.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        method="L-BFGS-B",
        options={"options": {"maxiter": 10_000, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-9}},
        error=lambda x: min(np.abs(np.array(x) - 1).max(), np.abs(np.array(x) - [-1, *[1] * (n - 1)]).max()),
        what="distance from the minimum",
        tolerance=1e-1,
    )


def _equations(n: int) -> Problem:
    """Broyden's tridiagonal equations (Moré, Garbow and Hillstrom 1981, number 30)."""

    def scalars(x: Any) -> Any:
        padded = [0.0, *x, 0.0]
        return [(3 - 2 * b) * b - a - 2 * c + 1 for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)]

    def arrays(m: Any) -> Any:
        def f(x: Any) -> Any:
            padded = m.concatenate([m.zeros(1), x, m.zeros(1)])
            return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1

        return f

    return Problem(
        name=f"{n} equations",
        x0=[-1.0] * n,
        scalars=scalars,
        arrays=arrays,
        method="least_squares",
        options={"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15},
        error=lambda x: np.abs(arrays(np)(np.array(x))).max(),
        what="largest residual",
        tolerance=1e-12,
    )


def _surface(n: int) -> Problem:
    """The smallest surface over a square of n × n free heights, within a frame (MINPACK-2, minimal surface)."""
    frame = [math.sin(math.pi * i / (n + 1)) for i in range(n + 2)]

    def scalars(x: Any) -> Any:
        inner = [x[i * n : (i + 1) * n] for i in range(n)]
        z = [frame, *[[0.0, *row, 0.0] for row in inner], [0.0] * (n + 2)]
        h = 1 / (n + 1)
        areas = [
            h * h * ops.sqrt(1 + ((a - d) ** 2 + (b - c) ** 2) / (2 * h * h))
            for above, below in pairwise(z)
            for a, b, c, d in zip(above, above[1:], below, below[1:], strict=False)
        ]
        return ops.sum(areas)

    def arrays(m: Any) -> Any:
        def f(x: Any) -> Any:
            h = 1 / (n + 1)
            side = m.zeros((n, 1))
            inner = m.concatenate([side, x.reshape(n, n), side], axis=1)
            z = m.concatenate([m.array([frame]), inner, m.zeros((1, n + 2))])
            diagonals = (z[:-1, :-1] - z[1:, 1:]) ** 2 + (z[:-1, 1:] - z[1:, :-1]) ** 2
            return m.sum(h * h * m.sqrt(1 + diagonals / (2 * h * h)))

        return f

    gradient = chainrule.compile(scalars).grad
    return Problem(
        name=f"minimal surface, {n} × {n}",
        x0=[0.0] * (n * n),
        scalars=scalars,
        arrays=arrays,
        method="trust-krylov",
        without="BFGS",
        options={"options": {"gtol": 1e-8}},
        error=lambda x: np.abs(gradient(list(map(float, x)))).max(),
        what="largest derivative",
        tolerance=1e-8,
    )


def _portfolio(n: int) -> Problem:
    """The largest return at a given risk: its solution is known."""
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(n, 3 * n))
    covariance, returns = factors @ factors.T / (3 * n), rng.normal(0.05, 0.02, n)
    inverse = np.linalg.inv(covariance)
    ones = np.ones(n)
    least = inverse @ ones / (ones @ inverse @ ones)
    extra = inverse @ returns - (ones @ inverse @ returns) * least
    limit = 1.5 * (least @ covariance @ least)
    best = least + extra * math.sqrt((limit - least @ covariance @ least) / (extra @ covariance @ extra))
    rows, means = covariance.tolist(), returns.tolist()

    def risk(module: Any) -> Any:
        if module is ops:
            return lambda w: limit - ops.sum([wi * ops.weighted_sum(w, row) for wi, row in zip(w, rows, strict=True)])
        return lambda w: limit - w @ module.array(covariance) @ w

    return Problem(
        name=f"portfolio of {n}, at a given risk",
        x0=[1 / n] * n,
        scalars=lambda w: -ops.weighted_sum(w, means),
        arrays=lambda m: lambda w: -(w @ m.array(returns)),
        method="SLSQP",
        options={"options": {"maxiter": 1000, "ftol": 1e-14}},
        constraint=risk,
        others=(optimize.LinearConstraint(ones[None], 1.0, 1.0),),
        error=lambda x: np.abs(np.array(x) - best).max(),
        what="distance from the solution",
        tolerance=1e-5,
    )


# ---- with data -------------------------------------------------------------------------------------------------------


def _regression(data: Any) -> Problem:
    samples = list(zip(data.x, data.y, strict=True))
    x, y, certified = np.array(data.x), np.array(data.y), np.array(data.certified)
    return Problem(
        name=f"NIST {data.name}",
        x0=list(data.start),
        scalars=lambda b: [data.model(b, x, chainrule) - y for x, y in samples],
        arrays=lambda m: lambda b: data.model(b, m.array(x), m) - m.array(y),
        method="least_squares",
        options=TIGHT,
        polished=True,
        error=lambda b: (np.abs(np.array(b) - certified) / np.abs(certified)).max(),
        what="relative distance from the certified parameters",
        tolerance=1e-8,
    )


def _logistic(n: int, features: int) -> Problem:
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, features - 1))])
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ rng.normal(size=features)))).astype(float)
    rows, labels = X.tolist(), y.tolist()

    def scalars(w: Any) -> Any:
        scores = [ops.weighted_sum(w, row) for row in rows]
        return ops.sum([ops.softplus(s) - t * s for s, t in zip(scores, labels, strict=True)])

    def arrays(m: Any) -> Any:
        def f(w: Any) -> Any:
            scores = m.array(X) @ w
            return m.sum(m.logaddexp(0.0, scores) - m.array(y) * scores)

        return f

    def error(w: Any) -> float:
        from statsmodels.api import Logit  # noqa: PLC0415 - for this problem alone

        right = Logit(y, X).fit(disp=0, method="newton", tol=1e-14).params
        return np.abs(np.array(w) - right).max()

    return Problem(
        name=f"logistic regression, {n} × {features}",
        x0=[0.0] * features,
        scalars=scalars,
        arrays=arrays,
        method="Newton-CG",
        without="BFGS",
        options={"options": {"xtol": 1e-10}},
        error=error,
        what="distance from statsmodels' coefficients",
        tolerance=1e-7,
    )


def _garch(n: int) -> Problem:
    """Maximum likelihood of a GARCH(1, 1) model with normal innovations, of simulated returns."""
    rng = np.random.default_rng(3)
    noise, returns, variance = rng.normal(size=n), [], 1.0
    for z in noise.tolist():
        returns.append(0.05 + math.sqrt(variance) * z)
        variance = 0.1 + 0.1 * (returns[-1] - 0.05) ** 2 + 0.8 * variance
    data, before = np.array(returns), float(np.var(returns))

    def likelihood(p: Any, log: Callable[[Any], Any]) -> Any:
        mu, omega, alpha, beta = p
        variance, total = before, 0.0
        for r in returns:
            total += log(variance) + (r - mu) ** 2 / variance
            variance = omega + alpha * (r - mu) ** 2 + beta * variance
        return 0.5 * total

    def jax(library: Any) -> Any:
        m = library.numpy

        def f(p: Any) -> Any:
            mu, omega, alpha, beta = p

            def step(variance: Any, r: Any) -> Any:
                square = (r - mu) ** 2
                return omega + alpha * square + beta * variance, m.log(variance) + square / variance

            return 0.5 * m.sum(library.lax.scan(step, m.array(before), m.array(data))[1])

        return f

    gradient = chainrule.compile(lambda p: likelihood(p, ops.log)).grad
    return Problem(
        name=f"GARCH(1, 1), {n} returns",
        x0=[0.0, 0.2, 0.2, 0.6],
        scalars=lambda p: likelihood(p, ops.log),
        arrays=lambda m: lambda p: likelihood(p, math.log),
        jax=jax,
        method="L-BFGS-B",
        bounds=[(None, None), (1e-6, None), (0, 1), (0, 1)],
        options={"options": {"ftol": 1e-15, "gtol": 1e-8, "maxiter": 1000}},
        error=lambda p: np.abs(gradient(list(map(float, p)))).max(),
        what="largest derivative",
        tolerance=1e-3,
    )


def _ode(steps: int) -> Problem:
    """Hares and lynxes (Lotka and Volterra), by Runge and Kutta's method: four rates from the numbers of both."""
    true, begin, h = (1.0, 0.1, 1.5, 0.075), (10.0, 5.0), 10.0 / steps

    def rates(p: Any, x: Any, y: Any) -> Any:
        a, b, c, d = p
        return a * x - b * x * y, d * x * y - c * y

    def step(p: Any, x: Any, y: Any) -> Any:
        k1 = rates(p, x, y)
        k2 = rates(p, x + h / 2 * k1[0], y + h / 2 * k1[1])
        k3 = rates(p, x + h / 2 * k2[0], y + h / 2 * k2[1])
        k4 = rates(p, x + h * k3[0], y + h * k3[1])
        dx, dy = [(a + 2 * b + 2 * c + d) * (h / 6) for a, b, c, d in zip(k1, k2, k3, k4, strict=True)]
        return x + dx, y + dy

    def path(p: Any) -> list[Any]:
        x, y = begin
        numbers = []
        for _ in range(steps):
            x, y = step(p, x, y)
            numbers += [x, y]
        return numbers

    seen = path(true)

    def jax(library: Any) -> Any:
        m = library.numpy

        def one(state: Any, _: Any, p: Any) -> Any:
            new = step(p, *state)
            return new, m.stack(new)

        def f(p: Any) -> Any:
            states = library.lax.scan(lambda state, i: one(state, i, p), (m.array(10.0), m.array(5.0)), length=steps)[1]
            return states.ravel() - m.array(seen)

        return f

    return Problem(
        name=f"ODE, {steps} steps",
        x0=[0.8, 0.12, 1.2, 0.06],
        scalars=lambda p: [x - y for x, y in zip(path(p), seen, strict=True)],
        arrays=lambda m: lambda p: m.array(path(p)) - m.array(seen),
        jax=jax,
        method="least_squares",
        options={"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15},
        error=lambda p: (np.abs(np.array(p) - true) / np.array(true)).max(),
        what="relative distance from the true rates",
        tolerance=1e-9,
    )
