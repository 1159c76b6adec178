"""Steps that the driver cannot do: the loss and the gradients of one batch, whose samples may go different ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from chainrule.compiler.calling.nonfinite import sorted_out
from chainrule.compiler.loops.writing.kernel import Bound
from chainrule.compiler.native.memory import aligned
from chainrule.compiler.reports.reasons import AGAIN, NOT_FINITE, rounded
from chainrule.compiler.steps.batch import Batch
from chainrule.compiler.steps.exact_loss import gradients, guards_alone, run_exactly
from chainrule.compiler.steps.levelised_loss import LevelledBound
from chainrule.compiler.steps.loss_paths import Path
from chainrule.errors import TraceError

if TYPE_CHECKING:
    from chainrule.compiler.steps.run import Run


class Alone:
    """Calculates batches for a run, one at a time."""

    def __init__(self, run: Run) -> None:
        self._run, self._step = run, run.step

    @property
    def _parameters(self) -> np.ndarray:
        return self._run.update.rows[0, self._run.update.positions]

    def calculated(self, batch: Batch, members: np.ndarray | None = None) -> np.ndarray:
        """The loss and the gradients: each way takes the samples for which it holds. Of some members of a batch alone,
        what they add to it."""
        parameters = self._parameters
        count = 1 if batch.columns is None else batch.columns.shape[1]
        total, rest = np.zeros(1 + len(parameters)), np.arange(count) if members is None else members
        ways = iter(list(self._run.ways_of(batch).records))
        tried: list[int] = []
        while len(rest):
            way = next(ways, None)
            if way is None:
                way, held = self._way_beyond(batch, rest, tried)
                found, _ = self._by_way(way, batch, rest, parameters)
            else:
                tried.append(way)
                found, held = self._by_way(way, batch, rest, parameters)
            if not held.any():
                continue
            if not held.all():
                found, _ = self._by_way(way, batch, rest[held], parameters)
            total += found * self._share(int(held.sum()), count)
            rest = rest[~held]
        return total

    def _share(self, some: int, count: int) -> float:
        """The factor of what some samples of so many give by themselves."""
        return some / count if self._step.reduce == "mean" else 1.0

    def _by_way(
        self, way: int, batch: Batch, samples: np.ndarray, parameters: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What some samples give, and for which of them this way holds."""
        path, bound, columns = self._run.paths[way], self._run.records[way].bound, batch.columns
        if columns is not None and len(samples) < columns.shape[1]:
            bound = self._part(path, batch).of_samples(np.ascontiguousarray(columns[:, samples]))
        return path.run(bound, batch.numbers, parameters), bound.held()

    def _part(self, path: Path, batch: Batch) -> Bound | LevelledBound:
        """The path's kernel for some of as many samples, with columns of its own."""
        assert batch.columns is not None
        key = (path, batch.columns.shape)
        bound = self._step.parts.get(key)
        if bound is None:
            bound = self._run.bind(path, batch)
            assert bound.columns is not None
            own = aligned(bound.columns.shape, bound.columns.dtype)
            bound = self._step.parts[key] = replace(bound, columns=own)
        return bound

    def _way_beyond(self, batch: Batch, rest: np.ndarray, tried: list[int]) -> tuple[int, np.ndarray]:
        """A way for samples for which, as kernels see the guards of those that were tried, none holds; and which of
        them go it, the first one at least."""
        parameters = self._parameters
        for way in tried:
            if self._run.paths[way].doubted:
                held = self._held_exactly(way, batch, rest, parameters)
                if held.any():
                    return way, held
        way = self._new_way(batch, int(rest[0]))
        if way not in tried:
            tried.append(way)
            _, held = self._by_way(way, batch, rest, parameters)
            if held[0]:
                return way, held
        return way, self._doubt(way, batch, rest, parameters)

    def _new_way(self, batch: Batch, sample: int) -> int:
        """The number of the record of the way that this sample goes, which native code did not find."""
        self._run.save()  # to be traced, the loss is run on Values
        path = self._step.paths.add(batch, sample)
        return next(way for way in self._run.ways_of(batch).records if self._run.paths[way] is path)

    # ---- what native code sees otherwise than Python ----
    def _doubt(self, way: int, batch: Batch, rest: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """For which samples a way holds that Python went for the first of them, though its kernel said no: from now on
        its guards are looked at exactly before anything is traced once more."""
        path, held = self._run.paths[way], np.zeros(len(rest), bool)
        if path.lanes is None and not path.doubted:
            path.doubted = True
            held = self._held_exactly(way, batch, rest, parameters)
        if not held[0]:
            held[0] = True
            most = self._step.options.max_traces
            if self._step.fallbacks.met(AGAIN) > most:
                raise TraceError(
                    f"the loss was traced {most} times at numbers at which it had been traced before, since it went "
                    "another way there than by the guards of the trace: let its branches depend on numbers alone, not "
                    "on what changes between steps"
                )
        return held

    def _held_exactly(self, way: int, batch: Batch, rest: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """For which samples a way holds, by Python's answers: of exact code, in 64 bits."""
        _, held, work = run_exactly(self._run.paths[way], batch, rest, parameters, guards_alone())
        if held.any():
            self._step.fallbacks.met(rounded(self._step.bits), int(held.sum()), work)
        return held

    def exactly(self, batch: Batch) -> np.ndarray | None:
        """The loss and the gradients, of samples whose numbers are not finite by exact code; None if a way of
        theirs is not known."""
        count = 1 if batch.columns is None else batch.columns.shape[1]
        good, bad = sorted_out(
            count,
            lambda piece: self.calculated(batch, np.arange(piece.start, piece.stop)),
            lambda found: bool(np.isfinite(found).all()),
        )
        total = sum([found for _, found in good], np.zeros(1 + len(self._step.parameters)))
        for piece in bad:
            found = self._exactly_of(batch, np.arange(piece.start, piece.stop), count)
            if found is None:
                return None
            total += found
        return total

    def _exactly_of(self, batch: Batch, rest: np.ndarray, count: int) -> np.ndarray | None:
        """What some samples of so many add, by exact code; None if a way of theirs is not known."""
        parameters = self._parameters
        total = np.zeros(1 + len(parameters))
        own = [way for way in self._run.ways_of(batch).records if self._run.paths[way].lanes is None]
        if not own:  # it runs in the kernel of a longer list, whose trace is another one
            own = [self._new_way(batch, int(rest[0]))]
        for way in own:
            path = self._run.paths[way]
            if not len(rest):
                break
            _, held, _ = run_exactly(path, batch, rest, parameters, guards_alone())
            if held.any():
                wanted = gradients(path, self._step.reduce)
                found, _, work = run_exactly(path, batch, rest[held], parameters, wanted)
                self._step.fallbacks.met(NOT_FINITE, int(held.sum()), work)
                total += found * self._share(int(held.sum()), count)
                rest = rest[~held]
        return None if len(rest) else total
