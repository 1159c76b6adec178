"""What became of a function: the report of `explain()`, and the graph after each pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from chainrule.compiler.graph import Graph
from chainrule.compiler.text import to_text

MOST = 60
"""Longer graphs are printed by their first and last nodes."""


class GraphView:
    """The forms that a graph went through, to be printed."""

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        self._graphs = dict(graphs)

    @property
    def stages(self) -> list[str]:
        """The names of the passes that were applied, in order; "trace" is the graph that the first one got."""
        return list(self._graphs)

    def __getitem__(self, stage: str) -> str:
        return to_text(self._graphs[stage], MOST)

    def __str__(self) -> str:
        return self["trace"]


def report(compiled: Any, path: Any, wanted: Any) -> str:
    """The report on a compiled function.

    Args:
        compiled: the CompiledFunction.
        path: which of its paths.
        wanted: what was calculated.
    """
    kernel, stages = path.kernels[wanted], path.stages[wanted]
    what = {0: "value", 1: "value and derivatives", 2: "value, first and second derivatives"}[wanted.order]
    traced = path.traced.graph
    operations = sum([op is not None for op in traced.ops])
    lines = [
        f"{compiled.__name__}: {what}" + (", bit by bit as the eager engine" if wanted.exact else ""),
        f"  traced {compiled.traces} times; this trace: {operations} operations, {traced.inputs} inputs "
        f"({len(path.traced.live)} closed over), {len(traced.guards)} guards",
    ]
    lines.append(f"  {kernel.operations_per_call} operations and {kernel.bytes_per_call} bytes a call")
    lines += ["  " + line for line in kernel.describe()]
    lines.append("  time of each step, in ms:")
    lines += [f"    {name:<24}{1e3 * seconds:8.1f}" for name, seconds in stages.seconds.items()]
    return "\n".join([*lines, *_constants(traced)])


def _constants(graph: Graph) -> list[str]:
    """The Python values that became constants, and where they are used."""
    uses: dict[float, Counter] = {}
    for op, operands in zip(graph.ops, graph.operands, strict=True):
        for k in operands:
            if graph.is_constant(k) and op is not None:
                uses.setdefault(graph.numbers[k], Counter())[op.name] += 1
    if not uses:
        return ["  no Python value became a constant"]
    lines = ["  Python values that became constants:"]
    for x, names in list(uses.items())[:20]:
        lines.append(f"    {x!r:<24} in {', '.join([f'{n} {name}' for name, n in names.items()])}")
    return lines + ([f"    … and {len(uses) - 20} more"] if len(uses) > 20 else [])
