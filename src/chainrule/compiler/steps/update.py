"""The native update of an optimiser: the kernel of its formula, and the rows in which parameters lie side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence

import numpy as np

from chainrule.compiler.loops.codegen.kernel import Bound, LoopKernel
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.native.memory import aligned, for_native_code
from chainrule.compiler.pipeline import Stages, Target, Wanted, calculation, loop_kernel, loops_of
from chainrule.compiler.steps.driver import LANES, UpdateField
from chainrule.compiler.steps.exclusive import Turn
from chainrule.compiler.steps.levelised_loss import LevelisedBound, LevelisedKernel
from chainrule.compiler.steps.loss_record import stretches
from chainrule.compiler.steps.optimizer_settings import settings
from chainrule.compiler.steps.update_formula import RATES, formula_of, formula_of_all
from chainrule.errors import ArgumentError, GraphError
from chainrule.optim import Optimizer


class Update:
    """The native update of all parameters of an optimiser, which keeps them side by side in one array.

    Attributes:
        rows: a structure of arrays: a row of the parameters' numbers, one for each slot of the optimiser's memory, and
            one of gradients. In each row the optimiser's parameters come first, rounded up to whole vectors, then those
            that only have gradients, rounded up as well.
        positions: the place of each parameter in a row.
        arranged: whether the positions were chosen to suit a kernel.
        formula: the formula of the update.
        kernel: the compiled formula. A kernel for one parameter reads and writes the rows themselves; for a kernel for
            all parameters, numbers are copied between the rows and its memory.
        bound: the kernel with its memory.
        one_by_one: whether the driver cannot run the kernel, so that steps are done one by one.
        no_loops: why no loops were found, if so.
        checked: whether the kernel's addresses are checked.
        looks_ahead: whether the formula uses the learning rate of the next step.
    """

    def __init__(self, optimizer: Optimizer, machine: Machine, bits: int = 64, besides: int = 0) -> None:
        self.formula, self.settings = formula_of(optimizer), settings(optimizer)
        self.count, self.slots = len(optimizer.parameters), list(optimizer.slots)
        lanes = max(machine.lanes(bits), LANES)
        self.moved, still = [-(-count // lanes) * lanes for count in (self.count, besides)]
        self.rows = aligned([len(self.slots) + 2, self.moved + still], np.float64 if bits == 64 else np.float32)
        self.positions = np.concatenate([np.arange(self.count), self.moved + np.arange(besides)])
        self.arranged = False
        self._copies: _Copies | None = None
        self._record: np.ndarray | None = None
        target = Target(bits, machine=machine)
        if not self.formula.whole and not self._take_rows(target):
            self.formula = formula_of_all(optimizer, self.formula.reads)
        if self.formula.whole:
            self._take_copies(target)
        self.one_by_one = isinstance(self.kernel, LevelisedKernel)
        self.checked = isinstance(self.kernel, LoopKernel) and self.kernel.checked

    def holds_for(self, optimizer: Optimizer) -> bool:
        """Returns whether nothing that the update depends on has changed since it was compiled."""
        return self.settings == settings(optimizer) and not self.formula.reads.changed()

    @property
    def own_positions(self) -> np.ndarray:
        """The positions of the optimiser's own parameters."""
        return self.positions[: self.count]

    def arrange(self, places: np.ndarray) -> None:
        """Sets the order of the optimiser's parameters in the rows, which must still be empty."""
        self.positions[: self.count] = places
        self.arranged, self._copies, self._record = True, None, None

    # ---- kernels ----
    def _take_rows(self, target: Target) -> bool:
        """Compiles the formula of one parameter to a kernel that runs on the rows, with parameters as its samples.
        Returns whether that is possible."""
        stages = Stages()
        planned = loops_of(self.formula.graph, target, stages)
        if planned is None:
            return False
        self.kernel: LoopKernel | LevelisedKernel = loop_kernel(planned, target, stages)
        memory = self.kernel.memory()
        self.bound: Bound | LevelisedBound = Bound(self.kernel, memory, self.rows, self.rows, self.moved)
        self._place({node: at for at, node in enumerate(planned.program.order.tolist())})
        return True

    def _take_copies(self, target: Target) -> None:
        """Compiles the formula of all parameters to a kernel with memory of its own."""
        stages = Stages()
        graph = calculation(self.formula.graph, Wanted(), stages)
        planned = loops_of(graph, target, stages)
        self.no_loops = stages.no_loops
        if planned is None:
            self.kernel = LevelisedKernel(graph, target.machine, target.bits)
            order = list(range(graph.inputs))
        else:
            self.kernel = loop_kernel(planned, target, stages)
            order = planned.program.order.tolist()
        self.bound = self.kernel.bind(None)
        self._place({node: at for at, node in enumerate(order)})

    def _place(self, place: dict[int, int]) -> None:
        """Notes the places of the formula's inputs in the kernel's memory; `place` has them by node."""
        graph, live = self.formula.graph, self.formula.live
        rates = graph.inputs - len(live) - len(RATES)
        self._inputs = np.array([place[i] for i in range(rates)] if self.formula.whole else [], np.intp)
        self._rates_at = np.array([place[rates + i] for i in range(len(RATES))], np.intp)
        self._live = [(value, place[rates + len(RATES) + i]) for i, value in enumerate(live)]
        next_lr = rates + RATES.index("next lr")
        self.looks_ahead = next_lr in graph.outputs or any(next_lr in row for row in graph.operands)

    # ---- running ----
    def read_live(self) -> None:
        """Copies the numbers of the Values that `updated` reads, other than parameters, to the kernel's memory."""
        for value, place in self._live:
            self.bound.shared[place] = value.data

    def fill(self, rates: Sequence[float]) -> None:
        """Prepares the kernel's memory for one step with these rates (see `RATES`)."""
        self.bound.shared[self._rates_at] = rates
        if self.formula.whole:
            source, target = self._copied().into
            self.bound.shared[target] = self.rows.reshape(-1)[source]

    def run(self) -> None:
        """Updates the parameters in the rows; call `fill` before."""
        self.bound.run()
        if self.formula.whole:
            source, target = self._copied().out_of
            self.rows.reshape(-1)[target] = self.bound.shared[source]

    def record(self) -> np.ndarray:
        """Returns the update's record for the driver. It stays valid, since nothing that it points to moves."""
        if self._record is None:
            self._record = self._made_record()
        return self._record

    def _made_record(self) -> np.ndarray:
        row = np.zeros(UpdateField.SIZE, np.int64)
        row[UpdateField.RUN] = self.kernel.address("run")
        own = self.bound.arguments()
        row[UpdateField.ARGUMENTS : UpdateField.ARGUMENTS + len(own)] = own
        row[UpdateField.ROWS] = self.rows.ctypes.data
        row[UpdateField.GRADIENT] = self.rows[-1].ctypes.data
        row[UpdateField.WIDTH] = self.rows.shape[1]
        row[UpdateField.LR : UpdateField.LR + len(RATES)] = self._rates_at
        if self.formula.whole:
            for field, table in self._copied().tables.items():
                row[field], row[field + 1] = table.ctypes.data, len(table)
        return row

    def _copied(self) -> _Copies:
        if self._copies is None:
            starts = np.arange(len(self.rows))[:, None] * self.rows.shape[1]
            places = (starts + self.own_positions).reshape(-1)
            self._copies = _Copies((places, self._inputs), (self.kernel.places, places[: len(self.kernel.places)]))
        return self._copies


