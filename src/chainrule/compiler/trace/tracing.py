"""Tracing: runs a function once on Values, and records what it calculated as a graph.

The eager engine runs the function. It notifies the trace of each result that is made, and of each number whose truth
Python asks for: that becomes a guard, and the trace is valid where the answer is the same. A number that is taken out
by `.data` becomes a node with derivative 0. The Values that the function closes over become inputs as well.
"""

from __future__ import annotations

import itertools
import operator
import traceback
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.trace.variables import Integer, is_number_leaf, is_whole, variables_for
from chainrule.core import modes
from chainrule.core.operation import number
from chainrule.core.trees import formed, leaves, parts_of, tree_map
from chainrule.engine import Value
from chainrule.errors import OperandError, TraceError


@dataclass
class Trace:
    """The record of one run of a function.

    Attributes:
        nodes: every result, in the order in which they were made.
        guards: the nodes whose truth Python asked for, with the answers.
        copies: the copies that were made of leaves, each with its original.
        number: the number of the trace, by which traces are distinguished.
    """

    nodes: list[Value] = field(default_factory=list)
    guards: list[tuple[Value, bool]] = field(default_factory=list)
    copies: list[tuple[Value, Value]] = field(default_factory=list)
    number: int = field(default_factory=itertools.count().__next__)
    _made: set[int] = field(default_factory=set)
    _sources: list[Value] = field(default_factory=list)

    def made(self, node: Value, recording: bool) -> Value:
        """Is notified of a new result, and returns what the function gets in its place. Under `no_grad()` (not
        `recording`) that is a node through which no derivative flows."""
        self.nodes.append(node)
        return node if recording or node.op is ops.stop_gradient else ops.stop_gradient(node)

    def data_of(self, node: Value) -> Value:
        """The value of `.data`: the same number, through which no derivative flows."""
        return ops.stop_gradient(node)

    def grad_of(self, node: Value, error: TraceError) -> float:
        """Raises the error for `.grad`: gradients exist after the function, not inside it."""
        raise error

    def written(self, node: Value, error: TraceError) -> None:
        """Is notified that a number is about to be written, and raises the error: a trace could not repeat that."""
        raise error

    def asked(self, node: Value, truth: bool) -> bool:
        """Is notified that Python asks whether a number is nonzero; returns the answer that Python gets."""
        self.guards.append((node, truth))
        return truth

    def has_made(self, node: Value) -> bool:
        """Whether a node is a result of this run."""
        self._made.update(map(id, self.nodes[len(self._made) :]))
        return id(node) in self._made

    def token_of(self, leaf: Value) -> tuple[int, int]:
        """The token that a pickle holds in place of a leaf that is copied: the trace's number, and the leaf's place in
        it."""
        self._sources.append(leaf)
        return self.number, len(self._sources) - 1

    def copied(self, place: int) -> Value:
        """Copies the leaf in that place: a new leaf; an integer, which has no derivative, is returned itself."""
        source = self._sources[place]
        if isinstance(source, Integer):
            return source
        numbers = source.__getstate__()[3:]
        copy: Value = Value._remade(type(source), (None, (), (), *numbers))
        self.copies.append((copy, source))
        return copy

    def whole_number_of(self, node: Value) -> int:
        """The plain int of an integer argument; a guard says that it is the same in each call."""
        answer = int(node.peek_data())
        self.guards.append((ops.eq(node, answer), True))
        return answer


@dataclass(frozen=True)
class Traced:
    """A function, traced at some arguments.

    Attributes:
        graph: what the function calculated, in the order of its lines. The inputs are the numbers of the arguments,
            then those of the Values that the function closes over; the outputs are the numbers of the result.
        live: the Values that the function closes over.
        result: the structure of the result, with the position among the outputs in place of each number.
        outputs: the numbers of the result.
        copied: the inputs that the function uses copies of.
        changes: whether the function changed lists or dicts of its arguments.
    """

    graph: Graph
    live: list[Value]
    result: Any
    outputs: list[float] = field(default_factory=list)
    copied: frozenset[int] = frozenset()
    changes: bool = False


