"""The graph as text, and back: what people read when they wonder what the compiler did, and what tests are written in.

    %0 = input x
    %1 = input "learning rate", batched
    %2 = input w, closed over
    %3 = constant 3.0
    %4 = mul %0 %3
    guard %4
    return %4

A guard whose outcome was false stands as `guard not %4`. Names that are more than a word are in quotes.
"""

from __future__ import annotations

import json
import re

from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.core.operation import find
from chainrule.errors import ArgumentError, GraphError


def to_text(graph: Graph, most: int | None = None) -> str:
    """Prints a graph: one line a node, then guards and outputs. Of more than `most` nodes, only the first and the last
    are printed.

    >>> print(to_text(from_text("%0 = input x\\n%1 = mul %0 %0\\nreturn %1")))
    %0 = input x
    %1 = mul %0 %0
    return %1
    """
    lines = [_line(graph, i) for i in _shown(len(graph), most)]
    if most is not None and len(graph) > most:
        lines.insert(most // 2, f"… {len(graph) - len(lines)} more …")
    lines += [f"guard {'' if outcome else 'not '}%{node}" for node, outcome in graph.guards]
    return "\n".join([*lines, f"return {' '.join([f'%{i}' for i in graph.outputs])}".rstrip()])


def _shown(n: int, most: int | None) -> list[int]:
    if most is None or n <= most:
        return list(range(n))
    return [*range(most // 2), *range(n - (most - most // 2), n)]


def _line(graph: Graph, i: int) -> str:
    op = graph.ops[i]
    if i < graph.inputs:
        batched, closed = i in graph.batched, 0 < graph.arguments <= i
        return f"%{i} = input {_name(graph.names[i])}{', batched' * batched}{', closed over' * closed}"
    if op is None:
        return f"%{i} = constant {graph.numbers[i]!r}"
    return f"%{i} = {' '.join([op.name, *[f'%{k}' for k in graph.operands[i]]])}"


def _name(name: str) -> str:
    return name if re.fullmatch(r'[^\s,#"]+', name) else json.dumps(name)


WORDS = re.compile(r'"(?:[^"\\]|\\.)*"|#.*|,|[^\s,#"]+')
"""The words of a line: names in quotes, a comment, commas, and other words."""


def from_text(text: str) -> Graph:
    """Reads a graph that `to_text` printed; empty lines and comments after # are skipped.

    Raises:
        GraphError: a line has another form, or the graph is not valid.
    """
    graph = Graph()
    for line in text.splitlines():
        words = [word for word in WORDS.findall(line) if not word.startswith("#")]
        if words:
            try:
                _read(graph, words)
            except (ValueError, IndexError, ArgumentError) as error:
                raise GraphError(f"this is no line of a graph: {line.strip()!r} ({error})") from None
    graph.verify()
    return graph


def _read(graph: Graph, words: list[str]) -> None:
    if words[0] == "return":
        graph.outputs = [_node(word) for word in words[1:]]
    elif words[0] == "guard":
        graph.guards.append((_node(words[-1]), words[1] != "not"))
    else:
        at, equals, kind, *rest = words
        if equals != "=" or _node(at) != len(graph):
            raise GraphError(f"expected %{len(graph)} = …, not {' '.join(words)!r}")
        if kind == "input":
            _read_input(graph, rest)
        elif kind == "constant":
            graph.constant(float(rest[0]))
        else:
            graph.add(BATCH_SUM if kind == BATCH_SUM.name else find(kind), *[_node(word) for word in rest])


def _read_input(graph: Graph, words: list[str]) -> None:
    if len(graph) > graph.inputs:
        raise GraphError("inputs come first")
    name, *rest = words
    before, *marks = [mark.strip() for mark in " ".join(rest).split(",")]
    if before or not set(marks) <= {"batched", "closed over"}:
        raise GraphError(f"behind an input's name may stand `, batched` and `, closed over`, not {' '.join(rest)!r}")
    if "batched" in marks:
        graph.batched |= {graph.inputs}
    if "closed over" in marks:
        graph.arguments = graph.arguments or graph.inputs
    graph.names.append(json.loads(name) if name.startswith('"') else name)
    graph.ops.append(None)
    graph.operands.append(())
    graph.numbers.append(0.0)


def _node(word: str) -> int:
    if not word.startswith("%"):
        raise GraphError(f"{word!r} is no node: a node is written %3")
    return int(word[1:])
