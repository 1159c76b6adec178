"""The kernel of a program: native code with its memory, to be called with numbers."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.loops.program import operations
from chainrule.compiler.loops.writing.addresses import BROKEN
from chainrule.compiler.loops.writing.build import NUMBERS, POINTERS, Plan
from chainrule.compiler.loops.writing.describe import describe
from chainrule.compiler.loops.writing.layout import FRONT, MARGIN, rooms
from chainrule.compiler.native.llvm import BoundsError, Machine, load
from chainrule.compiler.native.memory import aligned, for_native_code, is_checked, too_large_is_infinite
from chainrule.compiler.native.threads import ThreadPool
from chainrule.errors import SizeError

_SIGNATURE = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(POINTERS), *[ctypes.c_int64] * len(NUMBERS))


class _Memory:
    """What one call at a time needs."""

    def __init__(self, plan: Plan, lanes: int, dtype: Any) -> None:
        layout, wide = plan.layout, plan.vectors * lanes
        room = rooms(plan.program, layout, lanes, plan.vectors, len(plan.each))
        self.shared = aligned([FRONT + room["shared"].end], dtype)[FRONT:]
        self.shared[: len(layout.shared)] = layout.shared
        self.sums = aligned([room["sums"].end // lanes, lanes], dtype)
        self.scratch = aligned([FRONT + room["scratch"].end], dtype)[FRONT:]
        self.fixed = aligned([room["fixed"].end, -(-layout.fixed.shape[1] // wide) * wide], dtype)
        self.fixed[: layout.fixed.shape[0], : layout.fixed.shape[1]] = layout.fixed
        # asked for at each call, and slow to ask for
        self.addresses = [array.ctypes.data for array in (self.shared, self.sums, self.fixed, self.scratch)]
        self.fixed_stride = self.fixed.shape[1]


@dataclass
class Bound:
    """A kernel with its own memory and columns."""

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
        """What a native function of the kernel is called with."""
        return self.kernel.arguments(self.memory, self.columns, self.each, 0, self.samples)

    def held(self) -> np.ndarray:
        """For each sample whether, in the last run, all guards held; without samples, one truth."""
        found = np.ones(max(self.samples, 1), np.bool_)
        for varies, at, outcome in self.kernel.guards:
            found &= ((self.each[at, : self.samples] if varies else self.shared[at]) != 0) == outcome
        lanes_are_samples = self.kernel.plan.program.lanes is None
        return found if lanes_are_samples else np.array([found.all()])

    def run(self) -> None:
        """Calculates once, with the inputs that are in `shared`."""
        self.kernel.calculate(self.memory, self.columns, self.each, self.samples)

    def of_samples(self, columns: np.ndarray) -> Bound:
        """The same with other samples, as many as there were or fewer, in the same memory."""
        count = columns.shape[1]
        self.columns[:, :count] = columns
        return replace(self, samples=count)


class LoopKernel:
    """A graph that became loops, ready to run.

    Args:
        plan: its program, laid out.
        object_code: what was made of it.
        machine: the CPU it was made for.
        bits: the size of a number, 64 or 32.
        threads: among how many threads the blocks of samples are shared out.

    Attributes:
        checked: whether all that native code works in lies between guard pages.
    """

    def __init__(self, plan: Plan, object_code: bytes, machine: Machine, bits: int = 64, threads: int = 1) -> None:
        self.plan, self.object_code, self.threads = plan, object_code, threads
        self.dtype = np.float64 if bits == 64 else np.float32
        self.lanes = machine.lanes(bits)
        self._library = load(object_code)
        self._functions = {
            name: _SIGNATURE(self._library.address(name)) for name in ("run", "before", "blocks", "after")
        }
        tables, checks = plan.layout.tables, plan.account.checks
        self.checked = is_checked()
        self._broken = checks and ctypes.c_int64.from_address(self._library.address(BROKEN))
        self._rows = rooms(plan.program, plan.layout, self.lanes, plan.vectors, len(plan.each))["batched"].end
        self._tables = for_native_code(tables if len(tables) else np.zeros(1, dtype=np.int32))
        self._tables_address = self._tables.ctypes.data
        outputs = self._addresses(plan.program.outputs)
        self._output_varies = np.array([varies for varies, _ in outputs], dtype=bool)
        self._shared_places = np.array([0 if varies else at for varies, at in outputs], dtype=np.int64)
        self._each_rows = np.array([at for varies, at in outputs if varies], dtype=np.int64)
        self._guards = self._addresses([(array, at) for array, at, _ in plan.program.guards])
        self._outcomes = np.array([outcome for *_, outcome in plan.program.guards], dtype=bool)
        self._free: list[_Memory] = []
        self._threads = ThreadPool(threads)

    @property
    def bytes_per_call(self) -> int:
        """How much memory a call goes through; for a batch, with each block of it."""
        sizes = self.plan.layout.sizes
        rows = (sizes["scratch"] - MARGIN) * self.plan.vectors * self.lanes
        return (sizes["shared"] - MARGIN + sizes["sums"] * self.lanes + rows) * np.dtype(self.dtype).itemsize

    @property
    def operations_per_call(self) -> int:
        """How many operations a call does, those on single samples counted once."""
        total = 0
        for statement in self.plan.program.statements:
            inside = sum([operations(x) for x in statement.arguments])
            inside += sum([one.length * (len(one.parts) + sum(map(operations, one.parts))) for one in statement.sums])
            total += math.prod(statement.axes) * (inside + 1)
        return total

    def describe(self) -> list[str]:
        """Sentences on what was made of the graph, for `explain()`."""
        return [*self._threads.describe(), *describe(self.plan, self.lanes)]

    def _addresses(self, elements: Sequence[tuple[int, int]]) -> list[tuple[bool, int]]:
        """For each element whether it differs from lane to lane, and its place in `shared`, or its row of `each`."""
        found, arrays = [], self.plan.program.arrays
        for array, at in elements:
            if not arrays[array].lanes:
                found.append((False, self.plan.layout.place[array][1] + at))
            else:
                found.append((True, self.plan.row_of[(array, at)]))
        return found

    def run(self, numbers: np.ndarray, columns: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, Any]:
        """See `chainrule.compiler.native.kernel.Kernel`."""
        memory = self._taken()
        try:
            order = self.plan.program.order
            with too_large_is_infinite(self.dtype):
                memory.shared[: len(order)] = numbers[order]
                samples, columns = self._padded(columns)
            each = self._results_of(samples)
            self.calculate(memory, columns, each, samples)
            return self._results(memory, each[:, :samples])
        finally:
            self._free.append(memory)

    def _results_of(self, samples: int) -> np.ndarray:
        """Room for the results of so many samples, in rows whose length is a multiple of a vector's."""
        shape = max(len(self.plan.each), 1), -(-samples // self.lanes) * self.lanes
        return aligned(shape, self.dtype) if self.checked else np.empty(shape, self.dtype)

    def check(self) -> None:
        """Sees, after checked code has run, that all its addresses were right.

        Raises:
            BoundsError: one was not.
        """
        if self._broken and self._broken.value:
            what = self.plan.account.checks[self._broken.value - 1]  # type: ignore[index]
            self._broken.value = 0
            raise BoundsError(
                f"native code was about to go outside of an array, in {what}. It touched nothing there, but what it "
                "calculated is wrong: this is a mistake in chainrule's compiler, please report it with the function"
            )

    def _taken(self) -> _Memory:
        """Memory that nobody uses."""
        try:
            return self._free.pop()
        except IndexError:
            return self.memory()

    def _padded(self, columns: np.ndarray | None) -> tuple[int, np.ndarray]:
        """How many lanes there are, and batched inputs in rows whose length is a multiple of a vector's."""
        if columns is None or self.plan.program.lanes is not None:
            return self.plan.program.lanes or 0, np.zeros((1, 1), self.dtype)
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
        """What a native function of this kernel is called with."""
        shared, sums, fixed, scratch = memory.addresses
        strides = [columns.strides[0] // columns.itemsize, memory.fixed_stride, each.strides[0] // each.itemsize]
        given, found = columns.ctypes.data, each.ctypes.data
        return [shared, self._tables_address, sums, given, fixed, scratch, found, *strides, start, end]

    def calculate(self, memory: _Memory, columns: np.ndarray, each: np.ndarray, samples: int) -> None:
        """Runs the kernel, with the inputs in `memory`; by several threads, if it has them and it is worth it."""

        def call(name: str, own: _Memory, start: int, end: int) -> None:
            arguments = self.arguments(own, columns, each, start, end)
            arguments[0], _, arguments[4], _ = memory.addresses
            self._functions[name](*arguments)

        block = self.plan.vectors * self.lanes
        parts = self.parts(samples)
        if parts == 1:
            call("run", memory, 0, samples)
            self.check()
            return
        call("before", memory, 0, samples)
        bounds = [round(samples / block * part / parts) * block for part in range(parts)] + [samples]
        own = [memory, *[self._taken() for _ in range(parts - 1)]]
        for one in own:
            one.sums[:] = 0
        self._threads.share([functools.partial(call, "blocks", own[i], bounds[i], bounds[i + 1]) for i in range(parts)])
        for one in own[1:]:
            memory.sums += one.sums
        self._free += own[1:]
        call("after", memory, 0, samples)
        self.check()

    def parts(self, samples: int) -> int:
        """Among how many threads so many samples are shared out."""
        return max(1, min(self.threads, samples // (4 * self.plan.vectors * self.lanes)))

    def memory(self) -> _Memory:
        """Memory for one call at a time."""
        return _Memory(self.plan, self.lanes, self.dtype)

    def bind(self, columns: np.ndarray | None, like: Bound | None = None) -> Bound:
        """This kernel with these columns, for native code to call it again and again; with memory of its own, or with
        that of another which does not run at the same time."""
        memory = _Memory(self.plan, self.lanes, self.dtype) if like is None else like.memory
        samples, wide = self._padded(columns)
        if wide is columns:
            wide = columns.copy()
        each = aligned([max(len(self.plan.each), 1), -(-samples // self.lanes) * self.lanes], self.dtype)
        return Bound(self, memory, wide, each, samples)

    @property
    def places(self) -> np.ndarray:
        """Of outputs that all lanes share: their places in `shared`."""
        return self._shared_places

    @property
    def guards(self) -> list[tuple[bool, int, bool]]:
        """Of each guard: whether it differs from lane to lane, its place, and the outcome that must be."""
        return [(varies, at, bool(outcome)) for (varies, at), outcome in zip(self._guards, self._outcomes, strict=True)]

    def address(self, function: str) -> int:
        """Where one of the native functions is."""
        return self._library.address(function)

    def _results(self, memory: _Memory, each: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        shared = memory.shared[self._shared_places].astype(np.float64)
        shared[self._output_varies] = np.nan
        rows = each[self._each_rows].astype(np.float64)
        held: Any = True
        for (varies, at), outcome in zip(self._guards, self._outcomes, strict=True):
            held = held & (((each[at] if varies else memory.shared[at]) != 0) == outcome)
        return shared, rows, held
