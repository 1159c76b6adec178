"""The reference's side of a comparison: a program's text, run on dual numbers."""

from __future__ import annotations

import functools
import itertools
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import functions
from .duals import Dual, watch
from .generator import Argument, Numbers, Program

NEAR = 64.0
"""Within so many units of its room, a comparison may have the other answer as well."""


@dataclass
class Wanted:
    """What the reference gives for one sample: results, and the derivatives of each by all inputs."""

    results: list[Dual]
    near: bool
    finite: bool


class Reference:
    """A program on dual numbers.

    Attributes:
        unit: the rounding of the numbers that chainrule calculates with.
        names: the names of a model's parameters, in their order.
        by_model: whether derivatives by these are wanted.
    """

    def __init__(self, program: Program) -> None:
        self.program, self.code = program, code_of(program)
        self.unit = 2.0 ** (-24 if program.bits == 32 else -53)
        self.by_model = program.model == "argument" or program.task == "step"
        self.names = list(functions.named_parameters(self._space()["model"])) if program.model else []

    def _space(self) -> dict[str, Any]:
        return executed(self.code, functions, functions.Module, Dual)

    def operations_of(self, numbers: Numbers) -> int:
        """About how many operations a sample takes."""
        self.run(numbers, 0, [Dual(0.3)] * len(self.names))
        return watch.operations

    def run(self, numbers: Numbers, s: int, parameters: list[Dual]) -> Wanted:
        """One sample, with these numbers of the model. The inputs are all floats, or in a training step the model's."""
        program, space, step = self.program, self._space(), self.program.task == "step"
        places = itertools.count()
        count = sum(size(leaf) for leaf in differentiated(program.arguments) if not step)
        watch.reset(count + len(parameters) * self.by_model, float(program.bits == 32))
        if program.model:
            self._place(space["model"], parameters, count)

        def given(argument: Argument) -> Any:
            if argument.parts:
                return {part.name: given(part) for part in argument.parts}
            x = numbers.sample(argument, s)
            return x if argument.below else mapped(Dual if step else lambda y: Dual.input(y, next(places)), x)

        arguments = [given(a) for a in program.arguments] + [space.get("model")] * (program.model == "argument")
        try:
            found = [functions.lifted(x) for x in flattened(space["f"](*arguments))]
        except (OverflowError, ZeroDivisionError):
            return Wanted([], near=False, finite=False)
        finite = all(math.isfinite(y) for x in found for y in [x.value, x.room, *x.slopes, *x.rooms])
        return Wanted(found, watch.closest < NEAR * self.unit, finite)

    def _place(self, model: Any, parameters: list[Dual], first: int) -> None:
        """Puts numbers in the places of a model's Values."""
        for k, ((owner, key), p) in enumerate(zip(functions.named_parameters(model).values(), parameters, strict=True)):
            dual = Dual.input(p.value, first + k, p.room) if self.by_model else Dual(p.value, p.room)
            if isinstance(owner, list):
                owner[key] = dual
            else:
                setattr(owner, key, dual)


def code_of(program: Program) -> Any:
    return compile(program.source, f"<program {program.seed}>", "exec", dont_inherit=True)


def executed(code: Any, functions: Any, module: type, value: type) -> dict[str, Any]:
    """The names of a program, run with these operations."""
    space = {"ops": functions, "Module": module, "Value": value, "__name__": "program", "functools": functools}
    space |= {"itertools": itertools, "dataclass": dataclass, "replace": replace, "deque": deque}
    exec(code, space)
    return space


def differentiated(arguments: Iterable[Argument]) -> Iterable[Argument]:
    """Those parts of arguments that have derivatives."""
    return [leaf for a in arguments for leaf in a.leaves if not leaf.below]


def flattened(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [x for part in tree for x in flattened(part)] if isinstance(tree, list | tuple) else [tree]


def mapped(function: Any, tree: Any) -> Any:
    return [mapped(function, x) for x in tree] if isinstance(tree, list) else function(tree)


def size(leaf: Argument) -> int:
    """How many numbers one sample has of it."""
    return math.prod(leaf.shape)
