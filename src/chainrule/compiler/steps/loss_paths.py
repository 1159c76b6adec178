"""The control-flow paths of a loss: traces and compiles it for each structure of arguments, and keeps the results."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import refuse_shared
from chainrule.compiler.calling.paths import AHEAD, name_of, spread
from chainrule.compiler.calling.structures import ALWAYS_NEW, MANY, changing, let_go
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.passes.batches import SAMPLES
from chainrule.compiler.loops.codegen.kernel import Bound, LoopKernel
from chainrule.compiler.native.kernel import Kernel
from chainrule.compiler.pipeline import Stages, Wanted, derived, loop_kernel, loops_of, simplified
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import count_in_python, count_levelised
from chainrule.compiler.reports.report import GraphView
from chainrule.compiler.steps.batch import Batch
from chainrule.compiler.steps.length_families import Shortening, shortening, with_free_constants
from chainrule.compiler.steps.levelised_loss import LevelisedBound, LevelisedKernel
from chainrule.compiler.steps.options import Options
from chainrule.compiler.trace.cut_gradients import flowing, made_before, made_of
from chainrule.compiler.trace.randomness import traced_surely
from chainrule.compiler.trace.tracing import Traced, trace
from chainrule.core.collector import collector_paused
from chainrule.engine import Value
from chainrule.errors import OperandError, TraceError
from chainrule.transforms import gradients

CLOSE, CLOSE_32 = 1e-9, 1e-3
"""How far loss and gradients for a shorter list may be from the eager engine's, relative to the largest of them; the
second is for 32-bit floats."""


def as_value(loss: Any) -> Value:
    """Converts the result of a loss to a Value; it is a plain number if it depends on no parameter."""
    return loss if isinstance(loss, Value) else Value(loss)


@dataclass(eq=False)
class Path:
    """One control-flow path of a loss, for arguments of one structure. Places are indices into the kernel's `shared`.

    Attributes:
        kernel: calculates the loss, then the gradient of each parameter.
        places: the places of the numbers of the arguments that all samples share.
        live: the Values other than parameters that the loss closes over, with their places.
        parameters: the places of the parameters.
        samples: the place of the number of samples, if there is a batch.
        sample: the arguments at which the kernel's graph was traced.
        lanes: how many lanes the kernel runs with; None for as many as it was compiled for.
        constants, constant_places: the numbers that depend on the length of lists, and their places. They are written
            at each step, like the arguments, since several paths may share a kernel and its memory.
        stages: the forms of the graph on the way to the kernel.
        view: the graph in all its forms.
        doubted: whether the kernel once evaluated a guard differently from Python, because of rounding.
        exact: the exact kernels, by what they calculate.
    """

    kernel: LoopKernel | LevelisedKernel
    places: np.ndarray
    live: list[tuple[Value, int]]
    parameters: np.ndarray
    samples: int | None
    stages: Stages
    view: GraphView
    sample: list[Any]
    lanes: int | None
    constants: np.ndarray
    constant_places: np.ndarray
    doubted: bool = False
    exact: dict[Wanted, Kernel] = field(default_factory=dict)

    @property
    def operations(self) -> int:
        """The number of operations of a run; for a batch, for one sample."""
        own = self.kernel.kernel if isinstance(self.kernel, LevelisedKernel) else self.kernel
        return own.operations_per_call

    def bind(self, columns: np.ndarray | None, like: Bound | LevelisedBound | None = None) -> Bound | LevelisedBound:
        """Binds the kernel to columns, with memory of its own or that of `like`, another bound kernel."""
        if isinstance(self.kernel, LoopKernel):
            bound: Bound | LevelisedBound = self.kernel.bind(columns, like if isinstance(like, Bound) else None)
        else:
            bound = self.kernel.bind(columns)
        if self.lanes is not None:
            bound.samples = self.lanes
        return bound

    def run(self, bound: Bound | LevelisedBound, numbers: Sequence[float], parameters: Any) -> np.ndarray:
        """Calculates the loss and the gradients: float[1 + parameters]. Then `bound.held()` says for which samples all
        guards held."""
        shared = bound.shared
        shared[self.places] = numbers
        shared[self.constant_places] = self.constants
        shared[self.parameters] = parameters
        for value, place in self.live:
            shared[place] = value.data
        if self.samples is not None:
            shared[self.samples] = bound.samples
        bound.run()
        return shared[self.kernel.places]


@dataclass
class _Template:
    """The trace at the longest lists of a family; the shorter ones may run in its kernel.

    Attributes:
        graph: its simplified graph, before derivatives.
        live: the Values that it closes over.
        free: the constants that are inputs of the kernel, in the order of these inputs.
        path: its path.
    """

    graph: Graph
    live: list[Value]
    free: list[int]
    path: Path


class Paths:
    """All control-flow paths of a loss.

    Attributes:
        known: the paths for each structure of arguments, which is the key of a `Batch`.
        templates: the template of each family of structures.
        changes: whether the loss was seen to change its arguments.
    """

    def __init__(
        self, loss: Callable, parameters: Sequence[Value], options: Options, fallbacks: Fallbacks | None = None
    ) -> None:
        self.loss, self.parameters, self.options = loss, list(parameters), options
        self.target, self.reduce, self.max_traces = options.target, options.reduce, options.max_traces
        self.fallbacks = fallbacks or Fallbacks(name_of(loss))
        self.known: dict[Any, list[Path]] = {}
        self.templates: dict[Any, _Template] = {}
        self.traces = self.kernels = self.steps = self._new = self._counted = 0
        self.changes = False
        self.set_up_seconds = 0.0

    def prepare(self, batches: Sequence[Batch]) -> bool:
        """Traces and compiles the loss for batches of unknown structures. Those that differ only in the lengths of
        lists are compiled together.

        Returns:
            Whether other structures were dropped to make room.
        """
        missing = [batch for batch in batches if batch.key not in self.known]
        if not missing:
            return False
        families: dict[Any, dict[Any, Batch]] = {}
        for batch in missing:
            families.setdefault(batch.family, {}).setdefault(batch.key, batch)
        start = time.perf_counter()
        with collector_paused():
            for family, members in families.items():
                self._add_family(family, sorted(members.values(), key=lambda batch: -len(batch.numbers)))
        self.set_up_seconds += time.perf_counter() - start
        self._new += sum(map(len, families.values()))
        if self._new >= MANY and 2 * self._new > self.steps:
            self.fallbacks.met(ALWAYS_NEW, self._new - self._counted, where=self._changing)
            self._counted = self._new
        return self._let_go({batch.key for batch in batches})

    def used(self, key: Any) -> None:
        """Marks the structure as the one used last."""
        if len(self.known) > 1:
            self.known[key] = self.known.pop(key)

    def _let_go(self, needed: set[Any]) -> bool:
        """Drops the least recently used structures if there are too many, but none that is `needed`; returns whether it
        dropped any."""
        most = self.options.max_structures
        over = [key for key in self.known if key not in needed][: max(0, len(self.known) - most)]
        if not over:
            return False
        dropped = {id(path) for key in over for path in self.known.pop(key)}
        self.templates = {key: one for key, one in self.templates.items() if id(one.path) not in dropped}
        self.fallbacks.met(let_go(most), len(over), where=self._changing)
        return True

    def _changing(self) -> str:
        latest = [self.known[key][0].sample for key in list(self.known)[-2:]]
        return changing([structures for structures, _ in self.known], latest[0], latest[-1])

    def add(self, batch: Batch, sample: int = 0) -> Path:
        """Traces the loss at one sample of a batch, and compiles and adds the path. If a known path has the same trace,
        returns that: its kernel evaluated a guard differently from Python, because of rounding."""
        paths = self.known.get(batch.key, [])
        stages = Stages()
        graph, live = self._simplified(batch, stages, sample)
        for path in paths:
            if path.stages.graphs["trace"] == stages.graphs["trace"]:
                return path
        known = [*[path.stages.graphs["trace"] for path in paths], stages.graphs["trace"]]
        if len(known) > 1 and batch.columns is not None:
            self._trace_ahead(batch, known)
        if len(known) > self.max_traces:
            raise TraceError(
                f"the loss went {self.max_traces} different ways, which is the most there may be: say its branches by "
                "best = chainrule.min(best, d) in place of `if d < best: best = d`, by chainrule.select, relu or max; "
                "let them depend on fewer numbers; or give max_traces=…"
            )
        path = self._compiled(graph, live, batch, stages)
        self.known.setdefault(batch.key, []).insert(0, path)  # only now, so that a failure leaves nothing behind
        return path

    def _trace_ahead(self, batch: Batch, known: list[Graph]) -> None:
        """Adds to the known traces those of more samples, until no new ones come or there are too many: that is to be
        said before there is a kernel for each."""
        assert batch.columns is not None
        row = 0
        for sample in spread(batch.columns.shape[1], 8 * self.max_traces):
            graph = self._traced(batch, sample).graph
            row = row + 1 if graph in known else 0
            if not row:
                known.append(graph)
            if row >= AHEAD * len(known) or len(known) > self.max_traces:
                return

    # ---- families ----
    def _add_family(self, family: Any, batches: list[Batch]) -> None:
        template = self.templates.get(family)
        if template is None and (len(batches) == 1 or batches[0].columns is not None):
            for batch in batches:
                self.add(batch)
            return
        shorter: list[tuple[Batch, Shortening]] = []
        long = template.graph if template else None
        for batch in batches:
            stages = Stages()
            graph, live = self._simplified(batch, stages)
            if long is None:
                long, first = graph, (batch, live, stages)
                continue
            found = shortening(graph, long)
            if found is not None and found.full:
                shorter.append((batch, found))
        if template is None and long is not None:
            free = sorted({node for _, found in shorter for node in found.constants})
            template = self._template(long, free, *first)
            self.templates[family] = template
            self.known[first[0].key] = [template.path]
        assert template is not None
        for batch, found in shorter:
            path = self._shortened(template, found, batch)
            if path is not None and self._as_eager(path, batch):
                self.known[batch.key] = [path]
        for batch in batches:
            if batch.key not in self.known:
                self.add(batch)

    def _template(self, graph: Graph, free: list[int], batch: Batch, live: list[Value], stages: Stages) -> _Template:
        path = self._compiled(graph, live, batch, stages, free)
        path.constants = np.array([graph.numbers[node] for node in free])
        return _Template(graph, live, free, path)

    def _shortened(self, template: _Template, found: Shortening, batch: Batch) -> Path | None:
        """Returns a path that runs the template's kernel with fewer lanes; None if that is not possible."""
        path = template.path
        if isinstance(path.kernel, LevelisedKernel):
            return None
        program = path.kernel.plan.program
        if not program.crosses_lanes or program.lanes != found.full or not found.constants.keys() <= set(template.free):
            return None
        constants = [found.constants.get(node, x) for node, x in zip(template.free, path.constants, strict=True)]
        places = path.places[: len(batch.numbers)]
        return replace(path, places=places, lanes=found.kept, constants=np.array(constants))

    def _as_eager(self, path: Path, batch: Batch) -> bool:
        """Returns whether a path finds the same loss and gradients as the eager engine, at the parameters' present
        numbers."""
        found = path.run(path.bind(None), batch.numbers, [p.data for p in self.parameters])
        loss = as_value(self.loss(*batch.sample))
        wanted = np.array([loss.data, *gradients(loss, self.parameters)])
        close = CLOSE if self.target.bits == 64 else CLOSE_32
        return bool(np.abs(found - wanted).max() <= close * max(1.0, np.abs(wanted).max()))

    # ---- tracing and compiling ----
    def _simplified(self, batch: Batch, stages: Stages, sample: int = 0) -> tuple[Graph, list[Value]]:
        with stages.timed("trace"):
            traced = self._traced(batch, sample)
        self.traces += 1
        below = made_of(flowing(traced))
        for parameter in self.parameters:
            if id(parameter) in below:
                raise TraceError(made_before("the loss", below[id(parameter)], parameter))
        if not isinstance(traced.result, int):
            raise OperandError("a loss must return one number: a mean or a sum of what it has for the samples")
        return simplified(traced.graph, stages), traced.live

    def _traced(self, batch: Batch, sample: int) -> Traced:
        def again(like: Traced | None) -> Traced:
            return trace(self.loss, batch.sample_at(sample), batch.batched, self.parameters, like)

        traced = traced_surely("the loss", self.loss, again, (self.loss, batch.sample_at(sample)))
        self.changes |= traced.changes
        self.refuse_shared([batch])
        return traced

    def refuse_shared(self, batches: Sequence[Batch]) -> None:
        """Refuses arguments in which a list occurs twice, if the loss changes its arguments."""
        if self.changes:
            for batch in batches:
                refuse_shared(batch.arguments, "the loss")

    def _compiled(
        self, graph: Graph, live: list[Value], batch: Batch, stages: Stages, free: Sequence[int] = ()
    ) -> Path:
        """Compiles a simplified graph to a path. The constants in `free` become its last inputs."""
        count, first, batched = len(self.parameters), graph.arguments, batch.columns is not None
        wanted = Wanted(1, tuple(range(first, first + count)), self.reduce if batched else None)

        def calculating(graph: Graph, stages: Stages) -> Graph:
            if free:
                graph = with_free_constants(graph, list(free))
            return derived(graph.with_input(SAMPLES) if batched else graph, wanted, stages)

        def again() -> Stages:
            fresh = Stages()
            calculating(simplified(stages.graphs["trace"], fresh), fresh)
            return fresh

        graph = calculating(graph, stages)
        kernel, order = self._kernel(graph, stages)
        inputs, shared = graph.inputs, [i for i in range(graph.inputs) if i not in graph.batched]
        place = dict(zip(shared, order, strict=True))
        stages.forget()
        return Path(
            kernel=kernel,
            places=np.array([place[i] for i in shared if i < first], dtype=np.intp),
            live=[(live[j], place[first + j]) for j in range(count, len(live))],
            parameters=np.array([place[first + j] for j in range(count)], dtype=np.intp),
            samples=place[inputs - 1] if batched else None,
            stages=stages,
            view=GraphView(stages, again),
            sample=batch.sample,
            lanes=None,
            constants=np.full(len(free), math.nan),
            constant_places=np.array([place[i] for i in range(inputs - len(free), inputs)], dtype=np.intp),
        )

    def _kernel(self, graph: Graph, stages: Stages) -> tuple[LoopKernel | LevelisedKernel, list[int]]:
        """Compiles a graph. Returns the kernel, and the place in its memory of each input that all samples share."""
        self.kernels += 1
        planned = loops_of(graph, self.target, stages)
        if planned is not None:
            return loop_kernel(planned, self.target, stages), np.argsort(planned.program.order).tolist()
        with stages.timed("levels"):
            kernel = LevelisedKernel(graph, self.target.machine, self.target.bits)
        count_in_python(kernel.kernel, self.fallbacks)
        count_levelised(kernel.kernel, stages, self.fallbacks)
        return kernel, [i for i in range(graph.inputs) if i not in graph.batched]
