"""The pipeline: from a traced graph to a kernel, by a list of passes that can be printed.

    trace → simplify → differentiate → tidy → group → loops → native code

Where too little of a graph repeats itself for loops, and where every bit must be that of the eager engine, its nodes
are levelised and gathered instead (`chainrule.compiler.levels`).
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
    """One step of the pipeline: a graph in, a graph out."""

    name: str
    apply: Callable[[Graph], Graph]


SIMPLIFY = (Pass("gather sums", gather_sums), Pass("relax", relax))
"""What is done before derivatives are taken."""

TIDY = (
    Pass("split sums over samples", split_batch_sums),
    Pass("spell out", spell_out),
    Pass("relax again", relax),
)
"""What is done afterwards."""

TIDY_IRREGULAR = (Pass("split sums over samples", split_batch_sums),)
"""What is done of it where there will be no loops."""

SIMPLIFY_EXACTLY = (Pass("fold", fold),)
TIDY_EXACTLY = (Pass("prune", prune),)
"""The same where every bit must be that of the eager engine."""


@dataclass(frozen=True)
class Wanted:
    """What is to be calculated.

    Attributes:
        order: 0 for the values, 1 for values and first derivatives, 2 for second ones as well.
        wrt: the inputs by which to differentiate.
        reduce: of a batch: None for the results of each sample, "sum", or "mean".
        exact: whether every bit must be that of the eager engine.
    """

    order: int = 0
    wrt: tuple[int, ...] = ()
    reduce: str | None = None
    exact: bool = False


VERIFY = "CHAINRULE_VERIFY"
"""If the environment has this, each pass has to give a graph that is one; the tests say so."""


@dataclass
class Stages:
    """What became of a graph.

    Attributes:
        regular: whether it repeats itself, so that there may be loops in it.
        graphs: one after the other its forms; after `forget`, what was traced alone.
        program: the loops that were found.
        no_loops: why there are none.
        seconds: how long each step took.
    """

    regular: bool = True
    graphs: dict[str, Graph] = field(default_factory=dict)
    program: Program | None = None
    no_loops: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, step: Pass, graph: Graph) -> Graph:
        """Applies a pass and takes note of it."""
        with self.timed(step.name):
            graph = step.apply(graph)
        if VERIFY in os.environ:
            graph.verify()
        self.graphs[step.name] = graph
        return graph

    def forget(self) -> None:
        """Lets go of all graphs but the one that was traced, of which they can be made again: large programs have many
        nodes, and these forms of them are just for reading."""
        self.graphs = {"trace": self.graphs["trace"]}

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Takes note of how long something took."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def simplified(graph: Graph, stages: Stages) -> Graph:
    """A traced graph, ready to be differentiated."""
    stages.graphs["trace"] = graph
    for step in SIMPLIFY:
        graph = stages.run(step, graph)
    return graph


def calculation(graph: Graph, wanted: Wanted, stages: Stages) -> Graph:
    """The graph that calculates what is wanted of a traced one.

    Returns:
        A graph whose outputs are those of the traced one, then for each of these in turn its first derivatives in the
        order of `wrt`, then for each of those its second derivatives. With `reduce`, values and derivatives by what
        all samples share are sums or means over the samples, and derivatives by batched inputs are each sample's own.
    """
    if wanted.exact:
        stages.graphs["trace"] = graph
        for step in SIMPLIFY_EXACTLY:
            graph = stages.run(step, graph)
    else:
        graph = simplified(graph, stages)
    return derived(graph, wanted, stages)


def derived(graph: Graph, wanted: Wanted, stages: Stages) -> Graph:
    """As `calculation`, of a graph that is simplified already."""
    if not wanted.exact:
        with stages.timed("look for loops"):
            stages.regular = is_regular(graph)
    graph = stages.run(Pass("differentiate", functools.partial(_with_derivatives, wanted=wanted)), graph)
    for step in TIDY_EXACTLY if wanted.exact else TIDY if stages.regular else TIDY_IRREGULAR:
        graph = stages.run(step, graph)
    return graph


def _with_derivatives(graph: Graph, wanted: Wanted) -> Graph:
    """The graph with the derivatives of its outputs among these, and with the sums over samples."""
    graph = graph.copy()
    values = list(graph.outputs)
    found, latest = list(values), list(values)
    one = graph.constant(1.0)
    for order in range(wanted.order):
        latest = [d for output in latest for d in differentiate(graph, output, wanted.wrt, wanted.exact)]
        if wanted.exact and order:
            # each transform has variables of its own, and a derivative's way out to the next one's makes 0.0 of -0.0
            latest = [plain(graph, ops.chain, (d, one)) for d in latest]
        found += latest
    if wanted.reduce is not None:
        own = latest_own = [False] * len(values)
        for _ in range(wanted.order):
            latest_own = [before or node in graph.batched for before in latest_own for node in wanted.wrt]
            own = own + latest_own
        samples = graph.names.index(SAMPLES) if wanted.reduce == "mean" else None
        found = [_reduced(graph, node, one, samples) for node, one in zip(found, own, strict=True)]
    graph.outputs = found
    return graph


def _reduced(graph: Graph, node: int, own: bool, samples: int | None) -> int:
    """One sample's result as that of all: their sum, or the mean, with the input `samples` as their number. A
    derivative by a batched input stays each one's `own`."""
    if not own:
        node = graph.add(BATCH_SUM, node)
    return node if samples is None else graph.add(ops.div, node, samples)


