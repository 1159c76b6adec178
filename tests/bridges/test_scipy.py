"""SciPy's optimisers with exact derivatives: nestings, methods, constraints, standard errors, refusals."""

from __future__ import annotations

import math
import random

import pytest

import chainrule
from chainrule import errors, exp, log, sin, sum_of_squares

np = pytest.importorskip("numpy")
optimize = pytest.importorskip("scipy.optimize")
pytest.importorskip("llvmlite")

from chainrule.bridges.evaluation import OfVector, several_numbers  # noqa: E402
from chainrule.bridges.nesting import Nesting  # noqa: E402
from chainrule.bridges.scipy import least_squares, minimize  # noqa: E402 (after a look whether it is there)

METHODS = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG", "trust-ncg", "trust-krylov", "trust-exact", "dogleg",
           "trust-constr", "Nelder-Mead", "Powell", "COBYLA"]  # fmt: skip


def rosenbrock(p):
    x, y = p["x"], p["rest"][0]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


# ---- nestings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, *METHODS])
def test_every_method_finds_the_minimum(method):
    x0 = {"x": 0.5, "rest": (0.2,)}  # where the Hessian is positive definite, as dogleg needs
    found = minimize(rosenbrock, x0, method=method, tol=1e-8, options={"maxiter": 2000} if method == "COBYLA" else None)
    assert found.params["x"] == pytest.approx(1.0, abs=0.5 if method == "COBYLA" else 1e-3)  # slow in a curved valley
    assert isinstance(found.params["rest"], tuple)
    assert found.params["rest"][0] == found.x[1]
    assert type(found).__name__ == "OptimizeResult"


def bowl(p):
    return sum_of_squares([x - i for i, x in enumerate(chainrule_leaves(p))])


def chainrule_leaves(p):
    if isinstance(p, dict):
        return [x for part in p.values() for x in chainrule_leaves(part)]
    if isinstance(p, list | tuple | np.ndarray):
        return [x for part in p for x in chainrule_leaves(part)]
    return [p]


@pytest.mark.parametrize(
    ("x0", "expected"),
    [
        (5, 0.0),
        (5.0, 0.0),
        (np.float64(5.0), 0.0),
        ([5, 5.0], [0.0, 1.0]),
        ((5.0, [5.0]), (0.0, [1.0])),
        (np.array([5, 5]), np.array([0.0, 1.0])),
        (np.full((2, 2), 5.0), np.array([[0.0, 1.0], [2.0, 3.0]])),
        ({"a": np.array([5.0]), "b": {"c": 5.0}}, {"a": np.array([0.0]), "b": {"c": 1.0}}),
        ({"a": [], "b": 5.0}, {"a": [], "b": 0.0}),
    ],
    ids=str,
)
def test_numbers_are_found_in_the_nesting_in_which_they_were_given(x0, expected):
    def close(a, b):
        assert type(a) is type(b)
        if isinstance(a, dict):
            assert a.keys() == b.keys()
            return all(close(a[key], b[key]) for key in a)
        if isinstance(a, list | tuple):
            return len(a) == len(b) and all(map(close, a, b))
        return np.shape(a) == np.shape(b) and np.allclose(a, b, atol=1e-6)

    assert close(minimize(bowl, x0).params, expected)


def test_an_array_takes_part_in_numpys_own_arithmetic():
    target = np.array([1.0, -2.0, 3.0])

    def f(x):
        steps = x - target
        return steps @ steps + (x[1:] - x[:-1]).sum() * 0.0 + np.exp(x * 0.0)[0]

    found = minimize(f, np.zeros(3))
    assert found.params == pytest.approx(target, abs=1e-6)
    assert found.fun == pytest.approx(1.0)


def test_further_arguments_are_passed_on_without_derivatives():
    def f(x, scale, names):
        return (x - scale) ** 2 if names["which"] == "first" else x

    assert minimize(f, 0.0, args=(3.0, {"which": "first"})).params == pytest.approx(3.0)
    assert minimize(lambda x, xs: sum_of_squares([x - y for y in xs]), 0.0, args=[1.0, 3.0]).params == pytest.approx(
        2.0
    )
    seen = []
    minimize(lambda x, y: (x - y) ** 2, 0.0, args=3.0, callback=lambda x: seen.append(x))
    assert seen[-1] == pytest.approx([3.0])


# ---- derivatives -----------------------------------------------------------------------------------------------------


def test_gradients_and_products_are_exact():
    """Newton's method converges as fast as it can only with exact second derivatives."""
    found = minimize(rosenbrock, {"x": -1.2, "rest": [1.0]}, method="trust-ncg", options={"gtol": 1e-12})
    assert found.x == pytest.approx([1.0, 1.0], abs=1e-14)
    assert found.nit < 40


