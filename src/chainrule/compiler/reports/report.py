"""The report of `explain()`, and the printed graph after each pass."""

from __future__ import annotations

import functools
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.text import to_text
from chainrule.compiler.native.kernel import Kernel
from chainrule.compiler.pipeline import Stages, Wanted
from chainrule.compiler.trace.source_lines import Line, LineTrace, trace_with_lines
from chainrule.errors import ArgumentError

MOST = 60
"""Of longer graphs, only the first and last nodes are printed."""

LINES = 12
"""At most so many constants, and lines with branches, are named."""

WIDTH = 100


class GraphView:
    """Prints a graph after each pass; the last form is "loops", if it became a program of loops.

    Args:
        stages: the record of the pipeline's run.
        again: runs the pipeline again, for the graphs that were dropped.
    """

    def __init__(self, stages: Stages, again: Callable[[], Stages]) -> None:
        self._stages, self._again = stages, again

    @functools.cached_property
    def _graphs(self) -> dict[str, Graph]:
        return self._again().graphs

    @property
    def stages(self) -> list[str]:
        """The names of the passes in order; "trace" is the graph that the first one got."""
        return [*self._graphs, *(["loops"] if self._stages.program is not None else [])]

    def __getitem__(self, stage: str) -> str:
        """The form after a pass, to be read; of a long one, its beginning and its end."""
        return self.whole(stage, MOST)

    def whole(self, stage: str = "trace", most: int | None = None) -> str:
        """All lines of a form, or at most `most` of its nodes; `compiler.graph.text.from_text` reads a whole graph.

        Raises:
            ArgumentError: there is no such form.
        """
        if stage == "loops" and self._stages.program is not None:
            return str(self._stages.program)
        graphs = self._stages.graphs if stage == "trace" else self._graphs
        if stage not in graphs:
            raise ArgumentError(f"there is no stage {stage!r}: there are {', '.join(self.stages)}")
        return to_text(graphs[stage], most)

    def __str__(self) -> str:
        return self["trace"]

    __repr__ = __str__