def loops_of(graph: Graph, target: Target, stages: Stages) -> Plan | None:
    """A graph as loops, ready to be written down as native code; None if too little of it repeats itself."""
    if not stages.regular:
        stages.no_loops = "hardly any two expressions have the same shape"
        return None
    if untold := _without_native_code(graph, target):
        stages.no_loops = f"there is no native code for {', '.join(untold)}"
        return None
    with stages.timed("group"):
        grouping = group_with_recurrences(graph)
    if len(grouping.groups) > most_groups(graph):
        stages.no_loops = _too_many(grouping)
        return None
    with stages.timed("loops"):
        try:
            program = to_program(graph, grouping)
        except NoLoopsError:  # what looked like a chain is none
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
    """The operations of the user's own that Python has to calculate, which loops cannot call."""
    kinds = {id(op): op for op in graph.ops if op is not None}
    own = {key for key, op in kinds.items() if op is not BATCH_SUM and not op.built_in}
    if not own:
        return []
    rows = {(op, len(row)) for op, row in zip(graph.ops, graph.operands, strict=True) if id(op) in own}
    return sorted({op.name for op, count in rows if op and not is_lowered(op, count, target.bits, False)})


def _too_many(grouping: Grouping) -> str:
    return f"its expressions have {len(grouping.groups):,} different shapes"


SMALL = 500
"""A graph of so few nodes is levelised: there is too little in it for loops to pay."""


@dataclass(frozen=True)
class Target:
    """For what native code is made.

    Attributes:
        bits: the size of a number.
        threads: among how many threads large batches are shared out.
        memory_limit: how many bytes loops may keep for the reverse sweep; see `plan`.
        machine: the CPU.
        checked: whether native code looks at each address of its own; see `chainrule.compiler.native.memory.BOUNDS`.
    """

    bits: int = 64
    threads: int = 1
    memory_limit: int = MEMORY_LIMIT
    machine: Machine = field(default_factory=Machine.default)
    checked: bool = field(default_factory=is_checked)


def build(graph: Graph, wanted: Wanted, stages: Stages, target: Target) -> Kernel:
    """The kernel that calculates what is wanted of a traced graph, by the whole pipeline."""
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
        bits = 64 if wanted.exact else target.bits  # the eager engine's
        return compile_graph(graph, target.machine, bits, wanted.exact, target.threads)


LARGE = 500_000
"""Modules with more characters than that get fewer of LLVM's passes, which take longer on them than they save."""


def loop_kernel(planned: Plan, target: Target, stages: Stages) -> LoopKernel:
    """The kernel of loops."""
    with stages.timed("native code"):
        text = str(module_of(planned, target.machine, target.bits, target.checked))
        object_code = cached_object(text, target.machine, 2 if len(text) < LARGE else 1)
    return LoopKernel(planned, object_code, target.machine, target.bits, target.threads)
