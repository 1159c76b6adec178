"""The options of `compile_step`, and checks of the optimiser that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.calling.arguments import EXACT, EXACT_32
from chainrule.compiler.calling.options import MAX_STRUCTURES, check_counts
from chainrule.compiler.loops.codegen.build import MEMORY_LIMIT
from chainrule.compiler.pipeline import Target
from chainrule.engine import Value
from chainrule.errors import ArgumentError, TraceError
from chainrule.optim import Optimizer, check_parameters


@dataclass(frozen=True)
class Options:
    """The options of `compile_step`, which describes them.

    Raises:
        ArgumentError: an option has a value that it cannot have.
    """

    in_axes: Any = None
    reduce: str = "mean"
    dtype: str = "float64"
    threads: int = 1
    max_traces: int = 64
    besides: Sequence[Value] = ()
    memory_limit: int = MEMORY_LIMIT
    max_structures: int = MAX_STRUCTURES

    @property
    def target(self) -> Target:
        """What native code is compiled for."""
        return Target(32 if self.dtype == "float32" else 64, self.threads, self.memory_limit)

    @property
    def exact(self) -> int:
        """The largest integer that native code accepts; it and all smaller ones are exact as floats."""
        return EXACT_32 if self.dtype == "float32" else EXACT

    def __post_init__(self) -> None:
        axes = self.in_axes if isinstance(self.in_axes, list | tuple) else [self.in_axes]
        if any(isinstance(axis, bool) or not isinstance(axis, int | None) for axis in axes):
            raise ArgumentError(f"in_axes is an axis, or for each argument one or None, not {self.in_axes!r}")
        if self.reduce not in ("mean", "sum"):
            raise ArgumentError(f"reduce is 'mean' or 'sum', not {self.reduce!r}")
        if self.dtype not in ("float64", "float32"):
            raise ArgumentError(f"dtype is 'float64' or 'float32', not {self.dtype!r}")
        if not isinstance(self.besides, list | tuple) or not all(isinstance(x, Value) for x in self.besides):
            raise ArgumentError(f"besides are Values, in a list, not {self.besides!r}")
        for x in self.besides:
            if x.operands or x.constant:
                raise ArgumentError(f"besides are Values made by hand, as parameters are, not {x!r}")
        check_counts(self)


def check_optimizer(optimizer: Any) -> None:
    """Checks that `optimizer` is an optimiser whose parameters it can update.

    Raises:
        ArgumentError: it is not an optimiser but, for example, a name or a class; or see `check_parameters`.
    """
    if isinstance(optimizer, Optimizer):
        check_parameters(optimizer.parameters)
        return
    of_class = isinstance(optimizer, type) and issubclass(optimizer, Optimizer)
    name = optimizer.__name__ if of_class else {"sgd": "SGD", "adamw": "AdamW"}.get(str(optimizer).lower(), "Adam")
    raise ArgumentError(
        f"compile_step takes an optimizer with its parameters, not {name if of_class else repr(optimizer)}: "
        f"compile_step(loss, {name}(parameters, lr=0.01))"
    )


def refuse_own_methods(optimizer: Optimizer) -> None:
    """Refuses an optimiser that overrides a method which native steps do not call.

    Raises:
        TraceError: it overrides `step`, `lr` or `zero_grad`.
    """
    name = type(optimizer).__name__
    for method in ("step", "lr", "zero_grad"):
        if getattr(type(optimizer), method) is not getattr(Optimizer, method) or method in vars(optimizer):
            raise TraceError(
                f"{name} has {method!r} of its own, which native code would not call: say in `updated` where "
                "parameters move (chainrule.clip(g, -1, 1) clips a gradient), and give a schedule as lr"
            )
