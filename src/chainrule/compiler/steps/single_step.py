"""The loss of steps that the driver cannot do: of one batch, whose samples may take different control-flow paths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.compiler.calling.doubts import Doubts
from chainrule.compiler.calling.nonfinite import sorted_out
from chainrule.compiler.reports.reasons import NOT_FINITE, rounded
from chainrule.compiler.steps.batch import Batch
from chainrule.compiler.steps.batch_paths import BatchPaths
from chainrule.compiler.steps.exact_loss import gradients, guards_alone, run_exactly


class SingleStepLoss:
    """The loss and the gradients of batches, one at a time.

    Args:
        of_batches: the control-flow paths that the batches take.
        save: copies the parameters to their Values, where the loss reads them when Python runs it.
    """

    def __init__(self, of_batches: BatchPaths, save: Callable[[], None]) -> None:
        self._of_batches, self._save, self._known = of_batches, save, of_batches.known
        self._fallbacks = of_batches.known.fallbacks
        self._doubts = Doubts("the loss", self._fallbacks, self._known.max_traces)

    @property
    def _parameters(self) -> np.ndarray:
        update = self._of_batches.update
        return update.rows[0, update.positions]

    def calculated(self, batch: Batch, members: np.ndarray | None = None) -> np.ndarray:
        """Calculates the loss and the gradients; the kernel of each path runs on the samples for which its guards hold.
        With `members`, the indices of some samples, returns what these contribute to the batch's result."""
        parameters = self._parameters
        count = 1 if batch.columns is None else batch.columns.shape[1]
        total, rest = np.zeros(1 + len(parameters)), np.arange(count) if members is None else members
        records = iter(list(self._of_batches.of(batch).records))
        tried: list[int] = []
        while len(rest):
            at = next(records, None)
            if at is None:
                at, held = self._path_beyond(batch, rest, tried)
                found, _ = self._by_path(at, batch, rest, parameters)
            else:
                tried.append(at)
                found, held = self._by_path(at, batch, rest, parameters)
            if not held.any():
                continue
            if not held.all():
                found, _ = self._by_path(at, batch, rest[held], parameters)
            total += found * self._share(int(held.sum()), count)
            rest = rest[~held]
        return total

    def _share(self, some: int, count: int) -> float:
        """Returns the weight of the result of `some` samples in that of all `count`."""
        return some / count if self._known.reduce == "mean" else 1.0

    def _by_path(
        self, at: int, batch: Batch, samples: np.ndarray, parameters: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Runs a path on some samples; returns the loss and gradients, and for which samples the guards held."""
        path, bound, columns = self._of_batches.paths[at], self._of_batches.records[at].bound, batch.columns
        if columns is not None and len(samples) < columns.shape[1]:
            bound = self._of_batches.part(path, batch).of_samples(np.ascontiguousarray(columns[:, samples]))
        return path.run(bound, batch.numbers, parameters), bound.held()

    def _path_beyond(self, batch: Batch, rest: np.ndarray, tried: list[int]) -> tuple[int, np.ndarray]:
        """Finds a path for samples that the kernels of all tried paths refused. Returns the index of its record, and
        for which samples it holds: at least for the first."""
        parameters = self._parameters
        for at in tried:
            if self._of_batches.paths[at].doubted:
                held = self._held_exactly(at, batch, rest, parameters)
                if held.any():
                    return at, held
        at = self._new_path(batch, int(rest[0]))
        if at not in tried:
            tried.append(at)
            _, held = self._by_path(at, batch, rest, parameters)
            if held[0]:
                return at, held
        return at, self._doubt(at, batch, rest, parameters)

    def _new_path(self, batch: Batch, sample: int) -> int:
        """Traces the loss at a sample for which native code found no path; returns the index of the path's record."""
        self._save()  # tracing runs the loss on Values
        path = self._known.add(batch, sample)
        return next(at for at in self._of_batches.of(batch).records if self._of_batches.paths[at] is path)

    # ---- where native code and Python differ ----
    def _doubt(self, at: int, batch: Batch, rest: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Returns for which samples a path holds that Python took for the first of them though its kernel refused it.
        From now on, exact code evaluates the path's guards before the loss is traced again."""
        path = self._of_batches.paths[at]
        exactly = None if path.lanes is not None else lambda: self._held_exactly(at, batch, rest, parameters)
        return self._doubts.held(path, len(rest), exactly)

    def _held_exactly(self, at: int, batch: Batch, rest: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Returns for which samples a path holds by exact code, in 64 bits, whose answers are Python's."""
        _, held, work = run_exactly(self._of_batches.paths[at], batch, rest, parameters, guards_alone())
        if held.any():
            self._fallbacks.met(rounded(self._known.target.bits), int(held.sum()), work)
        return held

    def exactly(self, batch: Batch) -> np.ndarray | None:
        """Calculates the loss and the gradients, by exact code for samples whose numbers are not finite. Returns None
        if the path of such a sample is not known."""
        count = 1 if batch.columns is None else batch.columns.shape[1]
        good, bad = sorted_out(
            count,
            lambda piece: self.calculated(batch, np.arange(piece.start, piece.stop)),
            lambda found: bool(np.isfinite(found).all()),
        )
        total = sum([found for _, found in good], np.zeros(1 + len(self._known.parameters)))
        for piece in bad:
            found = self._exactly_of(batch, np.arange(piece.start, piece.stop), count)
            if found is None:
                return None
            total += found
        return total

    def _exactly_of(self, batch: Batch, rest: np.ndarray, count: int) -> np.ndarray | None:
        """Calculates by exact code what some of `count` samples contribute; None if the path of one is not known."""
        parameters = self._parameters
        total = np.zeros(1 + len(parameters))
        own = [at for at in self._of_batches.of(batch).records if self._of_batches.paths[at].lanes is None]
        if not own:  # all paths run in the kernel of a longer list, which has another trace
            own = [self._new_path(batch, int(rest[0]))]
        for at in own:
            path = self._of_batches.paths[at]
            if not len(rest):
                break
            _, held, _ = run_exactly(path, batch, rest, parameters, guards_alone())
            if held.any():
                wanted = gradients(path, self._known.reduce)
                found, _, work = run_exactly(path, batch, rest[held], parameters, wanted)
                self._fallbacks.met(NOT_FINITE, int(held.sum()), work)
                total += found * self._share(int(held.sum()), count)
                rest = rest[~held]
        return None if len(rest) else total