class _Copies:
    """The copies between the rows and the memory of a kernel, as pairs of places and as tables for the driver.

    Args:
        into: the places to copy from in the rows, and to in the kernel's memory.
        out_of: the places to copy from in the kernel's memory, and to in the rows.
    """

    def __init__(self, into: tuple[np.ndarray, np.ndarray], out_of: tuple[np.ndarray, np.ndarray]) -> None:
        self.into, self.out_of = into, out_of
        by_row = [np.argsort(into[0]), np.argsort(out_of[1])]
        long, alone = stretches(*[places[by_row[0]] for places in into])
        tables = {UpdateField.INTO: long, UpdateField.LONE_INTO: alone}
        long, alone = stretches(*[places[by_row[1]] for places in out_of])
        tables |= {UpdateField.OUT_OF: long, UpdateField.LONE_OUT_OF: alone}
        self.tables = {field: for_native_code(table) for field, table in tables.items()}


def check_names(names: Iterable[str], slots: Sequence[str]) -> None:
    """Checks the names in an optimiser's memory.

    Raises:
        ArgumentError: a name is not among the optimiser's slots; native steps would lose what it stands for.
    """
    for name in names:
        if name not in slots:
            raise ArgumentError(f"native steps keep no {name!r} of the parameters: name it in the optimizer's class, "
                                f"slots = {(*slots, name)!r}")  # fmt: skip


def one_for_each(slot: str, numbers: Sequence[float], count: int) -> Sequence[float]:
    """Returns the numbers in a slot of an optimiser's memory, after a check of their count.

    Raises:
        ArgumentError: there is not one number for each of the `count` parameters.
    """
    if len(numbers) != count:
        raise ArgumentError(f"memory[{slot!r}] of the optimizer has {len(numbers)} numbers for {count} parameters: "
                            "give it one for each")  # fmt: skip
    return numbers


class NativeMemory(MutableMapping[str, list[float]]):
    """An optimiser's memory that lies in native rows. It makes lists of the rows on request.

    Attributes:
        given: the lists that were made. Callers may change them, so they are copied back before the next step.
        turn: the lock of the optimiser's steps: nobody reads the memory while a step runs.
        lost: the slots whose numbers are lost, since the process was forked while another thread ran a step.
    """

    def __init__(self, update: Update, turn: Turn) -> None:
        self.slots, self.rows, self.positions = update.slots, update.rows, update.own_positions
        self.given: dict[str, list[float]] = {}
        self.turn, self.lost = turn, set[str]()

    def __getitem__(self, slot: str) -> list[float]:
        if slot not in self.slots:
            raise KeyError(slot)
        with self.turn.lock:
            if slot not in self.given:
                self._check()
                self.given[slot] = self.rows[1 + self.slots.index(slot), self.positions].tolist()
            return self.given[slot]

    def _check(self) -> None:
        if self.lost:
            raise GraphError(
                "this process was forked while another thread ran a step: what the optimizer remembered is lost. Fork "
                "between steps, or give it a state that was saved: optimizer.load_state_dict(state)"
            )

    def lose(self) -> None:
        """Marks all slots as lost."""
        self.lost = set(self.slots)

    def read_again(self) -> None:
        """Copies the lists that were given out back to the rows."""
        self._check()
        for slot, numbers in self.given.items():
            self._put(slot, numbers)

    def _put(self, slot: str, numbers: Sequence[float]) -> None:
        self.rows[1 + self.slots.index(slot), self.positions] = one_for_each(slot, numbers, len(self.positions))

    def __setitem__(self, slot: str, numbers: list[float]) -> None:
        check_names([slot], self.slots)
        with self.turn.lock:
            self._put(slot, numbers)
            self.given.pop(slot, None)
            self.lost.discard(slot)

    def __delitem__(self, slot: str) -> None:
        raise KeyError(f"{slot} cannot be taken out of what the optimizer remembers")

    def __iter__(self) -> Iterator[str]:
        return iter(self.slots)

    def __len__(self) -> int:
        return len(self.slots)

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)
