"""Gradient checks: compares every derivative by the chain rule with a numerical one.

Where they differ, each operation of the graph is compared with differences of its own value, so that the report can
name the operation whose local derivative is wrong.

>>> print(check_gradients(lambda x, w: x * x * w, [3.0, 2.0], order=1))
Derivatives of a function that is 18 at x = 3, w = 2
<BLANKLINE>
  first derivatives  numerical  analytical  rel. error
  x                         12          12           0  ok
  w                          9           9       6e-15  ok
<BLANKLINE>
The chain rule is right: 2 first derivatives compared.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from chainrule.check.differences import (
    Estimate,
    along,
    arguments,
    estimate,
    gradient_estimates,
    graph,
    largest_number,
    numbers,
    plain,
)
from chainrule.check.report import (
    ADVICE,
    AT_A_KINK,
    KINK,
    NOT_FINITE,
    WRONG,
    Comparison,
    Culprit,
    GradientReport,
    operand_name,
)
from chainrule.core.anomaly import swallowed_infinities
from chainrule.core.operation import Operation, number
from chainrule.core.trees import ways
from chainrule.engine import Value
from chainrule.errors import ArgumentError, SizeError, shown
from chainrule.explain.notation import call
from chainrule.ops import stop_gradient
from chainrule.transforms import grad, hessian, value_and_grad

TOLERANCE = 1e-6


def check_gradients(
    f: Callable, inputs: Any, *, order: int = 2, tolerance: float = TOLERANCE, names: Sequence[str] | None = None
) -> GradientReport:
    """Compares the derivatives of `f` with finite differences; where they disagree, finds the operation that is wrong.

    Args:
        f: a function of Values that returns one Value, without randomness.
        inputs: its positional arguments in a list or tuple: numbers, or nested lists, tuples and dicts of numbers. A
            single number is the only argument.
        order: 1 for first derivatives, 2 for all second derivatives as well (n² of them).
        tolerance: the largest relative error that passes.
        names: a name for each number in the report; by default the names of the parameters of `f`.

    Returns:
        A `GradientReport`: true if all agree; print it to read the table.

    Raises:
        ArgumentError: `order` is neither 1 nor 2, or `f` returns different results for the same inputs.
        SizeError: the numbers of names and inputs differ.
        OperandError: `f` does not return one number, or an input is not a number.

    >>> check_gradients(lambda x, w: (x * w).tanh(), [0.5, 2.0]).ok
    True
    """
    _refuse_options(order, tolerance)
    point, run = numbers(inputs), plain(f, inputs)
    labels = _labels(f, inputs, names, len(point))
    value = _repeatable(run, point)

    def of_list(xs: list) -> Any:
        return f(*arguments(inputs, xs))

    nodes = graph(f, inputs)
    gradient = value_and_grad(of_list)(point)[1]
    estimates = gradient_estimates(run, point, largest_number(nodes))
    first = [Comparison((labels[i],), point[i], estimates[i], gradient[i], tolerance) for i in range(len(point))]
    second, failure = _second(of_list, first, nodes) if order > 1 else ([], "")
    report = GradientReport(tuple(zip(labels, point, strict=True)), value, tuple(first), tuple(second), failure)
    if report.ok and not report.having(KINK):
        return report
    culprits, kinks = _wrong_operations(nodes, order, tolerance)
    report = replace(report, culprits=tuple(culprits))
    swallowed = [] if report.ok else _swallowed(of_list, point, order)
    return replace(report, notes=tuple(swallowed or _notes(report, nodes, kinks)))


def check_operation(
    op: Operation, operands: Sequence[float], *, order: int = 2, tolerance: float = TOLERANCE
) -> GradientReport:
    """Compares the local derivatives of one operation with finite differences of its value, at these operands.

    Args:
        op: an operation of the table.
        operands: a number for each operand; for an operation on lists, as in its `samples`.
        order: 2 to compare the derivatives of the local derivatives as well.
        tolerance: the largest relative error that passes.

    Returns:
        A `GradientReport`, without culprits.

    >>> from chainrule.ops import tanh
    >>> check_operation(tanh, [0.5]).ok
    True
    """
    _refuse_options(order, tolerance)
    point = [number(x, op.name) for x in operands]
    inputs = [(operand_name(op, i), x) for i, x in enumerate(point)]
    first = tuple(_first_of_operation(op, point, tolerance))
    report = GradientReport(tuple(inputs), number(op.value(*point), op.name), first)
    if order == 1:
        return report
    rows = _second_of_operation(op, first)
    failure = "; ".join([row for row in rows if isinstance(row, str)])
    return replace(
        report, second=tuple([one for row in rows if not isinstance(row, str) for one in row]), failure=failure
    )


# ---- the parts of a check ------------------------------------------------------------------------------------------


def _second(f: Callable, first: Sequence[Comparison], nodes: Sequence[Value]) -> tuple[list[Comparison], str]:
    """Compares all second derivatives: the chain rule's with differences of its gradient; or says why there are
    none."""
    point = [one.at for one in first]
    try:
        analytical = hessian(f)(point)
    except Exception as error:  # a local derivative that cannot run on Values
        return [], f"{type(error).__name__}: {error}"
    columns = _derivatives_of_derivatives(grad(f), first, largest_number(nodes))
    pairs = [(i, j) for i in range(len(first)) for j in range(len(first))]
    return [_pair(first[i], first[j], columns[j][i], analytical[i][j]) for i, j in pairs], ""


def _derivatives_of_derivatives(
    gradient: Callable[[list[float]], list[float]], first: Sequence[Comparison], magnitude: float
) -> list[list[Estimate]]:
    """Numerical derivatives of each first derivative i with respect to each input j: `[j][i]`."""
    point = [one.at for one in first]
    columns = []
    for j, one in enumerate(first):
        estimates = estimate(along(gradient, point, j), one.at, magnitude)
        scale = one.numerical.scale / max(1.0, math.fabs(one.at))
        singular = one.numerical.kink or one.numerical.jump  # then the gradient jumps, visibly or not
        columns.append([replace(x, scale=max(x.scale, scale), jump=x.jump or singular) for x in estimates])
    return columns


def _pair(by: Comparison, one: Comparison, numerical: Estimate, analytical: float) -> Comparison:
    return replace(one, names=(*by.names, *one.names), numerical=numerical, analytical=analytical)


def _first_of_operation(op: Operation, point: list[float], tolerance: float) -> list[Comparison]:
    """Compares the local derivatives with differences of the value."""
    magnitude = max([math.fabs(x) for x in point], default=0.0)
    value = number(op.value(*point), op.name)
    compared = []
    for i, x in enumerate(point):
        numerical = estimate(along(lambda p: [op.value(*p)], point, i), x, magnitude)[0]
        local = _local(op, i, point, value)
        compared.append(Comparison((operand_name(op, i),), x, numerical, local, tolerance, of_operation=True))
    return compared


def _second_of_operation(op: Operation, first: Sequence[Comparison]) -> list[list[Comparison] | str]:
    """For each local derivative: compares its derivatives with differences, or says why it cannot be differentiated."""

    def local_derivatives(operands: list[float]) -> list[float]:
        value = number(op.value(*operands), op.name)
        return [_local(op, i, operands, value) for i in range(len(operands))]

    point = [one.at for one in first]
    sizes = [math.fabs(x) for x in (*point, op.value(*point), *local_derivatives(point))]
    columns = _derivatives_of_derivatives(
        local_derivatives, first, max([x for x in sizes if math.isfinite(x)], default=0.0)
    )
    rows: list[list[Comparison] | str] = []
    for i in range(len(point)):
        try:
            analytical = grad(lambda xs, i=i: _local_of_values(op, i, xs))(point)
        except Exception as error:  # a user's function for floats may raise anything on Values
            rows.append(f"{type(error).__name__}: {error}")
            continue
        rows.append([_pair(first[i], one, columns[j][i], analytical[j]) for j, one in enumerate(first)])
    return rows


def _wrong_operations(nodes: Sequence[Value], order: int, tolerance: float) -> tuple[list[Culprit], list[str]]:
    """The operations of a graph whose local derivatives are wrong, and the calls that are at a kink; each once."""
    checked: set[tuple] = set()
    culprits: dict[tuple[str, int], Culprit] = {}
    kinks: list[str] = []
    for node in nodes:
        operands = tuple([operand.data for operand in node.operands])
        finite = math.isfinite(node.data) and all(math.isfinite(x) for x in operands)
        if node.op in (None, stop_gradient) or not finite or (node.op.name, operands) in checked:
            continue
        checked.add((node.op.name, operands))
        first = _first_of_operation(node.op, list(operands), tolerance)
        if any(one.verdict == KINK for one in first):
            kinks.append(call(node.op, operands))
        for culprit in _wrong_locals(node.op, first, order):
            key = (culprit.op.name, culprit.index)
            culprits[key] = replace(culprits[key], places=culprits[key].places + 1) if key in culprits else culprit
    return list(culprits.values()), kinks


def _wrong_locals(op: Operation, first: Sequence[Comparison], order: int) -> Iterator[Culprit]:
    """Yields for each operand what is wrong with its local derivative, in first or else in second order."""
    point = [one.at for one in first]
    second = _second_of_operation(op, first) if order > 1 else [[] for _ in point]
    for i, (one, row) in enumerate(zip(first, second, strict=True)):
        wrong = [one] if one.verdict == WRONG else [] if isinstance(row, str) else row
        wrong = [comparison for comparison in wrong if comparison.verdict == WRONG]
        if wrong:
            yield Culprit(op, tuple(point), i, wrong[0])
        elif isinstance(row, str):
            yield Culprit(op, tuple(point), i, None, row)


def _local(op: Operation, i: int, operands: Sequence[float], value: float) -> float:
    local = op.local(i, operands, value)
    return 0.0 if local is None else number(local, f"a local derivative of {op.name}")


def _local_of_values(op: Operation, i: int, operands: list[Value]) -> Any:
    local = op.local(i, operands, op.on(operands))
    return 0.0 if local is None else local


def _notes(report: GradientReport, nodes: Sequence[Value], kinks: Sequence[str]) -> Iterator[str]:
    """Notes on derivatives that do not agree although no operation is wrong."""
    wrong = report.having(WRONG)
    if report.having(NOT_FINITE) or not all(math.isfinite(one.analytical) for one in wrong):
        yield from _not_finite(nodes)
    elif wrong and not report.culprits:
        yield AT_A_KINK.format(call=kinks[0]) if kinks else ADVICE


def _not_finite(nodes: Sequence[Value]) -> Iterator[str]:
    """Names the first number, or the first local derivative, of a graph that is infinite or nan."""
    for node in nodes:
        if node.op is not None:
            where = call(node.op, [operand.data for operand in node.operands])
            if not math.isfinite(node.data):
                yield f"The first number that is not finite: {where} is {node.data}."
                return
            if wrong := [x for x in node.locals if x is not None and not math.isfinite(x)]:
                yield f"The first local derivative that is not finite: that of {where} is {wrong[0]}."
                return


def _swallowed(f: Callable, point: list[float], order: int) -> list[str]:
    """Names where an infinite slope met a zero, so that nothing was deposited by the convention of the chain rule."""
    with swallowed_infinities() as noted, contextlib.suppress(Exception):  # wrong local derivatives may raise
        (hessian if order > 1 else grad)(f)(point)
    return [f"{note[0].upper()}{note[1:]}." for note in noted]


def _repeatable(run: Callable[[list[float]], float], point: list[float]) -> float:
    value, again = run(point), run(point)
    if value != again and not (math.isnan(value) and math.isnan(again)):
        message = f"the function gave {value} and then {again} for the same inputs, so differences mean nothing"
        raise ArgumentError(f"{message}: take the randomness out of it")
    return value


def _refuse_options(order: int, tolerance: float) -> None:
    if order not in (1, 2):
        raise ArgumentError(f"derivatives of order {shown(order)} cannot be checked: take order=1 or order=2")
    if not tolerance > 0:
        raise ArgumentError(f"a tolerance must be a positive number such as 1e-6, not {tolerance!r}")


# ---- names ---------------------------------------------------------------------------------------------------------


def _labels(f: Callable, inputs: Any, names: Sequence[str] | None, count: int) -> list[str]:
    """A name for each number of the inputs."""
    if names is not None:
        if len(names) != count:
            raise SizeError(f"there are {count} inputs but {len(names)} names: give one name for each number")
        return list(names)
    parameters = _parameters(f)
    labels = []
    for i, tree in enumerate(inputs if isinstance(inputs, list | tuple) else [inputs]):
        labels += _paths(parameters[i] if i < len(parameters) else f"inputs[{i}]", tree)
    return labels


def _parameters(f: Callable) -> Sequence[str]:
    if isinstance(f, Operation):
        return f.operand_names or ()
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have no signature
        return ()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _paths(path: str, tree: Any) -> list[str]:
    """The expression for each number of a nested input: `w`, `w[0][1]`, `w['bias']`; `w[0, 1]` of an array."""
    return [f"{path}{way}" for way in ways(tree)]