def title(name: str, wanted: Wanted, strict: bool) -> str:
    """The first line of a report: what a function calculates, and whether in the bits of the eager engine.

    >>> title("f", Wanted(1), False)
    'f: value and derivatives'
    """
    what = {0: "value", 1: "value and derivatives", 2: "value, first and second derivatives"}[wanted.order]
    exact = ", bit by bit as the eager engine" if wanted.exact else ""
    return f"{name}: {what}{exact}" + (", since a number was infinite or nan" if exact and not strict else "")


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Attributes:
        graph: the trace, with all its guards.
        live: how many Values the function closes over.
        kernel, stages: the kernel, and the record of the pipeline that made it.
        cached: whether native code came from the cache on disk.
        function, arguments: what to run once more, to find the user's lines.
        fallbacks: lines on what was slower than it could be.
    """

    graph: Graph
    live: int
    kernel: Kernel
    stages: Stages
    cached: bool
    function: Callable
    arguments: Sequence[Any]
    fallbacks: Sequence[str] = ()


def report(title: str, paths: str, subject: Subject) -> str:
    """Writes the report on a compiled function.

    Args:
        title: its first line.
        paths: how many control-flow paths it has taken so far.
        subject: the last of these paths.
    """
    graph, kernel, stages = subject.graph, subject.kernel, subject.stages
    seen = trace_with_lines(subject.function, subject.arguments)
    operations = sum([op is not None for op in graph.ops])
    inputs = f"{count(graph.arguments, 'number')} of arguments and {count(subject.live, 'Value')} closed over"
    traced = f"{count(operations, 'operation')} on {inputs}, {count(len(graph.guards), 'guard')}"
    lines = [
        title,
        f"  {paths}; this one: {traced}",
        *_branches(seen, graph),
        f"  a call: {count(kernel.operations_per_call, 'operation')}, {kernel.bytes_per_call:,} bytes of memory",
        *([f"  no loops: {stages.no_loops}"] if stages.no_loops else []),
        *["  " + line for line in kernel.describe()],
        *subject.fallbacks,
        *_constants(seen, graph),
        *_times(stages, subject.cached),
    ]
    return wrapped(lines)


def wrapped(lines: Sequence[str]) -> str:
    """Joins lines to a text; long ones continue with a deeper indent."""
    return "\n".join([part for line in lines for part in _wrapped(line)])


def count(n: int, what: str) -> str:
    """A number of things, in words.

    >>> count(1, "trace"), count(2000, "trace")
    ('1 trace', '2,000 traces')
    """
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent + "    ", break_long_words=False) or [""]


def _branches(seen: LineTrace, graph: Graph) -> list[str]:
    """The lines at which Python asked for the truth of a number."""
    if [truth for _, truth in seen.guards] != [truth for _, truth in graph.guards]:
        return ["    the function goes another way now than when it was traced, so its branches are not named"]
    times = Counter(seen.asked_at)
    lines = [f"    branch, {count(n, 'time')}: {line}" for line, n in list(times.items())[:LINES]]
    return lines + ([f"    … and {len(times) - LINES} more lines with branches"] if len(times) > LINES else [])


def _constants(seen: LineTrace, graph: Graph) -> list[str]:
    """The Python values that became constants, and the lines that used them."""
    compiled = _compiled(graph)
    if seen.met != compiled and repr(seen.met) != repr(compiled):  # nan
        lines = ["  Python values that became constants; the function has other ones now, so lines are not named:"]
        counted = list(Counter(compiled).items())
        lines += [f"    {x!r}, {count(n, 'time')}, in {op}" for (op, x), n in counted[:LINES]]
        return lines + ([f"    … and {len(counted) - LINES} more"] if len(counted) > LINES else [])
    if not seen.constants:
        return ["  no Python value became a constant"]
    by_line: dict[tuple[Line, str], list[float]] = {}
    for (line, op, x), n in seen.constants.items():
        by_line.setdefault((line, op), []).extend([x] * n)
    lines = ["  Python values that became constants:"]
    lines += [f"    {_some(xs)}, in {op}: {line}" for (line, op), xs in list(by_line.items())[:LINES]]
    more = len(by_line) - LINES
    return lines + ([f"    … and of {count(more, 'more line')}"] if more > 0 else [])


def _some(xs: list[float]) -> str:
    """A few of the numbers, and their count.

    >>> _some([2.0]), _some([1.0, 1.0]), _some([1.0, 2.0, 3.0, 4.0, 4.0])
    ('2.0', '1.0, 2 times', '1.0, 2.0, 3.0, … (5 in all)')
    """
    different = list(dict.fromkeys(xs))
    if len(different) == 1:
        return f"{xs[0]!r}" + (f", {len(xs)} times" if len(xs) > 1 else "")
    shown = ", ".join(map(repr, different[:3]))
    return f"{shown}, … ({len(xs)} in all)" if len(different) > 3 else f"{shown} ({len(xs)} in all)"


def _compiled(graph: Graph) -> list[tuple[str, float]]:
    """Each constant operand of a traced graph, with the name of its operation."""
    rows = zip(graph.ops, graph.operands, strict=True)
    return [(op.name, graph.numbers[k]) for op, row in rows if op is not None for k in row if graph.is_constant(k)]


def _times(stages: Stages, cached: bool) -> list[str]:
    """The pipeline: the time of each step, and the size of what it left."""
    seconds = stages.seconds
    left = {name: count(size, "node") for name, size in {"trace": len(stages.graphs["trace"]), **stages.sizes}.items()}
    if stages.program is not None:
        left["loops"] = count(len(stages.program.statements), "statement")
    from_cache = " (native code came from the cache)" if cached else ""
    lines = [f"  compiled in {1e3 * sum(seconds.values()):.1f} ms by this pipeline{from_cache}:"]
    rows = [f"    {name:<24}{1e3 * x:8.1f} ms{left.get(name, ''):>20}" for name, x in seconds.items()]
    return lines + [row.rstrip() for row in rows]
