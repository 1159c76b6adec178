"""Runs a program on chainrule and on the reference, and compares numbers, each within the room that the reference has.

Of a batch at most 32 samples are compared: the first, the last, those at the edges of blocks, and some others.
"""

from __future__ import annotations

import copy
import math
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

import chainrule
from chainrule import ops
from chainrule.errors import ChainruleError

from .duals import Dual
from .generator import LARGE, Argument, Numbers, Program
from .reference import Reference, Wanted, code_of, differentiated, executed, flattened, mapped, size

ALLOWED = 8.0
"""How many units of a number's room chainrule's may be off."""
MOST = 32
"""The samples of a batch that are compared."""
EDGES = (8, 16, 32, 64, 128, 256, 512, 1024, 4096, 65536)
"""Vectors and blocks may begin at these samples."""
WORK = 20_000
"""Of a long program fewer samples are compared: so many that the reference makes about as many operations."""
RATE, STEPS = 0.1, 3
"""What training steps are done with."""


@dataclass
class Outcome:
    """What became of a program.

    Attributes:
        counts: how many "samples", "numbers", ... there were.
        wrong: what was wrong, one text for each kind.
        refused: the error's class and first words, if chainrule refused it.
        worst: the largest error in units of the room.
    """

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    refused: str = ""
    worst: float = 0.0
    seconds: float = 0.0


