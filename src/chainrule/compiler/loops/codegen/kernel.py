"""The kernel of a program of loops: native code with its memory."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.loops.codegen.addresses import BROKEN
from chainrule.compiler.loops.codegen.build import NUMBERS, POINTERS, Plan
from chainrule.compiler.loops.codegen.describe import describe
from chainrule.compiler.loops.codegen.layout import FRONT, MARGIN, area_ranges
from chainrule.compiler.loops.program import operations
from chainrule.compiler.native.kernel import Native, NativeBatch
from chainrule.compiler.native.llvm import BoundsError, Machine, load
from chainrule.compiler.native.memory import aligned, for_native_code, is_checked, too_large_is_infinite
from chainrule.compiler.native.threads import ThreadPool
from chainrule.errors import SizeError

_SIGNATURE = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(POINTERS), *[ctypes.c_int64] * len(NUMBERS))


class _Memory:
    """The memory of one call at a time."""

    def __init__(self, plan: Plan, lanes: int, dtype: Any) -> None:
        layout, wide = plan.layout, plan.vectors * lanes
        room = area_ranges(plan.program, layout, lanes, plan.vectors, len(plan.each))
        self.shared = aligned([FRONT + room["shared"].end], dtype)[FRONT:]
        self.shared[: len(layout.shared)] = layout.shared
        self.sums = aligned([room["sums"].end // lanes, lanes], dtype)
        self.scratch = aligned([FRONT + room["scratch"].end], dtype)[FRONT:]
        self.fixed = aligned([room["fixed"].end, -(-layout.fixed.shape[1] // wide) * wide], dtype)
        self.fixed[: layout.fixed.shape[0], : layout.fixed.shape[1]] = layout.fixed
        # each call needs these, and NumPy is slow to give them
        self.addresses = [array.ctypes.data for array in (self.shared, self.sums, self.fixed, self.scratch)]
        self.fixed_stride = self.fixed.shape[1]
        self.arguments: list[int] | None = None
        self.prepared: Any = None


@dataclass
class Bound:
    """A kernel with memory and columns of its own."""

    kernel: LoopKernel
    memory: _Memory
    columns: np.ndarray
    each: np.ndarray
    samples: int

    @property
    def shared(self) -> np.ndarray:
        """What all lanes share: inputs first, in the order of the program."""
        return self.memory.shared

    def arguments(self) -> list[int]:
        """The arguments of a native function of the kernel."""
        return self.kernel.arguments(self.memory, self.columns, self.each, 0, self.samples)

    def held(self) -> np.ndarray:
        """For each sample whether all guards held in the last run; without samples, one truth."""
        held = np.ones(max(self.samples, 1), np.bool_)
        for varies, at, outcome in self.kernel.guards:
            held &= ((self.each[at, : self.samples] if varies else self.shared[at]) != 0) == outcome
        lanes_are_samples = self.kernel.plan.program.lanes is None
        return held if lanes_are_samples else np.array([held.all()])

    def run(self) -> None:
        """Runs the kernel once, on the inputs that are in `shared`."""
        self.kernel.calculate(self.memory, self.columns, self.each, self.samples)

    def of_samples(self, columns: np.ndarray) -> Bound:
        """The same memory with other samples, as many as there were or fewer."""
        count = columns.shape[1]
        self.columns[:, :count] = columns
        return replace(self, samples=count)


class LoopKernel:
    """A program of loops, ready to run.

    Args:
        plan: the program with its layout.
        object_code: its machine code.
        machine: the CPU that it was compiled for.
        bits: the size of a number, 64 or 32.
        threads: how many threads share the blocks of samples.

    Attributes:
        checked: whether all memory of native code lies between guard pages.
    """

    def __init__(self, plan: Plan, object_code: bytes, machine: Machine, bits: int = 64, threads: int = 1) -> None:
        self.plan, self.object_code, self.threads = plan, object_code, threads
        self.dtype = np.float64 if bits == 64 else np.float32
        self.lanes = machine.lanes(bits)
        self._library = load(object_code)
        self._functions = {
            name: _SIGNATURE(self._library.address(name)) for name in ("run", "before", "blocks", "after")
        }
        tables, checks = plan.layout.tables, plan.address_report.checks
        self.checked = is_checked()
        self._broken = checks and ctypes.c_int64.from_address(self._library.address(BROKEN))
        self._rows = area_ranges(plan.program, plan.layout, self.lanes, plan.vectors, len(plan.each))["batched"].end
        self._tables = for_native_code(tables if len(tables) else np.zeros(1, dtype=np.int32))
        self._tables_address = self._tables.ctypes.data
        outputs = self._addresses(plan.program.outputs)
        self._output_varies = np.array([varies for varies, _ in outputs], dtype=bool)
        self._shared_places = np.array([0 if varies else at for varies, at in outputs], dtype=np.int64)
        self._order = _as_slice(plan.program.order)
        self._each_rows = _as_slice([at for varies, at in outputs if varies])
        self._unbatched = np.zeros((1, 1), self.dtype)
        self._guards = self._addresses([(array, at) for array, at, _ in plan.program.guards])
        self._outcomes = np.array([outcome for *_, outcome in plan.program.guards], dtype=bool)
        self._free: list[_Memory] = []
        self._threads = ThreadPool(threads)

    @property
    def bytes_per_call(self) -> int:
        """How many bytes of memory a call uses; for a batch, each block of it."""
        sizes = self.plan.layout.sizes
        rows = (sizes["scratch"] - MARGIN) * self.plan.vectors * self.lanes
        return (sizes["shared"] - MARGIN + sizes["sums"] * self.lanes + rows) * np.dtype(self.dtype).itemsize

    @property
    def operations_per_call(self) -> int:
        """How many operations a call does; for a batch, for one sample."""
        total = 0
        for statement in self.plan.program.statements:
            inside = sum([operations(x) for x in statement.arguments])
            inside += sum([one.length * (len(one.parts) + sum(map(operations, one.parts))) for one in statement.sums])
            total += math.prod(statement.axes) * (inside + 1)
        return total

    def describe(self) -> list[str]:
        """Sentences for `explain()`."""
        return [*self._threads.describe(), *describe(self.plan, self.lanes)]

    def _addresses(self, elements: Sequence[tuple[int, int]]) -> list[tuple[bool, int]]:
        """For each element whether it differs from lane to lane, and its place in `shared` or its row of `each`."""
        places, arrays = [], self.plan.program.arrays
        for array, at in elements:
            if not arrays[array].lanes:
                places.append((False, self.plan.layout.place[array][1] + at))
            else:
                places.append((True, self.plan.row_of[(array, at)]))
        return places

    def run(self, numbers: np.ndarray, columns: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, Any]:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        memory = self._acquired()
        try:
            with too_large_is_infinite(self.dtype):
                memory.shared[: len(self.plan.program.order)] = numbers[self._order]
                samples, columns = self._padded(columns)
            if columns is not self._unbatched or self.plan.each or self.parts(samples) > 1:
                each = self._results_of(samples)
                self.calculate(memory, columns, each, samples)
                return self._results(memory, each[:, :samples])
            if memory.arguments is None:  # the same in each call, and most of what a short one takes
                memory.arguments = self.arguments(memory, columns, columns, 0, samples)
            self._functions["run"](*memory.arguments)
            self.check()
            return self._results(memory, columns)
        finally:
            self._free.append(memory)

    def native(self) -> Native | None:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        program, rows = self.plan.program, self._unbatched
        lanes = program.lanes or 0
        if self.dtype != np.float64 or self.plan.each or self.checked or self.parts(lanes) > 1:
            return None

        def arguments(memory: _Memory) -> tuple[tuple[int, ...], int]:
            return tuple(self.arguments(memory, rows, rows, 0, lanes)), memory.addresses[0]

        guards = [(at, outcome) for _, at, outcome in self.guards]
        outputs = self._shared_places.tolist()
        return Native(self.address("run"), self._free, self.memory, arguments, program.order.tolist(), outputs, guards)

    def native_batch(self) -> NativeBatch | None:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        program = self.plan.program
        if self.dtype != np.float64 or program.lanes is not None or self.checked or self.threads > 1:
            return None

        def arguments(memory: _Memory) -> tuple[tuple[int, ...], int, int, int]:
            shared, sums, fixed, scratch = memory.addresses
            given = (shared, self._tables_address, sums, 0, fixed, scratch, 0, 0, memory.fixed_stride, 0, 0, 0)
            return given, shared, sums, memory.sums.size

        return NativeBatch(
            (self.address("before"), self.address("blocks"), self.address("after")),
            *(self._free, self.memory, arguments, program.order.tolist(), self._rows, len(self.plan.each)),
            *(self.lanes, self.plan.vectors * self.lanes, self._addresses(program.outputs), self.guards),
        )

    def _results_of(self, samples: int) -> np.ndarray:
        """Allocates the results of so many samples, in rows that are a multiple of a vector long."""
        shape = max(len(self.plan.each), 1), -(-samples // self.lanes) * self.lanes
        return aligned(shape, self.dtype) if self.checked else np.empty(shape, self.dtype)

    def check(self) -> None:
        """Checks, after checked code has run, that all its addresses were valid.

        Raises:
            BoundsError: one was not.
        """
        if self._broken and self._broken.value:
            what = self.plan.address_report.checks[self._broken.value - 1]  # type: ignore[index]
            self._broken.value = 0
            raise BoundsError(
                f"native code was about to go outside of an array, in {what}. It touched nothing there, but what it "
                "calculated is wrong: this is a mistake in chainrule's compiler, please report it with the function"
            )

    def _acquired(self) -> _Memory:
        """Memory that no other call uses."""
        try:
            return self._free.pop()
        except IndexError:
            return self.memory()

    def _padded(self, columns: np.ndarray | None) -> tuple[int, np.ndarray]:
        """The number of lanes, and the batched inputs in rows that are a multiple of a vector long."""
        if columns is None or self.plan.program.lanes is not None:
            return self.plan.program.lanes or 0, self._unbatched
        rows, samples = columns.shape
        if rows != self._rows:
            raise SizeError(f"the graph has {self._rows} batched inputs, but the columns are {rows}")
        columns = for_native_code(columns, self.checked)
        if samples % self.lanes == 0 and columns.dtype == self.dtype and columns.flags.c_contiguous:
            return samples, columns
        wide = aligned([rows, -(-samples // self.lanes) * self.lanes], self.dtype)
        wide[:, :samples] = columns
        return samples, wide

    def arguments(self, memory: _Memory, columns: np.ndarray, each: np.ndarray, start: int, end: int) -> list[int]:
        """The arguments of a native function of this kernel."""
        shared, sums, fixed, scratch = memory.addresses
        strides = [columns.strides[0] // columns.itemsize, memory.fixed_stride, each.strides[0] // each.itemsize]
        inputs, results = [array.__array_interface__["data"][0] for array in (columns, each)]  # quicker than .ctypes
        return [shared, self._tables_address, sums, inputs, fixed, scratch, results, *strides, start, end]

    def calculate(self, memory: _Memory, columns: np.ndarray, each: np.ndarray, samples: int) -> None:
        """Runs the kernel on the inputs in `memory`, in several threads if that is worth it."""
        parts = self.parts(samples)
        if parts == 1:
            self._functions["run"](*self.arguments(memory, columns, each, 0, samples))
            self.check()
            return

        def call(name: str, own: _Memory, start: int, end: int) -> None:
            arguments = self.arguments(own, columns, each, start, end)
            arguments[0], _, arguments[4], _ = memory.addresses
            self._functions[name](*arguments)

        block = self.plan.vectors * self.lanes
        call("before", memory, 0, samples)
        bounds = [round(samples / block * part / parts) * block for part in range(parts)] + [samples]
        memories = [memory, *[self._acquired() for _ in range(parts - 1)]]
        for one in memories:
            one.sums[:] = 0
        self._threads.share(
            [functools.partial(call, "blocks", memories[i], bounds[i], bounds[i + 1]) for i in range(parts)]
        )
        for one in memories[1:]:
            memory.sums += one.sums
        self._free += memories[1:]
        call("after", memory, 0, samples)
        self.check()

    def parts(self, samples: int) -> int:
        """How many threads share so many samples."""
        return max(1, min(self.threads, samples // (4 * self.plan.vectors * self.lanes)))

    def memory(self) -> _Memory:
        """Allocates memory for one call at a time."""
        return _Memory(self.plan, self.lanes, self.dtype)

    def bind(self, columns: np.ndarray | None, like: Bound | None = None) -> Bound:
        """Binds this kernel to columns, for native code that calls it many times.

        Args:
            columns: the batched inputs; None if there are none.
            like: a bound kernel that never runs at the same time, whose memory to share; None for memory of its own.
        """
        memory = _Memory(self.plan, self.lanes, self.dtype) if like is None else like.memory
        samples, wide = self._padded(columns)
        if wide is columns:
            wide = columns.copy()
        each = aligned([max(len(self.plan.each), 1), -(-samples // self.lanes) * self.lanes], self.dtype)
        return Bound(self, memory, wide, each, samples)

    @property
    def places(self) -> np.ndarray:
        """The places in `shared` of outputs that all lanes share."""
        return self._shared_places

    @property
    def guards(self) -> list[tuple[bool, int, bool]]:
        """For each guard whether it differs from lane to lane, its place, and the outcome that must hold."""
        return [(varies, at, bool(outcome)) for (varies, at), outcome in zip(self._guards, self._outcomes, strict=True)]

    def address(self, function: str) -> int:
        """The address of one of the native functions."""
        return self._library.address(function)

    def _results(self, memory: _Memory, each: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        """The outputs, without a copy of those of the samples, which may be many, if they lie as they are wanted."""
        shared = memory.shared.take(self._shared_places).astype(np.float64, copy=False)
        if len(self.plan.each):
            shared[self._output_varies] = np.nan
        rows = each[self._each_rows].astype(np.float64, copy=False)
        held: Any = True
        for (varies, at), outcome in zip(self._guards, self._outcomes, strict=True):
            held = held & (((each[at] if varies else memory.shared[at]) != 0) == outcome)
        return shared, rows, held


def _as_slice(places: Sequence[int] | np.ndarray) -> Any:
    """An index for these places: a slice if they follow one another, which takes NumPy far less time."""
    places = np.asarray(places, np.int64)
    first = int(places[0]) if len(places) else 0
    follow = np.array_equal(places, np.arange(first, first + len(places)))
    return slice(first, first + len(places)) if follow else places
