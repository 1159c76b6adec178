"""A loss by exact code, in 64 bits: where its kernel sees a guard otherwise than Python, or a number is not finite."""

from __future__ import annotations

import numpy as np

from chainrule.compiler.calling.paths import with_guards_that_may_fail
from chainrule.compiler.graph.passes.batches import SAMPLES
from chainrule.compiler.native.kernel import Kernel
from chainrule.compiler.pipeline import Stages, Target, Wanted, build
from chainrule.compiler.steps.batch import Batch
from chainrule.compiler.steps.loss_paths import Path


def run_exactly(
    path: Path, batch: Batch, members: np.ndarray, parameters: np.ndarray, wanted: Wanted
) -> tuple[np.ndarray, np.ndarray, int]:
    """Calculates the loss of some samples just as the eager engine does.

    Args:
        path: the way of the loss; not one that runs in the kernel of a longer list.
        batch, members: the arguments, and which of the samples; of arguments without samples, just one.
        parameters: the numbers of the parameters.
        wanted: `guards_alone()`, or what `gradients` gives.

    Returns:
        The loss and, if they are wanted, the gradients; for each sample whether all guards held; and how many
        operations that took.
    """
    kernel = _kernel(path, wanted)
    graph = path.stages.graphs["trace"]
    own = np.zeros(graph.arguments)
    shares = np.ones(graph.arguments, bool)
    shares[list(batch.batched)] = False
    own[shares] = batch.numbers
    columns = None if batch.columns is None else np.ascontiguousarray(batch.columns[:, members])
    live = [value.data for value, _ in path.live]
    numbers = np.array([*own, *parameters, *live, *([] if columns is None else [len(members)])])
    shared, _, held = kernel.run(numbers, columns)
    count = len(members)
    return shared, np.array(np.broadcast_to(held, count)), count * kernel.operations_per_call


def guards_alone() -> Wanted:
    """Nothing but which guards hold."""
    return Wanted(exact=True)


def gradients(path: Path, reduce: str) -> Wanted:
    """The loss and the gradients by all parameters."""
    graph = path.stages.graphs["trace"]
    wrt = tuple(range(graph.arguments, graph.arguments + len(path.parameters)))
    return Wanted(1, wrt, reduce if graph.batched else None, True)


def _kernel(path: Path, wanted: Wanted) -> Kernel:
    """The exact kernel of a path, made when it is first asked for."""
    found = path.exact.get(wanted)
    if found is None:
        graph = with_guards_that_may_fail(path.stages.graphs["trace"])
        if graph.batched:
            graph = graph.with_input(SAMPLES)
        found = path.exact[wanted] = build(graph, wanted, Stages(), Target())
    return found
