"""The pipeline: from a traced graph to a kernel, by a list of passes that can be printed.

    trace → simplify → differentiate → tidy → group → loops → native code

Where too little of a graph repeats itself for loops, and where every bit must be the eager engine's, its nodes are
levelised and gathered instead (`chainrule.compiler.levels`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chainrule import ops
from chainrule.compiler.graph.differentiate import differentiate
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.graph.passes.batches import SAMPLES, split_batch_sums
from chainrule.compiler.graph.passes.fold import fold, plain, relax
from chainrule.compiler.graph.passes.rebuild import prune
from chainrule.compiler.graph.passes.spell_out import spell_out
from chainrule.compiler.graph.passes.sums import gather_sums
from chainrule.compiler.levels.emit import is_lowered
from chainrule.compiler.levels.kernel import compile_graph
from chainrule.compiler.loops.codegen.build import MEMORY_LIMIT, Plan, module_of, plan
from chainrule.compiler.loops.codegen.kernel import LoopKernel
from chainrule.compiler.loops.program import Program
from chainrule.compiler.loops.rerolling.fusion import fuse_reductions
from chainrule.compiler.loops.rerolling.grouping import Grouping, group
from chainrule.compiler.loops.rerolling.lanes import choose_lanes
from chainrule.compiler.loops.rerolling.recurrence_builder import to_program
from chainrule.compiler.loops.rerolling.recurrences import group_with_recurrences, is_regular, most_groups
from chainrule.compiler.loops.rerolling.statements import NoLoopsError
from chainrule.compiler.native.cache import cached_object
from chainrule.compiler.native.kernel import Kernel
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.native.memory import is_checked


@dataclass(frozen=True)
class Pass:
    """One step of the pipeline: a function from graph to graph, with a name.

    >>> print(SIMPLIFY[0])
    gather sums: Gathers chains of additions into single `sum` nodes, or `weighted_sum` nodes of products.
    """

    name: str
    apply: Callable[[Graph], Graph]

    def __str__(self) -> str:
        function = self.apply.func if isinstance(self.apply, functools.partial) else self.apply
        purpose = (function.__doc__ or "").partition("\n\n")[0]
        return f"{self.name}: {' '.join(purpose.split())}"


SIMPLIFY = (Pass("gather sums", gather_sums), Pass("relax", relax))
"""The passes before differentiation."""

TIDY = (
    Pass("split sums over samples", split_batch_sums),
    Pass("spell out", spell_out),
    Pass("relax again", relax),
)
"""The passes after differentiation."""

TIDY_IRREGULAR = (Pass("split sums over samples", split_batch_sums),)
"""The same for graphs that will not become loops."""

SIMPLIFY_EXACTLY = (Pass("fold", fold),)
TIDY_EXACTLY = (Pass("prune", prune),)
"""The same where every bit must be the eager engine's."""


@dataclass(frozen=True)
class Wanted:
    """What a kernel is to calculate.

    Attributes:
        order: 0 for values, 1 for first derivatives as well, 2 for second derivatives as well.
        wrt: the inputs with respect to which to differentiate.
        reduce: for a batch: None for the results of each sample, "sum", or "mean".
        exact: whether every bit must be the eager engine's.
    """

    order: int = 0
    wrt: tuple[int, ...] = ()
    reduce: str | None = None
    exact: bool = False


def passes(wanted: Wanted, regular: bool = True) -> tuple[Pass, ...]:
    """The passes from a traced graph to one that calculates what is wanted, in order.

    Args:
        wanted: what is to be calculated.
        regular: whether the graph repeats itself, so that it may become loops.

    >>> [one.name for one in passes(Wanted(1, (0,)))]
    ['gather sums', 'relax', 'differentiate', 'split sums over samples', 'spell out', 'relax again']
    """
    return (*_simplifying(wanted.exact), *_differentiating(wanted, regular))


def _simplifying(exact: bool) -> tuple[Pass, ...]:
    """The passes on a traced graph."""
    return SIMPLIFY_EXACTLY if exact else SIMPLIFY


