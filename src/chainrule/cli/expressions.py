"""`chainrule draw`, `explain` and `check`: the chain rule on a typed expression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chainrule.check.gradients import check_gradients
from chainrule.cli import outputs
from chainrule.cli.codes import FAILED, FINE
from chainrule.cli.screen import remark
from chainrule.draw import draw as picture_of
from chainrule.errors import ArgumentError
from chainrule.explain.story import explain as tell
from chainrule.expression.reading import Expression, parse, parse_assignments


def draw(expression: str, numbers: Sequence[str], out: Path | None, *, expand: bool, force: bool, quiet: bool) -> int:
    """Prints the graph as a tree, or saves it as a picture."""
    root = _read(expression, numbers).root
    if out is not None:
        outputs.check(out, outputs.DRAWING, force=force)
    root.backward()
    picture = picture_of(root, expand=expand)
    if out is None:
        print(picture.text)
        return FINE
    picture.save(out)
    if not quiet:
        remark(f"the graph is in {out}")
    return FINE


def explain(expression: str, numbers: Sequence[str], *, quiet: bool) -> int:
    """Prints every step of the backward pass, or only the derivatives."""
    explanation = tell(_read(expression, numbers).root)
    if quiet:
        for name, derivative in explanation.derivatives.items():
            print(f"{name}.grad = {derivative:.10g}")
    else:
        print(explanation)
    return FINE


def check(expression: str, numbers: Sequence[str], *, order: int, quiet: bool) -> int:
    """Prints the derivatives beside numerical ones; the exit code says whether they agree."""
    read = _read(expression, numbers)
    point = [leaf.data for leaf in read.variables.values()]
    report = check_gradients(read.function, point, order=order, names=read.names)
    if not (quiet and report.ok):
        print(report)
    return FINE if report.ok else FAILED


def _read(expression: str, numbers: Sequence[str]) -> Expression:
    if expression.startswith("--") and expression[2:3].isalpha():
        raise ArgumentError(f"unknown option {expression}; of an expression, put such a start in brackets: -(-x)")
    return parse(expression, parse_assignments(numbers))