class Comparison:
    """Compares one program."""

    def __init__(self, program: Program) -> None:
        self.program, self.reference = program, Reference(program)
        self.outcome = Outcome(program.seed)
        self.space = executed(code_of(program), ops, chainrule.nn.Module, chainrule.Value)
        self.parameters = self.space["model"].parameters() if program.model else []
        self.in_batch = program.in_axes is not None
        self.floats = [i for i, a in enumerate(program.arguments) if not a.below]
        self.by_model = program.model == "argument"

    def run(self) -> Outcome:
        before, out = time.perf_counter(), self.outcome
        try:
            if self.program.task == "step":
                self.steps()
            else:
                self.calls()
        except ChainruleError as error:
            out.refused = f"{type(error).__name__}: {str(error)[:60]}"
        except Exception:
            out.wrong.append(traceback.format_exc()[-1500:])
        out.seconds = time.perf_counter() - before
        return out

    # ---- functions ----
    def calls(self) -> None:
        """Calls with other numbers, and maybe with other numbers of samples, of one compiled function."""
        program = self.program
        f = chainrule.compile(self.space["f"], in_axes=program.in_axes, **program.options)
        argnums = (*self.floats, *[len(program.arguments)] * self.by_model)
        for call in range(len(program.batches)):
            numbers = Numbers(program, call)
            if call and program.model == "around":
                for p, x in zip(self.parameters, numbers.parameters(len(self.parameters)), strict=True):
                    p.data = x
            arguments = self.given(numbers)
            if program.task == "jacobian":
                found = f(*arguments), f.jacobian(*arguments, argnums=argnums)
            else:
                found = f.value_and_grad(*arguments, argnums=argnums)
            if "reduce" in program.options:
                self.added(numbers, *found)
            else:
                for s in self.places(numbers):
                    self.sample(f"sample {s} of {numbers.samples}", numbers, s, *found)
            if not call and not self.by_model and program.bits == 64:
                self.eager(numbers, argnums)

    def eager(self, numbers: Numbers, argnums: tuple[int, ...]) -> None:
        """The first sample by the eager transforms."""
        f = self.space["f"]

        def arguments() -> list[Any]:  # anew for each call, which may change its lists
            return copy.deepcopy([numbers.sample(a, 0) for a in self.program.arguments])

        if self.program.task == "jacobian":
            found = numbers_of(f(*arguments())), chainrule.jacobian(f, argnums)(*arguments())
        else:
            found = chainrule.value_and_grad(f, argnums)(*arguments())
        self.sample("eager", numbers, 0, *found, eager=True)

    def given(self, numbers: Numbers) -> list[Any]:
        """The arguments of a call."""

        def one(a: Argument) -> Any:
            if a.parts:
                return {part.name: one(part) for part in a.parts}
            found = numbers.of(a)
            if a.axis is None:
                x = found[0]
                return tuple(x) if a.form == "tuple" else np.array(x) if a.form == "array" else mapped(lambda y: y, x)
            whole = np.moveaxis(np.array(found)[np.arange(numbers.samples) % numbers.distinct], 0, a.axis)
            return whole.tolist() if a.form == "list" and numbers.samples < LARGE else whole

        return [one(a) for a in self.program.arguments] + [self.space.get("model")] * self.by_model

    def places(self, numbers: Numbers) -> list[int]:
        """Which samples are compared: fewer of a program with many operations."""
        n, r = numbers.samples, Random(f"{self.program.seed} samples")
        edges = [k for edge in EDGES for k in (edge - 1, edge)] + [n - n % 8 - 1, n - n % 8, n - 2]
        some = [r.randrange(n) for _ in range(MOST)]
        found = list(dict.fromkeys([k for k in [0, n - 1, *edges, *some] if 0 <= k < n]))
        return found[: max(4, min(MOST, WORK // self.reference.operations_of(numbers)))]

    def wanted(self, numbers: Numbers, s: int, parameters: list[Dual] | None = None) -> Wanted | None:
        """What the reference gives; None if it cannot be compared."""
        counts = self.outcome.counts
        counts["samples"] += 1
        found = self.reference.run(numbers, s, parameters or [Dual(p.data) for p in self.parameters])
        counts["near a branch"] += found.near
        counts["not finite"] += not found.finite and not found.near
        return None if found.near or not found.finite else found

    def sample(self, what: str, numbers: Numbers, s: int, values: Any, gradients: Any, *, eager: bool = False) -> None:
        """One sample, of all those that compiled functions give."""
        wanted = self.wanted(numbers, s)
        if wanted is None:
            return
        at = s if self.in_batch and not eager else None
        got = [x if at is None else np.asarray(x)[at] for x in flattened(values)]
        by = self.by_result(values, gradients)
        for k, (value, slopes, result) in enumerate(zip(got, by, wanted.results, strict=True)):
            self.check(f"{what}: result {k}", value, result.value, result.room)
            flat = self.flat(slopes, at, at)
            zeros = [0.0] * len(flat)
            expected = zip(flat, result.slopes or zeros, result.rooms or zeros, strict=True)
            for i, (x, slope, room) in enumerate(expected):
                self.check(f"{what}: derivative of result {k} by number {i}", x, slope, room)

    def by_result(self, values: Any, gradients: Any) -> list[Any]:
        """For each result the derivatives by all arguments."""
        return per_result(values, gradients) if self.program.task == "jacobian" else [gradients]

    def flat(self, gradients: Any, at: int | None, shared: int | None) -> list[float]:
        """Derivatives in the order of the inputs: of sample `at` by what it has for itself, of `shared` by the rest."""
        found = []
        arguments = [self.program.arguments[i] for i in self.floats]
        for a, gradient in zip(arguments, gradients, strict=False):
            for leaf in a.leaves:
                one, own = gradient[leaf.name] if a.parts else gradient, leaf.axis is not None and at is not None
                found += taken(one, leaf.axis if own else None, at if own else shared)
        if self.by_model:
            for name in self.reference.names:
                found += taken(gradients[-1][name], None, shared)
        return found

    def check(self, what: str, got: Any, wanted: float, room: float) -> None:
        """One number."""
        out, unit = self.outcome, self.reference.unit
        got = float(got)
        tiny = 1e-300 if self.program.bits == 64 else 1e-36
        out.counts["numbers"] += 1
        off = math.fabs(got - wanted)
        if not off <= ALLOWED * unit * room + tiny:
            out.counts["wrong numbers"] += 1
            if len(out.wrong) < 5:
                out.wrong.append(f"{what} is {got!r} in place of {wanted!r}, with room for {unit * room:.3g}")
        elif unit * room:  # not rounded to 0
            out.worst = max(out.worst, off / (unit * room))
        out.counts["sharp numbers"] += ALLOWED * unit * room <= 1e7 * unit * max(math.fabs(wanted), 1e-3)

    # ---- sums over a batch ----
    def added(self, numbers: Numbers, values: Any, gradients: Any) -> None:
        """The sum or mean of a batch, of which the reference goes through all samples that differ."""
        found = [self.wanted(numbers, s) for s in range(numbers.distinct)]
        if None in found:
            return
        last = numbers.samples - 1
        own = [leaf.axis is not None for leaf in differentiated(self.program.arguments) for _ in range(size(leaf))]
        own += [False] * len(self.reference.names)
        by = self.by_result(values, gradients)
        for k, (value, slopes) in enumerate(zip(flattened(values), by, strict=True)):
            results = [one.results[k] for one in found if one is not None]
            total = Total(self, numbers)
            total.check(f"result {k}", value, [(r.value, r.room) for r in results])
            for i, (x, alone) in enumerate(zip(self.flat(slopes, last, None), own, strict=False)):
                terms = [(r.slopes[i], r.rooms[i] + r.sizes[i]) if r.slopes else (0.0, 0.0) for r in results]
                what = f"derivative of result {k} by number {i}"
                if alone:
                    slope, room = terms[last % numbers.distinct]
                    self.check(what, x, slope * total.share, room * total.share)
                else:
                    total.check(what, x, terms)

    # ---- training steps ----
    def steps(self) -> None:
        """Some steps of gradient descent, their losses, and what they leave."""
        program, numbers = self.program, Numbers(self.program, 0)
        optimizer = chainrule.optim.SGD(self.parameters, lr=RATE)
        before = [Dual(p.data) for p in self.parameters]
        step = chainrule.compile_step(self.space["f"], optimizer, in_axes=program.in_axes, **program.options)
        losses = step.run([tuple(self.given(numbers))] * STEPS)
        parameters, total = before, Total(self, numbers)
        for k in range(STEPS):
            found = [self.wanted(numbers, s, parameters) for s in range(numbers.samples)]
            if None in found:
                return
            results = [one.results[0] for one in found if one is not None]
            total.check(f"loss {k}", losses[k], [(x.value, x.room) for x in results])
            parameters = [
                moved(p, [(x.slopes[i], x.rooms[i] + x.sizes[i]) for x in results]) for i, p in enumerate(parameters)
            ]
        for name, p, wanted in zip(self.reference.names, self.parameters, parameters, strict=True):
            self.check(f"{name} after {STEPS} steps", p.data, wanted.value, wanted.room)


class Total:
    """Compares sums or means over the samples of a batch, some of which come several times."""

    def __init__(self, comparison: Comparison, numbers: Numbers) -> None:
        self.comparison, self.kind = comparison, comparison.program.options.get("reduce", "mean")
        self.times = [len(range(s, numbers.samples, numbers.distinct)) for s in range(numbers.distinct)]
        self.share = 1.0 / numbers.samples if self.kind == "mean" else 1.0

    def check(self, what: str, got: Any, terms: list[tuple[float, float]]) -> None:
        """One number, of which there are a term and its room for each sample that differs."""
        times = self.times
        wanted = math.fsum([x * n for (x, _), n in zip(terms, times, strict=True)])
        size = sum([math.fabs(x) * n for (x, _), n in zip(terms, times, strict=True)])
        room = sum([room * n for (_, room), n in zip(terms, times, strict=True)])
        room += math.sqrt(sum(times)) * size  # what adding one after another loses goes like a random walk
        self.comparison.check(f"{self.kind} of {sum(times)}: {what}", got, wanted * self.share, room * self.share)


def moved(p: Dual, terms: list[tuple[float, float]]) -> Dual:
    """A parameter after a step; for each sample there are the derivative and its room."""
    slope, room = [math.fsum(column) / len(terms) for column in zip(*terms, strict=True)]
    return Dual(p.value - RATE * slope, p.room + RATE * (room + 2.0 * math.fabs(slope)) + math.fabs(p.value))


def numbers_of(tree: Any) -> Any:
    """A tree of plain numbers in place of Values."""
    if isinstance(tree, dict):
        return {key: numbers_of(x) for key, x in tree.items()}
    if isinstance(tree, list | tuple):
        return [numbers_of(x) for x in tree]
    return tree.data if isinstance(tree, chainrule.Value) else tree


def taken(found: Any, axis: int | None, at: int | None) -> list[float]:
    """The numbers of one sample in a derivative by an argument with such an axis of samples."""
    if axis is not None:
        return np.take(np.asarray(found), at, axis=axis).ravel().tolist()
    if isinstance(found, list | tuple):
        return [x for part in found for x in taken(part, None, at)]
    array = np.asarray(found)
    return (array if at is None else array[at]).ravel().tolist()


def per_result(values: Any, gradients: Any) -> list[Any]:
    """The derivatives of each result: `gradients` has the structure of `values`, and then that of the arguments."""
    if isinstance(values, dict):
        return [x for key in values for x in per_result(values[key], gradients[key])]
    if isinstance(values, list | tuple):
        return [x for one, by in zip(values, gradients, strict=True) for x in per_result(one, by)]
    return [gradients]


def examine(program: Program) -> Outcome:
    """Compares a program."""
    return Comparison(program).run()