def trace(
    function: Callable,
    arguments: Sequence[Any],
    batched: Sequence[int] = (),
    live: Sequence[Value] = (),
    like: Traced | None = None,
) -> Traced:
    """Runs `function` once and records what it calculates.

    Args:
        function: takes as many arguments as are given, and returns a number or nested lists, tuples and dicts of
            numbers.
        arguments: numbers, Modules, or nested lists, tuples and dicts of numbers. An `int` can choose a row of a table,
            and has no derivative; all other numbers are floats.
        batched: the positions, among all numbers of the arguments, of those that differ from sample to sample.
        live: Values that the function closes over, or may close over; they come first among its live inputs.
        like: an earlier trace of the function. It is returned itself where the function calculates the same again from
            the same Values: comparing takes less time than recording.

    Raises:
        TraceError: the function does what cannot be traced.

    >>> traced = trace(lambda x, y: [x * y, y], [2.0, 3.0])
    >>> traced.graph.outputs, traced.result
    ([2, 1], [0, 1])
    """
    record = Trace()
    with modes.tracing(record), modes.nested_transform():
        given, variables = variables_for(arguments)
        before = list(_contents(given))
        try:
            out = function(*given)
        except OperandError as error:
            _name_line(error)
            raise
    if like is not None and _is_same_as(like, record, variables, out):
        return like
    traced = _graph_of(record, variables, list(live), out, batched)
    return replace(traced, changes=list(map(_ids, before)) != list(map(_ids, _contents(given))))


def _contents(tree: Any) -> Iterator[list[Any]]:
    """The entries of each list, tuple, dict, array and dataclass of the arguments."""
    parts = parts_of(tree)
    if parts is not None:
        yield list(parts)
        for part in parts:
            yield from _contents(part)


def _ids(parts: list[Any]) -> list[int]:
    return list(map(id, parts))


def _graph_of(record: Trace, arguments: list[Value], live: list[Value], out: Any, batched: Sequence[int]) -> Traced:
    results, guarded = leaves(out), [node for node, _ in record.guards]
    rows = [node.operands for node in record.nodes]
    flat = [*itertools.chain.from_iterable(rows)]
    used = [*flat, *results, *guarded]
    copies = _used_copies(record, used)
    sources, before = [source for _, source in copies], len(arguments) + len(live)
    at, closed_over = _places_of([*used, *sources], [*arguments, *live, *[copy for copy, _ in copies], *record.nodes])
    of_flat, of_ends, of_sources = np.split(at, [len(flat), len(used)])
    live = live + closed_over
    names = [x.label or f"x{i}" for i, x in enumerate(arguments)] + [x.label or f"p{i}" for i, x in enumerate(live)]
    graph = Graph.of_inputs(names, batched)
    graph.arguments = len(arguments)
    operations = [*[ops.stop_gradient] * len(copies), *[node.op for node in record.nodes]]
    sources_and_rows = [*[(x,) for x in sources], *rows]
    nodes = _add_nodes(graph, before, operations, sources_and_rows, np.concatenate([of_sources, of_flat]))
    copied: dict[int, int] = {}
    for i, k in enumerate(of_sources.tolist()):
        copied[nodes[before + i]] = copied.get(nodes[k], nodes[k])
    ends = zip(used[len(flat) :], of_ends.tolist(), strict=True)
    places = [graph.constant(_constant(x)) if k < 0 else nodes[k] for x, k in ends]
    graph.outputs, asked = places[: len(results)], places[len(results) :]
    graph.guards = list(zip(asked, [truth for _, truth in record.guards], strict=True))
    outputs = [x.peek_data() if isinstance(x, Value) else float(x) for x in results]
    return Traced(graph, live, _numbered(out), outputs, frozenset(copied.values()))


def _places_of(used: Sequence[Any], known: Sequence[Value]) -> tuple[np.ndarray, list[Value]]:
    """The place of each used operand among the known Values, and the other Values among the operands, which existed
    before the function ran. The places of these other Values follow those of the known ones, in the order in which the
    function used them; a constant has the place -1."""
    index = dict(zip(map(id, known), range(len(known)), strict=True))
    at = np.fromiter(map(index.get, map(id, used), itertools.repeat(-1)), np.intp, len(used))
    rest = np.flatnonzero(at < 0).tolist()
    others = {id(x): x for x in [used[k] for k in rest] if isinstance(x, Value) and not x.constant}
    if others:
        new_places = dict(zip(others, range(len(known), len(known) + len(others)), strict=True))
        at[rest] = [new_places.get(id(used[k]), -1) for k in rest]
    return at, list(others.values())