def test_the_function_is_called_only_to_be_traced():
    calls = []

    def f(x):
        calls.append(1)
        return sum_of_squares([a * a - 2 for a in x]) + sin(x[0]) * 0.01

    found = minimize(f, [1.0] * 5, method="BFGS")
    assert found.nit > 3
    assert len(calls) <= 2  # two traces


def test_what_branches_on_numbers_takes_each_way():
    def huber(x):
        return sum([a * a if abs(a) < 1 else 2 * abs(a) - 1 for a in (x[0] - 3, x[1] + 4)])

    assert minimize(huber, [0.0, 0.0]).params == pytest.approx([3.0, -4.0], abs=1e-6)


def test_what_cannot_be_traced_is_evaluated_eagerly_with_a_warning():
    def noisy(p):
        random.random()
        return (p["a"] - 2) ** 2 + (p["b"][0] - 3) ** 2

    for method in ("BFGS", "trust-ncg", "Nelder-Mead"):
        with pytest.warns(errors.SlowWarning, match="noisy: 1 function evaluated by the eager engine") as caught:
            found = minimize(noisy, {"a": 0.0, "b": np.array([1.0])}, method=method)
        assert caught[0].filename == __file__
        assert found.params["a"] == pytest.approx(2.0, abs=1e-3)
    with pytest.warns(errors.SlowWarning, match="<lambda>: 1 function"):
        fitted = least_squares(lambda p: [noisy(p), p["a"] - 2, p["b"][0] - 3], {"a": 0.0, "b": np.array([1.0])})
    assert fitted.params["b"] == pytest.approx([3.0])


def test_values_that_it_closes_over_may_change_between_calls():
    target, calls = chainrule.Value(2.0), []

    @chainrule.compile
    def f(p):
        calls.append(1)
        return (p["a"] - target) ** 2

    assert minimize(f, {"a": 0.0}).params["a"] == pytest.approx(2.0)
    target.data = 5.0
    traced = len(calls)
    assert minimize(f, {"a": 1.0}).params["a"] == pytest.approx(5.0)
    assert len(calls) == traced


def test_a_compiled_loss_of_many_samples_is_used_as_it_is():
    xs = np.linspace(-1, 1, 50)
    ys = 3 * xs - 0.5

    def misfit(p, x, y):
        return (p["slope"] * x + p["shift"] - y) ** 2

    f = chainrule.compile(misfit, in_axes=(None, 0, 0), reduce="mean")
    for method in ("BFGS", "Newton-CG", "trust-exact"):
        found = minimize(f, {"slope": 0.0, "shift": 0.0}, args=(xs, ys), method=method)
        assert found.params == pytest.approx({"slope": 3.0, "shift": -0.5}, abs=1e-5)
    residual = chainrule.compile(lambda p, x, y: p[0] * x + p[1] - y, in_axes=(None, 0, 0))
    for x0 in ([0.0, 0.0], np.zeros(2)):
        assert least_squares(residual, x0, args=(xs, ys)).params == pytest.approx([3.0, -0.5])
    with pytest.raises(errors.OperandError, match=r"one number.*reduce='sum'"):
        minimize(chainrule.compile(misfit, in_axes=(None, 0, 0)), {"slope": 0.0, "shift": 0.0}, args=(xs, ys))


# ---- bounds and constraints ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds",
    [
        {"a": (None, 1), "b": [(0, None), (2.5, 3)]},
        {"a": (None, 1), "b": (0, 3)},
        [(None, 1), (0, 3), (0, 3)],
        optimize.Bounds([-np.inf, 0, 0], [1, 3, 3]),
    ],
    ids=["nested", "one for a branch", "flat", "Bounds"],
)
def test_bounds_hold(bounds):
    def f(p):
        return (p["a"] - 5) ** 2 + (p["b"][0] + 5) ** 2 + (p["b"][1] - 5) ** 2

    found = minimize(f, {"a": 0.0, "b": [1.0, 2.6]}, bounds=bounds)
    assert found.params["a"] == pytest.approx(1.0)
    assert found.params["b"] == pytest.approx([0.0, 3.0])


RING = optimize.NonlinearConstraint(lambda p: sum_of_squares(p), 1.0, 1.0)


