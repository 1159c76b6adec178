"""What became of a function: the report of `explain()`, and the graph after each pass."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.compiler.graph import Graph
from chainrule.compiler.paths import Made, Path
from chainrule.compiler.pipeline import Stages, Wanted
from chainrule.compiler.text import to_text
from chainrule.compiler.witness import Witness, witness
from chainrule.errors import ArgumentError

MOST = 60
"""Longer graphs are printed by their first and last nodes."""

LINES = 12
"""So many constants, or lines with branches, are named."""

WIDTH = 100


class GraphView:
    """The forms that a graph went through, to be printed; the last is "loops", if it became a program of loops."""

    def __init__(self, stages: Stages) -> None:
        self._graphs, self._program = dict(stages.graphs), stages.program

    @property
    def stages(self) -> list[str]:
        """The names of the passes that were applied, in order; "trace" is the graph that the first one got."""
        return [*self._graphs, "loops"] if self._program is not None else list(self._graphs)

    def __getitem__(self, stage: str) -> str:
        if stage == "loops" and self._program is not None:
            return str(self._program)
        if stage not in self._graphs:
            raise ArgumentError(f"there is no stage {stage!r}: there are {', '.join(self.stages)}")
        return to_text(self._graphs[stage], MOST)

    def __str__(self) -> str:
        return self["trace"]


def title(name: str, wanted: Wanted, strict: bool) -> str:
    """The first line of a report: what a function calculated, and whether the eager engine's bits were asked for.

    >>> title("f", Wanted(1), False)
    'f: value and derivatives'
    """
    what = {0: "value", 1: "value and derivatives", 2: "value, first and second derivatives"}[wanted.order]
    exact = ", bit by bit as the eager engine" if wanted.exact else ""
    return f"{name}: {what}{exact}" + (", since a number was infinite or nan" if exact and not strict else "")


def report(title: str, traces: int, path: Path, made: Made, rerun: tuple[Callable, Sequence[Any]]) -> str:
    """The report on a compiled function.

    Args:
        title: its first line.
        traces: how many ways it went so far.
        path, made: the last of them, and the kernel that ran.
        rerun: the function and arguments at which to run it once more, to look for lines.
    """
    graph, kernel, seen = path.traced.graph, made.kernel, witness(*rerun)
    operations = sum([op is not None for op in graph.ops])
    inputs = f"{_count(graph.arguments, 'number')} of arguments and {len(path.live)} of Values closed over"
    traced = f"{_count(operations, 'operation')} on {inputs}, {_count(len(graph.guards), 'guard')}"
    lines = [
        title,
        f"  {_count(traces, 'trace')}; this one: {traced}",
        *_branches(seen, path),
        f"  a call: {_count(kernel.operations_per_call, 'operation')}, {kernel.bytes_per_call:,} bytes of memory",
        *([f"  no loops: {made.stages.no_loops}"] if made.stages.no_loops else []),
        *["  " + line for line in kernel.describe()],
        *_constants(seen, path),
        *_times(made),
    ]
    return "\n".join([part for line in lines for part in _wrapped(line)])


def _count(n: int, what: str) -> str:
    """A number of things.

    >>> _count(1, "trace"), _count(2000, "trace")
    ('1 trace', '2,000 traces')
    """
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent + "    ", break_long_words=False) or [""]


def _branches(seen: Witness, path: Path) -> list[str]:
    """The lines at which Python asked for the truth of a number."""
    if [truth for _, truth in seen.guards] != path.outcomes:
        return ["    the function goes another way now than when it was traced, so its branches are not named"]
    times = Counter(seen.asked_at)
    lines = [f"    branch, {_count(n, 'time')}: {line}" for line, n in list(times.items())[:LINES]]
    return lines + ([f"    … and {len(times) - LINES} more lines with branches"] if len(times) > LINES else [])


def _constants(seen: Witness, path: Path) -> list[str]:
    """The Python values that became constants, and the lines that used them."""
    compiled = _compiled(path.traced.graph)
    if seen.met != compiled and repr(seen.met) != repr(compiled):  # nan
        lines = ["  Python values that became constants; the function has other ones now, so lines are not named:"]
        counted = list(Counter(compiled).items())
        lines += [f"    {x!r}, {_count(n, 'time')}, in {op}" for (op, x), n in counted[:LINES]]
        return lines + ([f"    … and {len(counted) - LINES} more"] if len(counted) > LINES else [])
    if not seen.constants:
        return ["  no Python value became a constant"]
    lines = ["  Python values that became constants:"]
    for (line, op, x), n in list(seen.constants.items())[:LINES]:
        lines.append(f"    {x!r}" + (f", {n} times" if n > 1 else "") + f", in {op}: {line}")
    more = len(seen.constants) - LINES
    return lines + ([f"    … and {more} more"] if more > 0 else [])


def _compiled(graph: Graph) -> list[tuple[str, float]]:
    """Each constant that is an operand in a traced graph, with the operation's name."""
    rows = zip(graph.ops, graph.operands, strict=True)
    return [(op.name, graph.numbers[k]) for op, row in rows if op is not None for k in row if graph.is_constant(k)]


def _times(made: Made) -> list[str]:
    """How long each step took."""
    seconds = made.stages.seconds
    from_cache = " (native code came from the cache)" if made.cached and all(made.cached) else ""
    lines = [f"  compiled in {1e3 * sum(seconds.values()):.1f} ms{from_cache}:"]
    return lines + [f"    {name:<24}{1e3 * x:8.1f} ms" for name, x in seconds.items()]
