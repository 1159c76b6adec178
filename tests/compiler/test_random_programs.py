"""Random programs: compiled functions equal the eager transforms, to the bit in strict mode, else within 8 ulp.

Of what the 8 ulp are, and which inputs are too near to a branch to be compared, see `tolerance`. `CHAINRULE_PROGRAMS`
is how many programs there are to be, and `CHAINRULE_SEED` a whole number by which they become others.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import os
import warnings
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.conjecture.engine import ConjectureRunner

import chainrule
from chainrule.core.trees import leaves, tree_map

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

from chainrule.compiler.graph.graph import evaluate  # noqa: E402
from chainrule.compiler.levels.kernel import LevelKernel  # noqa: E402
from chainrule.compiler.loops.codegen.kernel import LoopKernel  # noqa: E402
from chainrule.compiler.trace.tracing import trace  # noqa: E402

from .programs import programs  # noqa: E402
from .tolerance import Analysis, Near, near, same, ulps  # noqa: E402

PROGRAMS = int(os.environ.get("CHAINRULE_PROGRAMS", "50"))
SEED = int(os.environ.get("CHAINRULE_SEED", "0"))
SHARP = 1e-10
"""A tolerance of such a part of the number hides no wrong result."""


def eager(program):
    """The function that gives value and derivatives by the eager transforms, all in one tuple."""
    f, by = program.function(), program.floats
    if program.several:
        return lambda *args: (chainrule.vjp(f, *args)[0], chainrule.jacobian(f, by)(*args))
    if program.order == 1:
        return chainrule.value_and_grad(f, by)
    first, second = chainrule.value_and_grad(f, by), chainrule.hessian(f, by)
    return lambda *args: (*first(*args), second(*args))


def compiled(program, **options):
    """The same of the compiled function."""
    f = chainrule.compile(program.function(), in_axes=program.in_axes, reduce=program.reduce, max_traces=200, **options)
    by = program.floats
    if program.several:
        return lambda *args: (f(*args), f.jacobian(*args, argnums=by))
    if program.order == 1:
        return lambda *args: f.value_and_grad(*args, argnums=by)
    return lambda *args: (*f.value_and_grad(*args, argnums=by), f.hessian(*args, argnums=by))


def with_seed(program):
    """As `eager`, as one flat list, with one more argument in front: the derivative of each result by itself.

    That is 1, but a number that is traced: else a 1 and a -1 that the chain rule adds up would leave but a constant 0.
    """
    f, by = program.function(), program.floats

    def derivatives(function, one, args):
        value, pullback = chainrule.vjp(function, *args)
        rows = [pullback(unit(value, k, one)) for k in range(len(leaves(value)))]
        return leaves(value), [leaves([row[i] for i in by]) for row in rows]

    def run(one, *args):
        values, first = derivatives(f, one, args)
        if program.order == 1:
            return [values, first]
        return [values, first, derivatives(lambda *args: derivatives(f, one, args)[1][0], one, args)[1]]

    return run


def unit(tree, k, one):
    """A tree like another, with a number in place k and 0 in all others."""
    places = itertools.count()
    return tree_map(lambda _: one if next(places) == k else 0.0, tree)


def samples_of(program, call):
    """The arguments for each sample of a call."""
    if program.in_axes is None:
        return [call]
    count = max(len(x) for x, axis in zip(call, program.in_axes, strict=True) if axis is not None)
    return [[x if axis is None else x[s] for x, axis in zip(call, program.in_axes, strict=True)] for s in range(count)]


class Expected:
    """What the eager engine gives for a program, and how far native code may be from it."""

    def __init__(self, program):
        self.run, self.traced = eager(program), with_seed(program)
        self.graphs = []

    def numbers(self, arguments):
        """Value and derivatives."""
        return leaves(self.run(*arguments))

    def way(self, arguments):
        """Which way the function goes: the number of a graph, and the inputs of this."""
        inputs = leaves([1.0, *arguments])
        for at, (graph, more) in enumerate(self.graphs):
            values = evaluate(graph, inputs + more)
            if all(bool(values[node]) == outcome for node, outcome in graph.guards):
                return at, inputs + more
        traced = trace(self.traced, [1.0, *arguments])
        self.graphs.append((traced.graph, [value.peek_data() for value in traced.live]))  # numbers of p, and constants
        return self.way(arguments)

    def errors(self, arguments, wanted):
        """For each number how far native code may be off; None if the arguments are near a branch."""
        at, inputs = self.way(arguments)
        graph = self.graphs[at][0]
        try:
            found = Analysis(graph, inputs)
        except Near:
            return None
        assert len(graph.outputs) == len(wanted)
        assert all(near(found.values[k], x, found.errors[k]) for k, x in zip(graph.outputs, wanted, strict=True))
        return [found.errors[k] for k in graph.outputs]


class Call:
    """What a program gives for one call: of each number, one for each sample.

    Attributes:
        wanted: for each sample the eager engine's numbers.
        errors: for each sample the tolerances; None if it is near a branch.
        ways: for each sample the way that the function goes.
        own: for each number whether each sample has its own, also where the others are reduced.
    """

    def __init__(self, program, call, expected):
        self.program, self.samples = program, samples_of(program, call)
        self.wanted = [expected.numbers(sample) for sample in self.samples]
        self.errors = [expected.errors(sample, x) for sample, x in zip(self.samples, self.wanted, strict=True)]
        self.ways = {expected.way(sample)[0] for sample in self.samples}
        axes = program.in_axes or (None,) * len(call)
        self.given = [x if axis is None else np.array(x) for x, axis in zip(call, axes, strict=True)]
        one = self.samples[0]
        self.own = [program.reduce is None] * (len(self.wanted[0]))
        if program.reduce:
            sizes = [(len(leaves(one[i])), axes[i] == 0) for i in program.floats]
            self.own = [False, *[own for size, own in sizes for _ in range(size)]]

    def columns(self, found):
        """What a compiled function gave: for each number the list of all samples', or what they were reduced to."""
        if self.program.in_axes is None:
            return [[x] for x in leaves(found)]
        flat = []
        for leaf in leaves(found, lambda part: isinstance(part, np.ndarray)):
            if np.ndim(leaf):
                flat += np.asarray(leaf).reshape(len(self.samples), -1).T.tolist()
            else:
                flat.append(leaf)
        assert [type(x) is list for x in flat] == self.own
        return flat

    def reduced(self, k):
        """The eager engine's numbers of all samples as one, the tolerance, and that of the order of adding alone."""
        terms = [numbers[k] for numbers in self.wanted]
        added = sum([abs(x) for x in terms if math.isfinite(x)])
        open_end = math.isinf(added)  # whether it overflows may depend on the order
        skipped = open_end or None in self.errors
        room = None if skipped else sum([errors[k] for errors in self.errors]) + ulps(added)
        reordered = None if len(self.ways) == 1 else math.inf if open_end else ulps(added)
        n = len(terms) if self.program.reduce == "mean" else 1
        return functools.reduce(operator.add, terms, 0.0) / n, room, reordered