def _add_nodes(
    graph: Graph, before: int, operations: Sequence[Any], rows: Sequence[Sequence[Any]], at: np.ndarray
) -> list[int]:
    """Adds the results of a run to a graph that has only inputs. All are added at once, since there are many. The
    constants among a node's operands are added right before it, anew for each use.

    Args:
        graph: that graph.
        before: how many of its inputs come before the results in the numbering of `at`; the other inputs follow them.
        operations, rows: the operation and the operands of each result.
        at: for each operand its place in that numbering, or -1 for a constant.

    Returns:
        For each place in that numbering, its node in the graph.
    """
    first, operands = graph.inputs, list(itertools.chain.from_iterable(rows))
    sizes = np.fromiter(map(len, rows), np.intp, len(rows))
    is_constant, ends, row = at < 0, np.cumsum(sizes), np.repeat(np.arange(len(rows)), sizes)
    constants = np.concatenate([[0], np.cumsum(is_constant)])  # how many there are before each operand
    made = first + np.arange(len(rows)) + constants[ends]
    nodes = np.concatenate([np.arange(before), made, np.arange(before, first)])
    at = np.where(is_constant, first + row + constants[:-1], nodes[at])
    more = len(rows) + int(constants[-1])
    graph.ops += [None] * more
    graph.operands += [()] * more
    graph.numbers += [0.0] * more
    flat, start = at.tolist(), 0
    for node, op, end in zip(made.tolist(), operations, ends.tolist(), strict=True):
        graph.ops[node], graph.operands[node] = op, tuple(flat[start:end])
        start = end
    for k in np.flatnonzero(is_constant).tolist():
        graph.numbers[flat[k]] = _constant(operands[k])
    return nodes.tolist()


def _constant(x: Any) -> float:
    return x.peek_data() if isinstance(x, Value) else number(x, "the result of a compiled function")


def _is_same_as(first: Traced, record: Trace, arguments: list[Value], out: Any) -> bool:
    """Whether a run calculated the same as an earlier trace, node by node, from the same Values. The answer is no where
    that cannot be decided easily."""
    graph, nodes, results = first.graph, record.nodes, leaves(out)
    inputs, computed = [*arguments, *first.live], slice(graph.inputs, None)
    operations = [op for op in graph.ops[computed] if op is not None]
    truths = [truth for _, truth in record.guards]
    if first.copied or record.copies or len(inputs) != graph.inputs or operations != [node.op for node in nodes]:
        return False
    if truths != [truth for _, truth in graph.guards] or _numbered(out) != first.result:
        return False
    rows = [node.operands for node in nodes]
    if list(map(len, rows)) != list(filter(None, map(len, graph.operands))):  # each operation has an operand at least
        return False
    used = [*itertools.chain.from_iterable(rows), *results, *[node for node, _ in record.guards]]
    places = [*itertools.chain.from_iterable(graph.operands), *graph.outputs, *[node for node, _ in graph.guards]]
    made = iter(nodes)
    now = [*inputs, *[None if op is None else next(made) for op in graph.ops[computed]]]
    others = list(itertools.compress(used, map(operator.is_not, used, map(now.__getitem__, places))))
    if any(isinstance(x, Value) and not x.constant for x in others):
        return False
    constants = [x for op, x in zip(graph.ops[computed], graph.numbers[computed], strict=True) if op is None]
    return bits_of(map(_constant, others)) == bits_of(constants)


def _numbered(out: Any) -> Any:
    """The structure of a result, with the position among its numbers in place of each."""
    counter = itertools.count()
    return tree_map(lambda _: next(counter), out, formed)


def bits_of(numbers: Iterable[float]) -> bytes:
    """The bits of numbers, for comparison: 0.0 differs from -0.0, and nan equals nan."""
    return array("d", numbers).tobytes()


def _used_copies(record: Trace, used: Sequence[Any]) -> list[tuple[Value, Value]]:
    """The copies that the function made and calculated with."""
    if not record.copies:
        return []
    ids = set(map(id, used))
    for copy, source in reversed(record.copies):
        if id(copy) in ids:
            ids.add(id(source))
    return [(copy, source) for copy, source in record.copies if id(copy) in ids]


def _name_line(error: OperandError) -> None:
    """Adds the user's own line to an error, such as that of float(x)."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "chainrule" not in frame.filename]
    if own:
        error.add_note(
            f"It was line {own[-1].lineno} of {own[-1].filename}, in a function that is being compiled: {own[-1].line}"
        )


__all__ = ["Integer", "Trace", "TraceError", "Traced", "bits_of", "is_number_leaf", "is_whole", "trace"]
