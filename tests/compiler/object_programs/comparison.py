"""Runs a program on chainrule and on the reference, and compares numbers, each within the room that the reference has.

Of a batch at most 32 samples are compared: the first, the last, those at the edges of blocks, and some others.
"""

from __future__ import annotations

import functools
import itertools
import math
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

import chainrule
from chainrule import ops
from chainrule.errors import ChainruleError

from . import functions
from .duals import Dual, watch
from .generator import LARGE, Argument, Numbers, Program

ALLOWED = 16.0
"""How many units of a number's room chainrule's may be off."""
NEAR = 64.0
"""Within so many units of its room, a comparison may have the other answer as well."""
MOST = 32
"""The samples of a batch that are compared."""
WORK = 30_000
"""Of a long program fewer are, so that these make about as many operations of the reference."""


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


@dataclass
class Wanted:
    """What the reference gives for one sample: results, and the derivatives of each by all inputs."""

    results: list[Dual]
    near: bool
    finite: bool


class Reference:
    """A program on dual numbers."""

    def __init__(self, program: Program) -> None:
        self.program, self.code = program, code_of(program)
        self.unit = 2.0 ** (-24 if program.bits == 32 else -53)
        self.operations = 1

    def names(self) -> dict[str, Any]:
        """The parameters of a model, by name, and their numbers."""
        found = functions.named_parameters(self._space()["model"]) if self.program.model else {}
        return {name: owner_get(*place).value for name, place in found.items()}

    def _space(self) -> dict[str, Any]:
        return executed(self.code, functions, functions.Module, Dual)

    def run(self, numbers: Numbers, s: int, parameters: list[Dual]) -> Wanted:
        """One sample, with these numbers of the model."""
        program, space = self.program, self._space()
        by_model = program.model == "argument" or program.task == "step"
        floats = [] if program.task == "step" else list(differentiated(program.arguments))
        flat = [x for leaf in floats for x in flattened(numbers.sample(leaf, s))]
        watch.reset(len(flat) + len(parameters) * by_model, float(program.bits == 32))
        places = itertools.count()
        if program.model:
            found = functions.named_parameters(space["model"]).values()
            for k, ((owner, key), p) in enumerate(zip(found, parameters, strict=True)):
                dual = Dual.input(p.value, len(flat) + k, p.room) if by_model else Dual(p.value, p.room)
                owner_set(owner, key, dual)

        def given(argument: Argument) -> Any:
            if argument.parts:
                return {part.name: given(part) for part in argument.parts}
            x = numbers.sample(argument, s)
            if argument.below:
                return x
            made = (lambda y: Dual(y)) if program.task == "step" else (lambda y: Dual.input(y, next(places)))
            return mapped(made, x)

        arguments = [given(a) for a in program.arguments]
        results = flattened(space["f"](*arguments, *[space.get("model")] * (program.model == "argument")))
        self.operations = max(self.operations, watch.operations)
        found = [functions.lifted(x) for x in results]
        finite = all(math.isfinite(y) for x in found for y in [x.value, x.room, *x.slopes, *x.rooms])
        return Wanted(found, watch.closest < NEAR * self.unit, finite)


def code_of(program: Program) -> Any:
    return compile(program.source, f"<program {program.seed}>", "exec", dont_inherit=True)


def executed(code: Any, functions: Any, module: type, value: type) -> dict[str, Any]:
    """The names of a program, run with these operations."""
    from collections import deque
    from dataclasses import dataclass

    space = {"ops": functions, "Module": module, "Value": value, "__name__": "program", "functools": functools}
    space |= {"itertools": itertools, "dataclass": dataclass, "replace": replace, "deque": deque}
    exec(code, space)
    return space


def owner_get(owner: Any, key: Any) -> Any:
    return owner[key] if isinstance(owner, list) else getattr(owner, key)