@pytest.mark.parametrize("method", [None, "SLSQP", "trust-constr"])
@pytest.mark.parametrize(
    "ring", [RING, {"type": "eq", "fun": lambda p: sum_of_squares(p) - 1}], ids=["NonlinearConstraint", "dict"]
)
def test_nonlinear_constraints_hold(method, ring):
    above = {"type": "ineq", "fun": lambda p, least: [p[0] - least, 10.0 - p[0]], "args": (-0.2,)}
    line = optimize.LinearConstraint([[1.0, -1.0]], -1.0, 1.0)
    found = minimize(lambda p: p[0] + p[1], [-0.1, -0.9], method=method, constraints=[ring, above, line])
    within = 1e-3 if method == "trust-constr" else 1e-6
    assert found.params == pytest.approx([-0.2, -math.sqrt(1 - 0.04)], abs=within)


def test_methods_without_derivatives_take_constraints():
    inside = {"type": "ineq", "fun": lambda p: 1 - sum_of_squares(p)}
    found = minimize(lambda p: p[0] + p[1], [0.0, 0.0], method="COBYLA", constraints=inside)
    assert found.params == pytest.approx([-math.sqrt(0.5)] * 2, abs=1e-3)


def test_constraints_have_exact_second_derivatives():
    """trust-constr asks for them; with quasi-Newton ones it takes more iterations."""
    ours = minimize(
        lambda p: exp(p[0]) + p[1] ** 2, [1.0, 2.0], method="trust-constr", constraints=RING, options={"gtol": 1e-12}
    )
    assert ours.success
    assert ours.constr_violation < 1e-12
    assert ours.optimality < 1e-8


# ---- least squares ---------------------------------------------------------------------------------------------------


def test_standard_errors_of_a_line_are_those_of_the_textbook():
    xs, ys = [0.0, 1.0, 2.0, 3.0, 4.0], [1.1, 2.9, 5.2, 6.8, 9.1]
    found = least_squares(lambda p: [p["a"] + p["b"] * x - y for x, y in zip(xs, ys, strict=True)], {"a": 0, "b": 0})
    design = np.column_stack([np.ones(5), xs])
    best, squares, _, _ = np.linalg.lstsq(design, ys, rcond=None)
    covariance = squares[0] / 3 * np.linalg.inv(design.T @ design)
    assert [found.params["a"], found.params["b"]] == pytest.approx(best.tolist())
    assert [found.standard_errors["a"], found.standard_errors["b"]] == pytest.approx(np.sqrt(np.diag(covariance)))
    assert found.standard_errors_note == ""


@pytest.mark.parametrize(
    ("f", "x0", "options", "why"),
    [
        (lambda p: [p[0] + p[1] - 1, 2 * (p[0] + p[1]) - 2.1, p[0] + p[1]], [0.0, 0.0], {}, "apart"),
        (lambda p: [p[0] - 1, p[0] + 0 * p[1], p[0]], [0.0, 0.0], {}, "do not depend"),
        (lambda p: [p[0] - 1, p[1] - 2], [0.0, 0.0], {}, "more residuals"),
        (lambda p: [p[0] - 1, p[0] - 2], [0.0], {"bounds": (-1, 0.5)}, "active bound"),
        (lambda p: [p[0] - 1, p[0] - 2], [0.0], {"loss": "soft_l1"}, "soft_l1"),
    ],
    ids=["dependent", "unused", "saturated", "bound", "robust"],
)
def test_where_there_are_no_standard_errors_it_says_why(f, x0, options, why):
    found = least_squares(f, x0, **options)
    assert all(map(math.isnan, found.standard_errors))
    assert why in found.standard_errors_note


@pytest.mark.parametrize("bounds", [([0, -1], 10), (0, [10, 10]), optimize.Bounds(0, 10)], ids=str)
def test_bounds_of_least_squares(bounds):
    found = least_squares(lambda p: [p[0] + 3, p[1] - 2, p[1] - 2.5], [1.0, 1.0], bounds=bounds)
    assert found.params == pytest.approx([0.0, 2.25], abs=1e-6)


def test_a_jacobian_is_the_same_forwards_and_backwards():
    """A simulation's last numbers go back through all of it, a curve's do not."""

    def simulated(p):
        x, seen = 1.0, []
        for _ in range(30):
            x = x + 0.1 * p["rate"] * x * (p["limit"] - x)
            seen.append(x)
        return seen

    def curve(p):
        return [p["limit"] / (1 + exp(-p["rate"] * t)) for t in range(30)]

    for f in (simulated, curve):
        nesting = Nesting({"rate": 0.5, "limit": 3.0}, "x0")
        found = OfVector(f, nesting, (), several_numbers).jacobian(nesting.numbers)
        rows = chainrule.jacobian(f)(nesting.given)
        assert found == pytest.approx(np.array([[row["rate"], row["limit"]] for row in rows]), rel=1e-12)


