"""The report on a compiled training step."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.compiler.calling.paths import name_of
from chainrule.compiler.reports.report import Subject, count, report, wrapped
from chainrule.compiler.steps.levelised_loss import LevelisedKernel
from chainrule.compiler.steps.loss_paths import Path, Paths
from chainrule.compiler.steps.update import Update
from chainrule.optim import Optimizer


def explained(loss: Callable, optimizer: Optimizer, paths: Paths, path: Path, update: Update) -> str:
    """Returns the text of `explain()`: how the loss and the update were compiled.

    Args:
        loss, optimizer: the loss and the optimiser of the step.
        paths: all control-flow paths of the loss.
        path: the path of the last step.
        update: the native update.
    """
    own = path.kernel.kernel if isinstance(path.kernel, LevelisedKernel) else path.kernel
    graph = path.stages.graphs["trace"]
    slow = paths.fallbacks.describe()
    subject = Subject(graph, len(path.parameters) + len(path.live), own, path.stages, False, loss, path.sample, slow)
    parameters = count(len(optimizer.parameters), "parameter")
    title = f"{name_of(loss)}: a step of training, {parameters} by {type(optimizer).__name__}"
    ways = f"{count(paths.traces, 'trace')}, {count(paths.kernels, 'kernel')}"
    of = "all parameters" if update.formula.whole else "one parameter"
    kernel = update.kernel.kernel if isinstance(update.kernel, LevelisedKernel) else update.kernel
    lines = [f"  the update of {of}:", *["    " + line for line in kernel.describe()]]
    return "\n".join([report(title, ways, subject), wrapped(lines)])