class Comparison:
    """Counts what was compared, and compares."""

    def __init__(self):
        self.counts = Counter()

    def program(self, program):
        """Each call of a program, in both modes."""
        self.counts["programs"] += 1
        expected, modes = Expected(program), {"strict": compiled(program, strict=True), "native": compiled(program)}
        for arguments in program.calls:
            call = Call(program, arguments, expected)
            self.counts["inputs"] += len(call.samples)
            self.counts["near a branch"] += call.errors.count(None)
            self.counts["calls"] += 1
            self.counts["finite calls"] += all(math.isfinite(x) for numbers in call.wanted for x in numbers)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, where a mean is nan
                for mode, f in modes.items():
                    self.call(mode, call, call.columns(f(*call.given)))
        for backend in KERNELS:
            self.counts[backend] += 1
        KERNELS.clear()
        self.counts["with branches"] += any(graph.guards for graph, _ in expected.graphs)
        self.counts["second derivatives"] += program.order == 2
        self.counts["several results"] += program.several

    def call(self, mode, call, found):
        """The numbers of a call, one by one."""
        strict, n = mode == "strict", len(call.samples) if call.program.reduce == "mean" else 1
        for k, numbers in enumerate(found):
            if not call.own[k]:
                wanted, room, reordered = call.reduced(k)
                self.check(mode, call, k, numbers, wanted, reordered if strict else room)
                continue
            for s, x in enumerate(numbers):
                room = None if strict else call.errors[s] and call.errors[s][k]
                self.check(mode, call, (k, s), x, call.wanted[s][k] / n, room)

    def check(self, mode, call, which, found, wanted, room):
        """One number. Without room it has to be the same to the bit in strict mode, and else is not compared."""
        if room is None:
            if mode == "native":
                return
            good = same(found, wanted)
        else:
            good = near(found, wanted, room)
        self.counts[f"{mode} numbers"] += 1
        self.counts["sharp numbers"] += mode == "native" and (room <= SHARP * abs(wanted) or room < 1e-14)
        assert good, f"{mode}: of {call.given}, number {which} is {found!r}, not {wanted!r}, with room for {room}"


