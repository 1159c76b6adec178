"""The kernel of a levelised graph: its plan, its native code, and memory for each call in progress."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.batch import FRAME
from chainrule.compiler.levels.emit import build, is_lowered
from chainrule.compiler.levels.schedule import BatchPlan, Plan, schedule
from chainrule.compiler.levels.sections import Field, Section
from chainrule.compiler.levels.segments import VARIADIC, Kind
from chainrule.compiler.levels.table_bounds import check_plan
from chainrule.compiler.native.kernel import Floats, Held, Native
from chainrule.compiler.native.llvm import Machine, load
from chainrule.compiler.native.memory import aligned, for_native_code, is_checked, too_large_is_infinite
from chainrule.compiler.native.threads import ThreadPool
from chainrule.errors import SizeError

CACHE = 2**20
"""The most bytes of a block, so that it stays in the CPU's second-level cache."""

FEWEST_VECTORS, MOST_VECTORS = 2, 16
"""The fewest and the most vectors of a row, whatever the size of the cache."""

_P, _N = ctypes.c_void_p, ctypes.c_int64
_SHARED = ctypes.CFUNCTYPE(ctypes.c_int32, _P, _P, _N, _P, _N, _N, _P)
_BATCH = ctypes.CFUNCTYPE(ctypes.c_int32, _P)


def compile_graph(
    graph: Graph, machine: Machine | None = None, bits: int = 64, exact: bool = False, threads: int = 1
) -> LevelKernel:
    """Compiles a graph to a kernel.

    Args:
        graph: what to calculate.
        machine: the CPU to compile for; by default `Machine.default()`.
        bits: the size of a number, 64 or 32.
        exact: whether results must have the bits of the table's own arithmetic.
        threads: how many threads share large batches; exact sums use one.

    Raises:
        ArgumentError: 32 bits were asked to be exact.
        GraphError: a node differs from sample to sample and depends on a sum over them.

    >>> from chainrule import ops
    >>> graph = Graph.of_inputs(["x", "y"])
    >>> graph.outputs = [graph.add(ops.sin, graph.add(ops.mul, 0, 1))]
    >>> shared, each, held = compile_graph(graph).run(np.array([3.0, 0.0]))
    >>> shared.tolist(), each.shape, held
    ([0.0], (0, 0), True)
    """
    machine = machine or Machine.default()
    plan = schedule(graph, machine.lanes(bits), exact)
    return LevelKernel(plan, build(plan, machine, bits), bits, 1 if exact else threads)