def owner_set(owner: Any, key: Any, x: Any) -> None:
    if isinstance(owner, list):
        owner[key] = x
    else:
        setattr(owner, key, x)


def differentiated(arguments: Iterable[Argument]) -> Iterable[Argument]:
    """Those parts of arguments that have derivatives."""
    return [leaf for a in arguments for leaf in a.leaves if not leaf.below]


def flattened(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [x for part in tree for x in flattened(part)] if isinstance(tree, list | tuple) else [tree]


def mapped(function: Any, tree: Any) -> Any:
    return [mapped(function, x) for x in tree] if isinstance(tree, list) else function(tree)


class Comparison:
    """Compares one program."""

    def __init__(self, program: Program) -> None:
        self.program, self.reference = program, Reference(program)
        self.outcome = Outcome(program.seed)
        self.space = executed(code_of(program), ops, chainrule.nn.Module, chainrule.Value)
        self.parameters = self.space["model"].parameters() if program.model else []
        self.in_batch = program.in_axes is not None

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
        program = self.program
        f = chainrule.compile(self.space["f"], in_axes=program.in_axes, **program.options)
        for call in range(len(program.batches)):
            numbers = Numbers(program, call)
            if call and program.model == "around":
                for p, x in zip(self.parameters, numbers.parameters(len(self.parameters)), strict=True):
                    p.data = x
            arguments = self.given(numbers)
            argnums = tuple([i for i, a in enumerate(program.arguments) if a.parts or not a.below])
            argnums += (len(program.arguments),) * (program.model == "argument")
            if program.task == "jacobian":
                found = f(*arguments), f.jacobian(*arguments, argnums=argnums)
            else:
                found = f.value_and_grad(*arguments, argnums=argnums)
            self.compare("compiled", numbers, *found)
            if call == 0:
                self.eager(numbers, argnums)

    def eager(self, numbers: Numbers, argnums: tuple[int, ...]) -> None:
        """The first sample by the eager transforms."""
        program, f = self.program, self.space["f"]
        if "reduce" in program.options or program.bits == 32:
            return
        arguments = [numbers.sample(a, 0) for a in program.arguments] + [self.space.get("model")] * (
            program.model == "argument"
        )
        if program.model == "argument":
            return
        if program.task == "jacobian":
            found = f(*arguments), chainrule.jacobian(f, argnums)(*arguments)
            found = numbers_of(found[0]), found[1]
        else:
            found = chainrule.value_and_grad(f, argnums)(*arguments)
        self.sample("eager", numbers, 0, *found, whole=True)

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

        return [one(a) for a in self.program.arguments] + [self.space.get("model")] * (self.program.model == "argument")

    def places(self, numbers: Numbers) -> list[int]:
        """Which samples are compared."""
        n = numbers.samples
        edges = [k for edge in (8, 16, 32, 64, 128, 256, 512, 1024, 4096, 65536) for k in (edge - 1, edge) if k < n]
        edges += [n - n % 8 - 1, n - n % 8, n - 2]
        r = Random(f"{self.program.seed} samples")
        some = [r.randrange(n) for _ in range(MOST)]
        found = list(dict.fromkeys(k for k in [0, n - 1, *edges, *some] if 0 <= k < n))
        return sorted(found[:MOST])

    def compare(self, mode: str, numbers: Numbers, values: Any, gradients: Any) -> None:
        if "reduce" in self.program.options:
            self.added(numbers, values, gradients)
            return
        seen: dict[int, Wanted] = {}
        for at, s in enumerate(self.places(numbers)):
            if at > 3 and at * self.reference.operations > WORK:
                break
            self.sample(mode, numbers, s, values, gradients, seen=seen)

    def wanted(self, numbers: Numbers, s: int) -> Wanted | None:
        """What the reference gives; None if it cannot be compared."""
        self.outcome.counts["samples"] += 1
        parameters = [Dual(p.data) for p in self.parameters]
        try:
            found = self.reference.run(numbers, s, parameters)
        except (OverflowError, ZeroDivisionError):
            found = Wanted([], False, False)
        except ValueError as error:
            if "math domain" not in str(error):
                raise
            found = Wanted([], False, False)
        if found.near or not found.finite:
            self.outcome.counts["near a branch" if found.near else "not finite"] += 1
            return None
        return found

    def sample(
        self, mode: str, numbers: Numbers, s: int, values: Any, gradients: Any, *, whole: bool = False, seen: Any = None
    ) -> None:
        """One sample: `whole` if what is given has no axis of samples."""
        wanted = self.wanted(numbers, s)
        if wanted is None:
            return
        at = None if whole or not self.in_batch else s
        got = [x if at is None else np.asarray(x)[at] for x in flattened(values)]
        if len(got) != len(wanted.results):
            self.outcome.wrong.append(f"{mode}: {len(got)} results in place of {len(wanted.results)}")
            return
        by = [gradients] if self.program.task != "jacobian" else per_result(values, gradients)
        for k, (result, slopes) in enumerate(zip(wanted.results, by, strict=True)):
            self.check(f"{mode} sample {s} of {numbers.samples} result {k}", got[k], result.value, result.room)
            flat = self.flat(slopes, at, whole)
            rooms = result.rooms or [0.0] * len(flat)
            expected = result.slopes or [0.0] * len(flat)
            if len(flat) != len(expected):
                self.outcome.wrong.append(f"{mode}: {len(flat)} derivatives in place of {len(expected)}")
                return
            for i, (x, y, room) in enumerate(zip(flat, expected, rooms, strict=True)):
                self.check(f"{mode} sample {s} of {numbers.samples} derivative of {k} by {i}", x, y, room)

    def flat(self, gradients: Any, at: int | None, whole: bool) -> list[float]:
        """The derivatives of one sample, in the order of the inputs."""
        program, found = self.program, []
        arguments = [a for a in program.arguments if a.parts or not a.below]
        for a, gradient in zip(arguments, gradients, strict=False):
            for leaf in a.leaves:
                one = gradient[leaf.name] if a.parts else gradient
                batched = not whole and leaf.axis is not None
                found += taken(one, leaf.axis if batched else None, at)
        if program.model == "argument":
            named = gradients[-1]
            for name in self.reference.names():
                found += taken(named[name], None, at)
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
        elif room:
            out.worst = max(out.worst, off / (unit * room))
        out.counts["sharp numbers"] += ALLOWED * unit * room <= 1e7 * unit * max(math.fabs(wanted), 1e-3)

    # ---- sums over a batch ----
    def added(self, numbers: Numbers, values: Any, gradients: Any) -> None:
        """The sum or mean of a batch, of which the reference goes through all samples."""
        program, distinct = self.program, numbers.distinct
        found = [self.wanted(numbers, s) for s in range(distinct)]
        if None in found:
            return
        times = [len(range(s, numbers.samples, distinct)) for s in range(distinct)]
        share = 1.0 / numbers.samples if program.options["reduce"] == "mean" else 1.0
        shared: dict[int, Dual] = {}
        got_values, by = flattened(values), [gradients] if program.task != "jacobian" else per_result(values, gradients)
        floats = differentiated(program.arguments)
        own = [leaf.axis is not None for leaf in floats for _ in range(size(leaf))]
        own += [False] * len(self.reference.names() if program.model == "argument" else [])
        for k, (got, slopes) in enumerate(zip(got_values, by, strict=True)):
            results = [one.results[k] for one in found if one is not None]
            self.check_sum(f"result {k}", got, [x.value for x in results], [x.room for x in results], times, share)
            flat = self.flat_sums(slopes, numbers.samples - 1)
            for i, (x, each) in enumerate(zip(flat, own, strict=True)):
                last = results[(numbers.samples - 1) % distinct]
                if each:
                    wanted, room = (last.slopes[i], last.rooms[i]) if last.slopes else (0.0, 0.0)
                    self.check(f"derivative of {k} by {i}", x, wanted * share, (room + math.fabs(wanted)) * share)
                else:
                    columns = [(r.slopes[i], r.rooms[i] + r.sizes[i]) if r.slopes else (0.0, 0.0) for r in results]
                    self.check_sum(f"derivative of {k} by {i}", x, *map(list, zip(*columns, strict=True)), times, share)
        shared.clear()

    def flat_sums(self, gradients: Any, s: int) -> list[float]:
        """The derivatives by what all samples share, and for the rest those of one sample."""
        program, found = self.program, []
        arguments = [a for a in program.arguments if a.parts or not a.below]
        for a, gradient in zip(arguments, gradients, strict=False):
            for leaf in a.leaves:
                one = gradient[leaf.name] if a.parts else gradient
                found += taken(one, leaf.axis, s if leaf.axis is not None else None)
        if program.model == "argument":
            for name in self.reference.names():
                found += taken(gradients[-1][name], None, None)
        return found

    def check_sum(
        self, what: str, got: Any, terms: list[float], rooms: list[float], times: list[int], share: float
    ) -> None:
        wanted = math.fsum([x * n for x, n in zip(terms, times, strict=True)])
        added = sum([math.fabs(x) * n for x, n in zip(terms, times, strict=True)])
        # what adding one after another loses goes like a random walk
        room = sum([r * n for r, n in zip(rooms, times, strict=True)]) + math.sqrt(sum(times)) * added
        self.check(
            f"{self.program.options.get('reduce', 'mean')} of {sum(times)}: {what}", got, wanted * share, room * share
        )

    # ---- training steps ----
    def steps(self) -> None:
        """Three steps of gradient descent, and what they leave."""
        program, rate, count = self.program, 0.1, 3
        numbers = Numbers(program, 0)
        optimizer = chainrule.optim.SGD(self.parameters, lr=rate)
        before = [Dual(p.data) for p in self.parameters]
        step = chainrule.compile_step(self.space["f"], optimizer, in_axes=program.in_axes, **program.options)
        losses = step.run([tuple(self.given(numbers))] * count)
        parameters = before
        for k in range(count):
            found = [self.wanted_step(numbers, s, parameters) for s in range(numbers.samples)]
            if None in found:
                return
            n, results = len(found), [one.results[0] for one in found if one is not None]
            self.check_sum(
                f"loss {k}", losses[k], [x.value for x in results], [x.room for x in results], [1] * n, 1.0 / n
            )
            moved = []
            for i, p in enumerate(parameters):
                slope = math.fsum([x.slopes[i] for x in results if x.slopes]) / n
                room = sum([x.rooms[i] + x.sizes[i] for x in results if x.slopes]) / n
                value = p.value - rate * slope
                moved.append(Dual(value, p.room + rate * room + math.fabs(p.value) + 2 * rate * math.fabs(slope)))
            parameters = moved
        for i, (p, wanted) in enumerate(zip(self.parameters, parameters, strict=True)):
            self.check(f"parameter {i}", p.data, wanted.value, wanted.room)

    def wanted_step(self, numbers: Numbers, s: int, parameters: list[Dual]) -> Wanted | None:
        self.outcome.counts["samples"] += 1
        found = self.reference.run(numbers, s, parameters)
        if found.near or not found.finite:
            self.outcome.counts["near a branch" if found.near else "not finite"] += 1
            return None
        return found


def numbers_of(tree: Any) -> Any:
    """A tree of plain numbers in place of Values."""
    if isinstance(tree, dict):
        return {key: numbers_of(x) for key, x in tree.items()}
    if isinstance(tree, list | tuple):
        return [numbers_of(x) for x in tree]
    return tree.data if isinstance(tree, chainrule.Value) else tree


def size(leaf: Argument) -> int:
    return math.prod(leaf.shape)


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
