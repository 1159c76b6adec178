"""SciPy's optimisers with chainrule's derivatives, with finite differences and with JAX's: ten problems, one report.

    pip install -e '.[scipy]' jax statsmodels
    python benchmarks/scipy_problems.py --rounds 11

Every contestant runs the same method of SciPy from the same point, with the same tolerances. (Where a method needs
products with the Hessian, finite differences run BFGS.) Functions are compiled before the rounds; a round solves the
problem anew with each, in alternating order. A ratio is taken within a round; the table has the median and, in
brackets, the interquartile range. How long the first solution takes, with tracing and compiling, stands in a column of
its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median, quantiles
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # SciPy's own linear algebra is small here

import numpy as np
from contest.machine import machine, python, version_of
from scipy import optimize
from scipy_contest.problems import Problem, all_problems

import chainrule
from chainrule import ops
from chainrule.bridges import scipy as bridge

OURS, FINITE, JAX = "chainrule", "finite differences", "JAX"
LIBRARIES = ("chainrule", "numpy", "scipy", "jax", "statsmodels")
Solver = Callable[[], Any]


def main() -> int:
    """Prints the report; returns 1 if chainrule missed a problem's tolerance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="after one of warm-up; 11 unless told")
    parser.add_argument("--only", default="", metavar="TEXT", help="only problems with this text in their name")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # SciPy's, of precision that finite differences cannot reach
    print(f"{machine()}; {python()}")
    print("; ".join(f"{name} {version_of(name)}" for name in LIBRARIES if find_spec(name)))
    print(f"compiled engine: {chainrule.engine.is_compiled()}; rounds: {arguments.rounds}\n")
    missed = []
    for problem in all_problems():
        if arguments.only in problem.name and not _report(problem, arguments.rounds):
            missed.append(problem.name)
    if missed:
        print(f"\nnot within the tolerance: {', '.join(missed)}")
    return bool(missed)


def _report(problem: Problem, rounds: int) -> bool:
    """Measures one problem and prints its lines; returns whether chainrule found the solution."""
    solvers: dict[str, Solver] = {}
    first: dict[str, float] = {}
    found: dict[str, Any] = {}
    for name, make in ((OURS, _ours), (FINITE, _finite), (JAX, _jax)):
        try:
            start = time.perf_counter()
            solvers[name] = make(problem)
            found[name] = solvers[name]()
            first[name] = time.perf_counter() - start
        except ImportError:
            solvers.pop(name, None)
    seconds = _rounds(solvers, rounds)
    print(f"{problem.name} ({problem.method}; error: {problem.what})")
    for name in solvers:
        ratios = [a / b for a, b in zip(seconds[name], seconds[OURS], strict=True)]
        result = found[name]
        turns = getattr(result, "nit", None)
        print(
            f"  {name:<19} {turns if turns is not None else '–':>5} iterations, {result.nfev:>6} evaluations, "
            f"error {problem.error(result.x):.1e}, {_spread([1e3 * s for s in seconds[name]], 'ms'):>20}, "
            f"{_spread(ratios, '×'):>18}, first {first[name]:6.2f} s"
        )
    return problem.error(found[OURS].x) <= problem.tolerance


def _rounds(solvers: dict[str, Solver], rounds: int) -> dict[str, list[float]]:
    """The seconds of each solver in each round; the order alternates."""
    seconds: dict[str, list[float]] = {name: [] for name in solvers}
    for k in range(rounds):
        for name in list(solvers)[:: 1 if k % 2 else -1]:
            start = time.perf_counter()
            solvers[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _spread(numbers: list[float], unit: str) -> str:
    if len(numbers) < 2:
        return f"{numbers[0]:.3g} {unit}"
    low, _, high = quantiles(numbers, n=4, method="inclusive")
    return f"{median(numbers):.3g} {unit} [{low:.3g}–{high:.3g}]"


# ---- contestants -----------------------------------------------------------------------------------------------------


def _ours(problem: Problem) -> Solver:
    f = chainrule.compile(problem.scalars)
    if problem.method == "least_squares":
        return _polished(problem, lambda x0: bridge.least_squares(f, x0, **problem.options), _equations(problem))
    more = dict(problem.options)
    if problem.constraint:
        g = chainrule.compile(problem.constraint(ops))
        more["constraints"] = [{"type": "ineq", "fun": g}, *problem.others]
    return lambda: bridge.minimize(f, problem.x0, method=problem.method, bounds=problem.bounds, **more)


def _equations(problem: Problem) -> Callable[[Any], Any]:
    gradient = chainrule.compile(chainrule.grad(lambda x: ops.sum_of_squares(problem.scalars(x))))
    return lambda x: bridge.least_squares(gradient, x.tolist(), **problem.options)


def _polished(problem: Problem, solve: Callable[[Any], Any], polish: Callable[[Any], Any]) -> Solver:
    def solver() -> Any:
        found = solve(problem.x0)
        if problem.polished:
            last = polish(found.x)
            found.x, found.nfev = last.x, found.nfev + last.nfev
        return found

    return solver


def _finite(problem: Problem) -> Solver:
    f, x0 = problem.arrays(np), np.array(problem.x0)
    if problem.method == "least_squares":
        return lambda: optimize.least_squares(f, x0, **problem.options)
    more, method = dict(problem.options), problem.without or problem.method
    if problem.without:
        more["options"] = {name: x for name, x in more.get("options", {}).items() if name == "gtol"}
    if problem.constraint:
        more["constraints"] = [{"type": "ineq", "fun": problem.constraint(np)}, *problem.others]
    return lambda: optimize.minimize(f, x0, method=method, bounds=problem.bounds, **more)


def _jax(problem: Problem) -> Solver:
    import jax  # noqa: PLC0415 - may be missing
    import jax.numpy as jnp  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    f, x0 = problem.jax(jax) if problem.jax else problem.arrays(jnp), np.array(problem.x0)
    if problem.method == "least_squares":
        value, jacobian = jax.jit(f), jax.jit(jax.jacfwd(f))

        def solve(g: Any, slope: Any, x: Any) -> Any:
            return optimize.least_squares(
                lambda x: np.asarray(g(x)), x, jac=lambda x: np.asarray(slope(x)), **problem.options
            )

        gradient = jax.grad(lambda x: jnp.sum(f(x) ** 2))
        equations = jax.jit(gradient), jax.jit(jax.jacfwd(gradient))
        return _polished(problem, lambda x: solve(value, jacobian, x), lambda x: solve(*equations, x))
    both = jax.jit(jax.value_and_grad(f))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    more = dict(problem.options)
    if problem.without:
        more["hessp"] = lambda x, v: np.asarray(product(x, v))
    if problem.constraint:
        g = problem.constraint(jnp)
        bound, slope = jax.jit(g), jax.jit(jax.grad(g))
        own = {"type": "ineq", "fun": lambda x: float(bound(x)), "jac": lambda x: np.asarray(slope(x))}
        more["constraints"] = [own, *problem.others]

    def value_and_grad(x: Any) -> tuple[float, Any]:
        value, gradient = both(x)
        return float(value), np.asarray(gradient)

    return lambda: optimize.minimize(value_and_grad, x0, jac=True, method=problem.method, bounds=problem.bounds, **more)


if __name__ == "__main__":
    sys.exit(main())