class LevelKernel:
    """A levelised graph, ready to run; see `chainrule.compiler.native.kernel.Kernel`.

    Args:
        plan: what `schedule` made of the graph.
        object_code: what `build` made, for this plan or another one of the same kinds.
        bits: the size of a number, 64 or 32, as given to `build`.
        threads: how many threads share large batches.

    Attributes:
        in_python: the operations that Python calculates.
        on_python: called after each run with the number of operations that Python calculated, if there are such
            operations.
    """

    def __init__(self, plan: Plan, object_code: bytes, bits: int = 64, threads: int = 1) -> None:
        check_plan(plan)
        self.plan, self.object_code, self.bits, self.threads = plan, object_code, bits, threads
        self._threads = ThreadPool(threads)
        self._checked = is_checked()
        self._library = load(object_code)
        self._shared = _SHARED(self._library.address("levels_shared"))
        self._batch = _BATCH(self._library.address("levels_batch")) if plan.batch else None
        self._errors: dict[int, BaseException] = {}
        self._done = [0]
        self._python = _in_python(self._kinds(), len(plan.kinds), self._errors, bits, self._done)
        slow = [kind.op for kind in self._kinds() if not is_lowered(kind.op, kind.arity, bits, plan.exact)]
        self.in_python = list({id(op): op for op in slow}.values())
        self.on_python: Callable[[int], object] | None = None
        self._free: list[_Memory] = []
        self._inputs = (plan.inputs,)
        self._outputs = plan.shared.astype(np.intp)

    def run(self, numbers: Floats, columns: Floats | None = None) -> tuple[Floats, Floats, Held]:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        if numbers.shape != self._inputs:
            raise SizeError(f"the graph has {self.plan.inputs} inputs, but numbers have the shape {numbers.shape}")
        memory = self._memory()
        with too_large_is_infinite(memory.inputs.dtype):
            memory.inputs[:] = numbers
        each, held = self._calculate(memory, columns)
        if self.on_python is not None:
            done, self._done[0] = self._done[0], 0
            self.on_python(done)
        shared = memory.values.take(self._outputs)
        if self.bits != 64:
            shared = shared.astype(np.float64)
        if self.plan.guards is not None:
            held = held & bool(memory.values[self.plan.guards] == 0.0)
        self._free.append(memory)
        return shared, each, held

    def native(self) -> Native | None:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        plan = self.plan
        if self.bits != 64 or plan.batch is not None or self.in_python or self._checked:
            return None

        guards = [] if plan.guards is None else [(int(plan.guards), False)]
        return Native(
            self._library.address("levels_shared"),
            *(self._free, self._memory, lambda memory: (memory.before, memory.before[0])),
            *(list(range(plan.inputs)), self._outputs.tolist(), guards),
        )

    def native_batch(self) -> None:
        """See `chainrule.compiler.native.kernel.Kernel`."""

    def _memory(self) -> _Memory:
        """Memory that no other call uses; it goes back to `_free` afterwards."""
        try:
            return self._free.pop()
        except IndexError:
            return _Memory(self.plan, self.bits, ctypes.cast(self._python, _P).value or 0)

    def _calculate(self, memory: _Memory, columns: Floats | None) -> tuple[Floats, Any]:
        """Fills the slots.

        Returns:
            What differs from sample to sample, and for each sample whether its guards held.
        """
        batch = self.plan.batch
        if batch is None or self._batch is None:
            if columns is not None and columns.size:
                raise SizeError("no input of the graph is batched, but columns were given")
            self._check(self._shared(*memory.before), memory.values)
            return _NOTHING, True
        if columns is None or columns.ndim != 2 or len(columns) != batch.batched:
            shape = None if columns is None else columns.shape
            raise SizeError(f"the graph has {batch.batched} batched inputs, but columns have the shape {shape}")
        columns = for_native_code(np.ascontiguousarray(columns, np.float64), self._checked)
        samples = columns.shape[1]
        each = for_native_code(np.empty((len(batch.each), samples)), self._checked)
        if self.plan.before.segments.size:
            self._check(self._shared(*memory.before), memory.values)
        parts = min(self.threads, samples // (4 * _width(batch, self.plan.lanes, self.bits)))
        if parts > 1:
            self._in_threads(memory, columns, each, parts)
        else:
            memory.prepare(columns, each)
            self._check(self._batch(memory.frame_address), memory.block)
        if self.plan.after.segments.size:
            self._check(self._shared(*memory.after), memory.values)
        held = each[-1] == 0.0 if batch.guards else np.ones(samples, np.bool_)
        return each[:-1] if batch.guards else each, held

    def _in_threads(self, memory: _Memory, columns: Floats, each: Floats, parts: int) -> None:
        """Shares the samples among threads; each has memory and partial sums of its own, which are added up at the
        end."""
        assert self._batch is not None
        native, workers = self._batch, [self._memory() for _ in range(parts)]
        bounds = [columns.shape[1] * part // parts for part in range(parts + 1)]

        def calculate(worker: _Memory, start: int, end: int) -> int:
            worker.values[:] = memory.values
            results = for_native_code(np.empty((len(each), end - start)), self._checked)
            inputs = for_native_code(np.ascontiguousarray(columns[:, start:end]), self._checked)
            worker.prepare(inputs, results)
            status = native(worker.frame_address)
            each[:, start:end] = results
            return status

        statuses = self._threads.share(
            [
                functools.partial(calculate, worker, start, end)
                for worker, (start, end) in zip(workers, pairwise(bounds), strict=True)
            ]
        )
        for worker, status in zip(workers, statuses, strict=True):
            self._check(status, worker.block)
        slots = memory.sum_slots
        memory.values[slots] = np.sum([worker.values[slots] for worker in workers], axis=0)
        self._free += workers

    def _check(self, status: int, numbers: np.ndarray) -> None:
        if status:
            # without a recorded error, Ctrl-C arrived before the first line of the callback
            raise self._errors.pop(numbers.ctypes.data, None) or KeyboardInterrupt

    def _kinds(self) -> list[Kind]:
        return [*self.plan.kinds, *(self.plan.batch.kinds if self.plan.batch else ())]

    def _sections(self) -> list[Section]:
        own = [self.plan.before, self.plan.after]
        return [*own, self.plan.batch.section] if self.plan.batch else own

    @property
    def bytes_per_call(self) -> int:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        rows = self.plan.batch.rows * _width(self.plan.batch, self.plan.lanes, self.bits) if self.plan.batch else 0
        tables = [array.nbytes for section in self._sections() for array in (section.segments, section.table)]
        return (self.plan.slots + rows) * self.bits // 8 + sum(tables)

    @property
    def operations_per_call(self) -> int:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        return sum(section.operations for section in self._sections())

    def describe(self) -> list[str]:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        plan = self.plan
        lines = self._threads.describe() if plan.batch else []
        for section, of in zip(self._sections(), _PHASES, strict=False):
            if len(section.segments):
                counts = section.segments[:, Field.NODES]
                whose = f" {of}" if plan.batch else ""
                one = section.operations == 1
                lines.append(
                    f"{section.operations:,} operation{'' if one else 's'}{whose} in {len(counts):,} segment"
                    f"{'' if len(counts) == 1 else 's'}, each of one kind"
                    + ("" if one else f"; the widest has {counts.max():,}, the mean {counts.mean():.1f}")
                )
        if plan.before.operations + plan.after.operations:
            lines.append(f"vectors of up to {plan.lanes} operations of a kind, with operands gathered from memory")
        if plan.batch:
            width = _width(plan.batch, plan.lanes, self.bits)
            lines.append(f"vectors of {plan.lanes} samples, in blocks of {width} with {plan.batch.rows:,} rows")
        if self.in_python:
            names = ", ".join(sorted([op.name for op in self.in_python]))
            lines.append(f"Python calculates {names}: there is no native code for it")
        return lines


_PHASES = ("that samples share", "after the sums over samples", "for each sample")
_NOTHING = np.empty((0, 0))
_SAMPLES = slice(FRAME.index("samples"), FRAME.index("each") + 1)  # samples, columns, each


class _Memory:
    """The memory of one call at a time: slots, and for a batch a block and its frame."""

    def __init__(self, plan: Plan, bits: int, python: int) -> None:
        dtype = np.float64 if bits == 64 else np.float32
        self.values = aligned([plan.slots], dtype)
        self.inputs, self.prepared = self.values[: plan.inputs], None
        with too_large_is_infinite(dtype):
            self.values[plan.inputs : plan.inputs + len(plan.constants)] = plan.constants
        self.tables: list[np.ndarray] = []  # arrays whose addresses native code has
        self.before, self.after = [
            (self.values.ctypes.data, *self._walk(s), 1, 1, python) for s in (plan.before, plan.after)
        ]
        if plan.batch:
            batch, width = plan.batch, _width(plan.batch, plan.lanes, bits)
            self.sum_slots = batch.sums[:, 1]
            self.block = aligned([batch.rows * width], dtype)
            self.totals = aligned([len(batch.sums) * plan.lanes], np.float64)
            segments, count, table = self._walk(batch.section)
            self.pairs = np.stack([np.arange(len(batch.each)), batch.each], axis=1).astype(np.int32)
            words = {"block": self.block.ctypes.data, "width": width, "values": self.values.ctypes.data}
            words |= {"segments": segments, "segments_count": count, "table": table, "python": python}
            words |= {"totals": self.totals.ctypes.data}
            pairs = {"columns": batch.columns, "uniform": batch.uniform, "sums": batch.sums, "each": self.pairs}
            for name, given in pairs.items():
                rows = self._kept(given)
                words |= {f"{name}_pairs": rows.ctypes.data, f"{name}_count": len(rows)}
            self.frame = for_native_code(np.array([words.get(name, 0) for name in FRAME], np.int64))
            self.frame_address = self.frame.ctypes.data

    def _kept(self, array: np.ndarray) -> np.ndarray:
        """An array that native code knows by its address, kept alive as long as this memory."""
        self.tables.append(for_native_code(array))
        return self.tables[-1]

    def _walk(self, section: Section) -> tuple[int, int, int]:
        """The arguments of a walk over a section: its segments, their count, and its table."""
        segments, table = self._kept(section.segments), self._kept(section.table)
        return segments.ctypes.data, len(segments), table.ctypes.data

    def prepare(self, columns: Floats, each: Floats) -> None:
        """Prepares the frame for a batch."""
        self.totals[:] = 0.0
        self.frame[_SAMPLES] = columns.shape[1], columns.ctypes.data, each.ctypes.data


def _width(batch: BatchPlan, lanes: int, bits: int) -> int:
    """How many places a row of the block has."""
    vectors = FEWEST_VECTORS
    while vectors < MOST_VECTORS and 2 * vectors * batch.rows * lanes * bits // 8 <= CACHE:
        vectors *= 2
    return lanes * vectors


def _in_python(kinds: Sequence[Kind], shared: int, errors: dict[int, BaseException], bits: int, done: list[int]) -> Any:
    """The callback by which native code has Python calculate segments of operations that it does not know.

    Args:
        kinds: the kinds of segments.
        shared: how many of them are for nodes that samples share; the blocks of the others have one node.
        errors: collects exceptions, by the address of the numbers.
        bits: the size of a number.
        done: its one entry counts operations.
    """
    floats, whole = ctypes.POINTER(ctypes.c_double if bits == 64 else ctypes.c_float), ctypes.POINTER(ctypes.c_int32)

    @ctypes.CFUNCTYPE(None, *[_N] * 5, whole, floats, _N, _N, whole)
    def calculate(kind: int, n: int, *more: Any) -> None:
        (short_first, short_count, long_first, table, numbers, width, live, outcome), at = more, 0
        try:
            done[0] += n * live
            value, rows, block_size = kinds[kind].op.value, kinds[kind].arity, kinds[kind].lanes if kind < shared else 1
            for block in range(0, n, block_size):
                step = min(block_size, n - block)
                if kinds[kind].arity == VARIADIC:
                    rows, at = table[at], at + 1
                for i in range(step):
                    operands = [table[at + i + j * step] * width for j in range(rows)]
                    for sample in range(live):
                        y = value(*[numbers[place + sample] for place in operands])
                        at_result = block + i
                        is_short = at_result < short_count
                        place = at_result + (short_first if is_short else long_first - short_count)
                        numbers[place * width + sample] = y
                at += rows * step
        except BaseException as error:  # not raised here, below native code, but by the calling thread
            errors[ctypes.addressof(numbers.contents)] = error
        else:
            outcome[0] = 0  # from here on Ctrl-C would be lost: ctypes prints it and goes on

    return calculate
