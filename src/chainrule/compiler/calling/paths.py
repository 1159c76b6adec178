"""The control-flow paths of a function. Each is a trace with its guards, and the kernels that were compiled from it.

A path serves all arguments of its structure at which Python's questions (`if`, `while`, `sorted`, …) get the same
answers as when it was traced. A kernel says whether they do; if not, another path is tried, or a new one is traced.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.compiler.calling.layouts import Layout
from chainrule.compiler.calling.leaves import read_data
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.passes.batches import SAMPLES
from chainrule.compiler.native.cache import watched
from chainrule.compiler.native.kernel import Kernel
from chainrule.compiler.pipeline import Stages, Target, Wanted, build, calculation
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import count_in_python, count_levelised
from chainrule.compiler.reports.report import GraphView
from chainrule.compiler.trace.cut_gradients import refuse_cuts
from chainrule.compiler.trace.randomness import Held, traced_surely
from chainrule.compiler.trace.source_lines import trace_with_lines
from chainrule.compiler.trace.tracing import Traced, trace
from chainrule.core.collector import collector_paused
from chainrule.core.forks import renewed_in_child
from chainrule.core.operation import is_number
from chainrule.core.trees import leaves
from chainrule.engine import Value
from chainrule.errors import OperandError, TraceError, shown

AHEAD = 2
"""If samples go several ways, more of them are traced ahead until so many in a row for each known way go known ways."""


def spread(samples: int, count: int) -> list[int]:
    """Some of a number of samples, spread evenly among them however many of these are used.

    >>> spread(100, 5)
    [0, 61, 23, 85, 47]
    """
    golden = (5**0.5 - 1) / 2
    return [int(i * golden % 1 * samples) for i in range(count)]


@dataclass(frozen=True)
class Made:
    """A kernel, and how it came about.

    Attributes:
        kernel: calculates the wanted results.
        view: the graph in all its forms.
        stages: the forms of the graph on the way to the kernel.
        varies: for each output, whether it differs from sample to sample.
        cached: for each module of native code, whether it came from the cache on disk.
    """

    kernel: Kernel
    view: GraphView
    stages: Stages
    varies: np.ndarray
    cached: list[bool]


@dataclass(eq=False)
class Path:
    """One control-flow path of a function.

    Attributes:
        traced: the trace.
        layout: of the arguments at which it was traced.
        own: their numbers.
        graph: the trace's graph, with only the guards that may fail; for a batch, with the number of samples as one
            more input.
        outcomes: the answers to all of Python's questions, in order.
        seconds: how long tracing took.
        made: the kernels, by what they calculate.
        mixed: whether its guards held for only some of the samples of the last batch.
        doubted: whether its kernel once evaluated a guard differently from Python, because of rounding.
    """

    traced: Traced
    layout: Layout
    own: list[float]
    graph: Graph
    outcomes: list[bool]
    seconds: float
    made: dict[Wanted, Made] = field(default_factory=dict)
    mixed: bool = False
    doubted: bool = False

    @property
    def live(self) -> list[Value]:
        """The Values that the function closes over."""
        return self.traced.live

    def numbers(self, own: np.ndarray, samples: int = 0) -> np.ndarray:
        """The inputs of the path's kernels: the numbers of the arguments, those of live Values, and for a batch the
        number of samples."""
        live, batched = self.traced.live, bool(self.graph.batched)
        if not live and not batched:
            return own
        inputs = np.empty(len(own) + len(live) + batched)
        inputs[: len(own)] = own
        read_data(live, inputs[len(own) :])
        if batched:
            inputs[-1] = samples
        return inputs


class Paths:
    """All control-flow paths of a function.

    Args:
        function: the function.
        most: the largest number of paths for arguments of one structure.
        target: the machine that native code is compiled for.
        fallbacks: counts the operations that Python calculates.
        strict: whether the user asked for exact kernels; only then are they counted.

    Attributes:
        count: the number of paths that were ever added.
        lock: is held while paths are added or removed.
    """

    def __init__(self, function: Callable, most: int, target: Target, fallbacks: Fallbacks, strict: bool) -> None:
        self.function, self.most, self.target, self.fallbacks = function, most, target, fallbacks
        self.strict = strict
        self.count = 0
        self.changes = False  # whether the function was seen to change its arguments
        self._known: dict[Any, list[Path]] = {}
        self.after_fork()
        renewed_in_child(self)

    def after_fork(self) -> None:
        self.lock = threading.RLock()

    def of(self, key: Any) -> list[Path]:
        """The paths for arguments of one structure, the one used last first."""
        return self._known.setdefault(key, [])

    def forget(self, paths: list[Path]) -> None:
        """Forgets the paths for arguments of one structure. A thread that is running one keeps it."""
        with self.lock:
            self._known = {key: kept for key, kept in self._known.items() if kept is not paths}

    def forget_unmade(self, paths: list[Path]) -> None:
        """Forgets those of some paths that have no kernel."""
        with self.lock:
            paths[:] = [path for path in paths if path.made]

    def put_first(self, paths: list[Path], path: Path) -> None:
        """Moves a path to the front, so that it is tried first. Other threads may be reading the list."""
        with self.lock:
            paths[:] = [path, *[other for other in paths if other is not path]]

    def made(self, path: Path, wanted: Wanted) -> Made:
        """The kernel of a path for the wanted results; it is compiled at the first request."""
        made = path.made.get(wanted)
        if made is None:
            with self.lock, collector_paused():
                if wanted not in path.made:
                    path.made[wanted] = self._make(path, wanted)
                made = path.made[wanted]
        return made

    def _make(self, path: Path, wanted: Wanted) -> Made:
        refuse_cuts(path.traced, wanted.wrt, name_of(self.function))
        graph, stages = path.graph, Stages(seconds={"trace": path.seconds})
        with watched() as cached:
            kernel = build(graph, wanted, stages, self.target)
        if self.strict or not wanted.exact:  # what is done again exactly is counted by its own reason
            count_in_python(kernel, self.fallbacks)
        if not wanted.exact:
            count_levelised(kernel, stages, self.fallbacks)
        *_, last = stages.graphs.values()
        stages.forget()
        varying = last.varying() if last.batched else [False] * len(last)
        varies = np.array([varying[node] for node in last.outputs], dtype=bool)
        return Made(kernel, GraphView(stages, functools.partial(_again, graph, wanted)), stages, varies, cached)

    def add(self, paths: list[Path], layout: Layout, numbers: list[float]) -> Path:
        """Traces the function at these numbers.

        Returns:
            The new path, which is now the first; or a known path with the same trace, whose kernel evaluated a guard
            differently from Python, because of rounding.

        Raises:
            TraceError: there are too many paths.
        """
        with collector_paused():
            start = time.perf_counter()
            # without the lock, since the user's function may wait for a thread that wants it; two threads that come at
            # the same time trace the same, and the second one's is dropped
            traced = self._traced(layout, numbers)
            self.changes |= traced.changes
            seconds = time.perf_counter() - start
        with self.lock:
            for path in paths:
                if _same(path.traced, traced):
                    return path
            if len(paths) < self.most:
                outcomes = [truth for _, truth in traced.graph.guards]
                path = Path(traced, layout, numbers, with_guards_that_may_fail(traced.graph), outcomes, seconds)
                if path.graph.batched:
                    path.graph = path.graph.with_input(SAMPLES)
                paths.insert(0, path)
                self.count += 1
                return path
        raise TraceError(self._too_many(traced, paths, layout, layout.sample(numbers)))

    def _traced(self, layout: Layout, numbers: list[float]) -> Traced:
        function = _checked(self.function, layout.named)

        def traced(layout: Layout, like: Traced | None = None) -> Traced:
            return trace(function, layout.sample(numbers), layout.batched, layout.live, like)

        # samples of a batch share what it drew
        held = None if layout.batched else Held(layout.held, lambda of=layout: of.copied(), traced)
        arguments = function, layout.sample(numbers)
        return traced_surely(name_of(self.function), self.function, lambda like: traced(layout, like), arguments, held)

    def _too_many(self, traced: Traced, paths: list[Path], layout: Layout, sample: list[Any]) -> str:
        """The text of the error, with the line at which the paths separate."""
        name = name_of(self.function)
        new, before = [truth for _, truth in traced.graph.guards], paths[0].outcomes
        parts = next((i for i, (a, b) in enumerate(zip(new, before, strict=False)) if a != b), None)
        asked = trace_with_lines(_checked(self.function, layout.named), sample).asked_at
        where = f" The last two part at {asked[parts]}." if parts is not None and parts < len(asked) else ""
        return (
            f"{name} went {len(paths)} different ways for arguments of one structure, and here would be one more."
            f"{where} Say such a branch by what needs no trace of its own: best = chainrule.min(best, d) in place of "
            "`if d < best: best = d` and of Python's own min (likewise max), select(condition, a, b), relu, or "
            "take(xs, i) for xs[i], as in take(xs, argmax(ys)); let it depend on fewer numbers; or allow more ways: "
            f"chainrule.compile({name}, max_traces={4 * len(paths)})"
        )


def _again(graph: Graph, wanted: Wanted) -> Stages:
    stages = Stages()
    calculation(graph, wanted, stages)
    return stages


def name_of(function: Callable) -> str:
    """The name of a function in messages."""
    return getattr(function, "__name__", type(function).__name__)


def by_position(function: Callable, named: tuple[str, ...]) -> Callable:
    """The function with its last arguments, which it accepts only by name, taken by position."""
    if not named:
        return function
    at = -len(named)
    return lambda *given: function(*given[:at], **dict(zip(named, given[at:], strict=True)))


def _checked(function: Callable, named: tuple[str, ...]) -> Callable:
    """The function, with errors that say what to do instead of what a compiled function cannot do."""
    given_by_position = by_position(function, named)

    @functools.wraps(function, updated=())
    def call(*given: Any) -> Any:
        try:
            out = given_by_position(*given)
        except TypeError as error:
            if "ufunc" in str(error):
                error.add_note(
                    "NumPy calls methods of what an array holds, x.exp() for numpy.exp(x), and plain numbers have "
                    "none: chainrule.exp(x) goes through an array, too, and knows both"
                )
            raise
        for leaf in leaves(out):
            if not is_number(leaf):
                raise OperandError(_not_a_result(name_of(function), leaf))
        return out

    return call


def _not_a_result(name: str, leaf: Any) -> str:
    if leaf is None:
        return f"{name} returned None: does it lack its return?"
    mended = "x.tolist()" if hasattr(leaf, "tolist") else "lists, tuples and dicts of them"
    return f"{name} returned the {type(leaf).__name__} {shown(leaf, 40)}: return numbers, or {mended}"


def _same(a: Traced, b: Traced) -> bool:
    alike = a.graph == b.graph and a.result == b.result
    return alike and list(map(id, a.live)) == list(map(id, b.live))


def with_guards_that_may_fail(graph: Graph) -> Graph:
    """The graph with each question once, such as `i >= 0` of one i, and without guards on numbers that depend on no
    input, since these never change."""
    if not graph.guards:
        return graph
    moves = [True] * graph.inputs
    for operands in graph.operands[graph.inputs :]:
        moves.append(any(moves[k] for k in operands))
    asked = {_question(graph, node): (node, truth) for node, truth in reversed(graph.guards) if moves[node]}
    return replace(graph, guards=list(reversed(asked.values())))


def _question(graph: Graph, node: int) -> Any:
    """What a guard asks: an operation, with its operands, of which constants are equal if their numbers are."""
    operands = [("constant", graph.numbers[k]) if graph.is_constant(k) else k for k in graph.operands[node]]
    return (graph.ops[node].code, *operands) if graph.ops[node] is not None else node  # type: ignore[union-attr]