def _differentiating(wanted: Wanted, regular: bool) -> tuple[Pass, ...]:
    """The passes on a graph that is simplified already."""
    tidy = TIDY_EXACTLY if wanted.exact else TIDY if regular else TIDY_IRREGULAR
    return (Pass("differentiate", functools.partial(_with_derivatives, wanted=wanted)), *tidy)


VERIFY = "CHAINRULE_VERIFY"
"""If the environment has this variable, each pass must return a valid graph; the tests set it."""


@dataclass
class Stages:
    """The record of a pipeline's run on one graph.

    Attributes:
        regular: whether the graph repeats itself, so that it may become loops.
        graphs: the graph after each pass, by name; after `forget` only the traced one.
        program: the program of loops.
        no_loops: why there is none.
        seconds: how long each step took.
        sizes: how many nodes the graph had after each pass.
    """

    regular: bool = True
    graphs: dict[str, Graph] = field(default_factory=dict)
    program: Program | None = None
    no_loops: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def run(self, step: Pass, graph: Graph) -> Graph:
        """Applies a pass and records its result."""
        with self.timed(step.name):
            graph = step.apply(graph)
        if VERIFY in os.environ:
            graph.verify()
        self.graphs[step.name], self.sizes[step.name] = graph, len(graph)
        return graph

    def forget(self) -> None:
        """Drops all graphs but the traced one, from which they can be made again: they are large, and only read by
        people."""
        self.graphs = {"trace": self.graphs["trace"]}

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Records how long the body of the `with` takes."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def simplified(graph: Graph, stages: Stages, exact: bool = False) -> Graph:
    """Runs the passes before differentiation on a traced graph."""
    stages.graphs["trace"] = graph
    for step in _simplifying(exact):
        graph = stages.run(step, graph)
    return graph


def calculation(graph: Graph, wanted: Wanted, stages: Stages) -> Graph:
    """Runs all passes on a traced graph.

    Returns:
        A graph whose outputs are those of the traced one, then for each output its first derivatives in the order of
        `wrt`, then for each of these its second derivatives. With `reduce`, values and derivatives with respect to what
        all samples share are sums or means over the samples; derivatives with respect to batched inputs are each
        sample's own.
    """
    return derived(simplified(graph, stages, wanted.exact), wanted, stages)


def derived(graph: Graph, wanted: Wanted, stages: Stages) -> Graph:
    """Runs the passes from differentiation on, on a simplified graph; returns what `calculation` returns."""
    if not wanted.exact:
        with stages.timed("look for loops"):
            stages.regular = is_regular(graph)
    for step in _differentiating(wanted, stages.regular):
        graph = stages.run(step, graph)
    return graph


def _with_derivatives(graph: Graph, wanted: Wanted) -> Graph:
    """Differentiates the outputs, adds the derivatives to them, and reduces over samples."""
    graph = graph.copy()
    values = list(graph.outputs)
    results, latest = list(values), list(values)
    one = graph.constant(1.0)
    for order in range(wanted.order):
        latest = [d for output in latest for d in differentiate(graph, output, wanted.wrt, wanted.exact)]
        if wanted.exact and order:
            # each transform has variables of its own; to pass on to the outer ones turns -0.0 into 0.0
            latest = [plain(graph, ops.chain, (d, one)) for d in latest]
        results += latest
    if wanted.reduce is not None:
        per_sample = latest_per_sample = [False] * len(values)
        for _ in range(wanted.order):
            latest_per_sample = [before or node in graph.batched for before in latest_per_sample for node in wanted.wrt]
            per_sample = per_sample + latest_per_sample
        samples = graph.names.index(SAMPLES) if wanted.reduce == "mean" else None
        results = [_reduced(graph, node, one, samples) for node, one in zip(results, per_sample, strict=True)]
    graph.outputs = results
    return graph


