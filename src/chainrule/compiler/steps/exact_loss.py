"""Exact losses: runs a loss by exact code, in 64 bits, where its kernel evaluates a guard differently from Python or a
number is not finite."""

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
    """Calculates the loss of some samples bit by bit as the eager engine does.

    Args:
        path: a control-flow path of the loss; not one that runs in the kernel of a longer list.
        batch: the arguments.
        members: the indices of the samples; without a sample axis, one index.
        parameters: the numbers of the parameters.
        wanted: the result of `guards_alone` or `gradients`.

    Returns:
        The loss and the gradients, if they are wanted; for each sample whether all guards held; and the number of
        operations.
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
    """Describes a kernel that evaluates only the guards."""
    return Wanted(exact=True)


def gradients(path: Path, reduce: str) -> Wanted:
    """Describes a kernel for the loss and its gradient with respect to each parameter."""
    graph = path.stages.graphs["trace"]
    wrt = tuple(range(graph.arguments, graph.arguments + len(path.parameters)))
    return Wanted(1, wrt, reduce if graph.batched else None, True)


def _kernel(path: Path, wanted: Wanted) -> Kernel:
    """Returns the exact kernel of a path; compiles it on first use."""
    found = path.exact.get(wanted)
    if found is None:
        graph = with_guards_that_may_fail(path.stages.graphs["trace"])
        if graph.batched:
            graph = graph.with_input(SAMPLES)
        found = path.exact[wanted] = build(graph, wanted, Stages(), Target())
    return found