KERNELS = Counter()
"""Which backends made a kernel."""


@pytest.fixture(autouse=True)
def kernels(monkeypatch, tmp_path):
    """Counts kernels; and what one mode has compiled, the other has not to compile again."""
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    for kind, name in ((LoopKernel, "loops"), (LevelKernel, "levels")):

        def init(self, plan, *rest, before=kind.__init__, name=name, **named):
            before(self, plan, *rest, **named)
            if not getattr(plan, "exact", False):
                KERNELS[name] += 1

        monkeypatch.setattr(kind, "__init__", init)
    # numbers that stand in this project's files would be drawn as well, and a line changed anywhere change all programs
    monkeypatch.setattr(providers, "_get_local_constants", providers.Constants, raising=False)
    # of each program hypothesis would also make five near copies, with parts repeated
    monkeypatch.setattr(ConjectureRunner, "generate_mutations_from", lambda *_: None, raising=False)


def run(strategy, share):
    """Compares so many of a hundred programs."""
    comparison = Comparison()

    @seed(SEED)
    @settings(
        max_examples=max(1, PROGRAMS * share // 100),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(program=strategy)
    def compare(program):
        comparison.program(program)

    compare()
    print(dict(comparison.counts))
    return comparison.counts


@pytest.mark.slow
def test_programs_of_numbers():
    counts = run(programs("straight"), 40)
    assert few_are_skipped(counts)
    assert counts["levels"] == counts["programs"]
    assert counts["with branches"] > counts["programs"] / 3
    assert counts["second derivatives"] > 0


@pytest.mark.slow
def test_programs_of_lists():
    counts = run(programs("loops"), 30)
    assert few_are_skipped(counts)
    assert counts["loops"] > counts["programs"] / 10
    assert counts["levels"] > counts["programs"] / 10


@pytest.mark.slow
def test_programs_of_samples():
    counts = run(programs("mixed", batch=True), 20)
    assert few_are_skipped(counts)
    assert counts["loops"] > counts["programs"] / 2
    assert counts["with branches"] > counts["programs"] / 6


def test_programs_of_samples_that_are_added():
    counts = run(programs("mixed", batch=True, reduce=("sum", "mean")), 10)
    assert few_are_skipped(counts)
    assert counts["loops"] > counts["programs"] / 2


def few_are_skipped(counts):
    """Whether few inputs were too near to a branch, few calls had to be done again in strict mode because something was
    not finite, and few tolerances were wide."""
    few = counts["near a branch"] < 0.2 * counts["inputs"] and counts["finite calls"] > 0.5 * counts["calls"]
    return few and counts["sharp numbers"] > 0.95 * counts["native numbers"]