def _reduced(graph: Graph, node: int, per_sample: bool, samples: int | None) -> int:
    """Reduces a result of one sample over the samples, to a sum, or to a mean if `samples` is the input with their
    number.

    A derivative with respect to a batched input is kept `per_sample`: it is only divided by their number for a mean.
    """
    if not per_sample:
        node = graph.add(BATCH_SUM, node)
    return node if samples is None else graph.add(ops.div, node, samples)


def loops_of(graph: Graph, target: Target, stages: Stages) -> Plan | None:
    """Turns a graph into loops, ready for code generation; None if too little of it repeats itself."""
    if not stages.regular:
        stages.no_loops = "hardly any two expressions have the same shape"
        return None
    if not_lowered := _without_native_code(graph, target):
        stages.no_loops = f"there is no native code for {', '.join(not_lowered)}"
        return None
    with stages.timed("group"):
        grouping = group_with_recurrences(graph)
    if len(grouping.groups) > most_groups(graph):
        stages.no_loops = _too_many(grouping)
        return None
    with stages.timed("loops"):
        try:
            program = to_program(graph, grouping)
        except NoLoopsError:  # a recurrence cannot run as a loop
            grouping = group(graph)
            if len(grouping.groups) > most_groups(graph):
                stages.no_loops = _too_many(grouping)
                return None
            program = to_program(graph, grouping)
        if not graph.batched:
            program = choose_lanes(program)
        stages.program = fuse_reductions(program)
        return plan(stages.program, target.machine, target.bits, target.memory_limit)


def _without_native_code(graph: Graph, target: Target) -> list[str]:
    """The names of the user's own operations that Python has to calculate, which loops cannot call."""
    kinds = {id(op): op for op in graph.ops if op is not None}
    own = {key for key, op in kinds.items() if op is not BATCH_SUM and not op.built_in}
    if not own:
        return []
    calls = {(op, len(row)) for op, row in zip(graph.ops, graph.operands, strict=True) if id(op) in own}
    return sorted({op.name for op, count in calls if op and not is_lowered(op, count, target.bits, False)})


def _too_many(grouping: Grouping) -> str:
    return f"its expressions have {len(grouping.groups):,} different shapes"


SMALL = 500
"""A graph of at most so many nodes is levelised: it is too small to gain from loops."""


@dataclass(frozen=True)
class Target:
    """What native code is made for.

    Attributes:
        bits: the size of a number.
        threads: how many threads share large batches.
        memory_limit: how many bytes loops may keep for the reverse sweep; see `plan`.
        machine: the CPU.
        checked: whether native code checks each address; see `chainrule.compiler.native.memory.BOUNDS`.
    """

    bits: int = 64
    threads: int = 1
    memory_limit: int = MEMORY_LIMIT
    machine: Machine = field(default_factory=Machine.default)
    checked: bool = field(default_factory=is_checked)


def build(graph: Graph, wanted: Wanted, stages: Stages, target: Target) -> Kernel:
    """Runs the whole pipeline on a traced graph; returns its kernel."""
    graph = calculation(graph, wanted, stages)
    if wanted.exact:
        stages.no_loops = "they would add up in another order than the eager engine"
    elif not graph.batched and len(graph) <= SMALL:
        stages.no_loops = "there is too little to do for loops to pay"
    else:
        planned = loops_of(graph, target, stages)
        if planned is not None:
            return loop_kernel(planned, target, stages)
    with stages.timed("levels"):
        bits = 64 if wanted.exact else target.bits  # the size of the eager engine's numbers
        return compile_graph(graph, target.machine, bits, wanted.exact, target.threads)


LARGE = 500_000
"""Modules with more characters get fewer of LLVM's passes, which would take longer than they save."""


def loop_kernel(planned: Plan, target: Target, stages: Stages) -> LoopKernel:
    """Compiles a program of loops to its kernel."""
    with stages.timed("native code"):
        text = str(module_of(planned, target.machine, target.bits, target.checked))
        object_code = cached_object(text, target.machine, 2 if len(text) < LARGE else 1)
    return LoopKernel(planned, object_code, target.machine, target.bits, target.threads)