def test_residuals_may_be_arrays():
    xs = np.linspace(0, 2, 20)

    def misfit(p):
        return np.array([p[0] * exp(p[1] * x) - 2 * math.exp(-x) for x in xs]).reshape(4, 5)

    for method in ("trf", "lm", "dogbox"):
        assert least_squares(misfit, np.array([1.0, 0.0]), method=method).params == pytest.approx([2.0, -1.0])


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: minimize(lambda p: [p[0], p[1]], [1.0, 2.0]),
            errors.OperandError,
            r"must be one number.*least_squares",
        ),
        (lambda: minimize(lambda p: None, [1.0]), errors.OperandError, "returned None: end it with a return"),
        (lambda: minimize(lambda p: p[0], ["3"]), errors.OperandError, r"x0 needs real numbers .*float\('3'\)"),
        (lambda: minimize(lambda p: p[0], np.array(["a"])), errors.OperandError, "x0 needs real numbers"),
        (lambda: minimize(lambda p: p[0], np.array([1j])), errors.OperandError, "x0 needs real numbers"),
        (lambda: minimize(lambda p: p[0], np.ma.masked_equal([1.0, 2.0], 2.0)), errors.OperandError, "masked"),
        (lambda: minimize(lambda p: p[0], []), errors.OperandError, "holds no numbers"),
        (lambda: minimize(lambda p: p[0], [math.nan]), errors.ArgumentError, "begin at finite numbers"),
        (lambda: minimize(lambda p: log(p[0]), [-1.0]), errors.ArgumentError, "is nan at x0 = .*begin where"),
        (lambda: minimize(lambda p: chainrule.sqrt(p), 0.0), errors.ArgumentError, "a derivative of .* is inf at x0"),
        (lambda: minimize(lambda p: p[0], [1.0], jac=True), errors.ArgumentError, "leave jac= out"),
        (lambda: least_squares(lambda p: p, [1.0], jac="2-point"), errors.ArgumentError, "leave jac= out"),
        (lambda: minimize(lambda p: p[0], [1.0], bounds=[(2, 1)]), errors.ArgumentError, r"bounds has \(2, 1\)"),
        (lambda: minimize(lambda p: p[0], [1.0, 1.0], bounds=[(2, 3)]), errors.SizeError, "the nesting of x0"),
        (lambda: minimize(lambda p: p["a"], {"a": 1.0}, bounds={"b": (0, 1)}), errors.SizeError, "the nesting of x0"),
        (lambda: least_squares(lambda p: p, [1.0], bounds=[(0, 1), 3, 4]), errors.ArgumentError, "lowest, highest"),
        (
            lambda: minimize(lambda p: p[0], [1.0], bounds=optimize.Bounds([0, 0], [1, 1])),
            errors.SizeError,
            "2 numbers",
        ),
        (lambda: least_squares(lambda p: p, [1.0], bounds=(1, 0)), errors.ArgumentError, "must be below"),
        (lambda: least_squares(lambda p: "text", [1.0]), errors.OperandError, "must return numbers"),
        (lambda: least_squares(lambda p: [], [1.0]), errors.OperandError, "must return numbers"),
        (lambda: least_squares(lambda p: [log(p[0])], [-1.0]), errors.ArgumentError, "is nan at x0"),
        (lambda: minimize(lambda p: p, 1.0, constraints=lambda p: p), errors.ArgumentError, "no constraint: give"),
        (
            lambda: minimize(lambda p: p, 1.0, constraints=[{"type": "ineg", "fun": abs}]),
            errors.ArgumentError,
            "'ineq'",
        ),
        (
            lambda: minimize(lambda p: p, 1.0, constraints=[{"type": "eq"}]),
            errors.ArgumentError,
            "no function at 'fun'",
        ),
        (
            lambda: minimize(lambda p: p, 1.0, constraints={"type": "eq", "fun": abs, "jac": abs}),
            errors.ArgumentError,
            "leave 'jac' out",
        ),
        (
            lambda: minimize(lambda p: p, 1.0, constraints=optimize.NonlinearConstraint(abs, 0, 1, jac=abs)),
            errors.ArgumentError,
            "leave jac= out",
        ),
        (
            lambda: minimize(lambda p: p, 1.0, constraints={"type": "eq", "fun": abs, "argz": ()}),
            errors.ArgumentError,
            "'argz'",
        ),
    ],
)
def test_refusals_say_what_happened_and_what_to_write(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_what_the_function_itself_raises_comes_through():
    def f(p):
        return p["b"]

    with pytest.raises(KeyError, match="b"):
        minimize(f, {"a": 1.0})
