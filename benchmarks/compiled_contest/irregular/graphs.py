"""Random graphs: python -m compiled_contest.irregular.graphs wide > graph.txt writes one for floors/levels.c.

A graph has levels. An operation takes its operands from the last few levels, and now and then from the inputs; which
ones is drawn, but every number is used. The result is the mean of some numbers from all over the graph. How often each
kind of operation is drawn is such that numbers stay around 1, and derivatives neither vanish nor grow without end.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TextIO

INPUTS, OPERATIONS, RECENT = 100, 100_000, 4
ADD, SUB, MUL, SCALE, SIN, TANH = range(6)
BINARY = (ADD, SUB, MUL)
Operation = tuple[int, int, int, float]
"""Its kind; its operands (the second is 0 where there is none); the constant of SCALE."""


@dataclass(frozen=True)
class Family:
    """A kind of graph: from how many to how many operations a level has, and how often each kind is drawn."""

    narrowest: int
    widest: int
    weights: dict[int, float]


FAMILIES = {
    "wide": Family(200, 450, {ADD: 0.15, SUB: 0.15, MUL: 0.3, SCALE: 0.4}),
    "narrow": Family(8, 16, {ADD: 0.12, SUB: 0.13, MUL: 0.2, SCALE: 0.22, SIN: 0.17, TANH: 0.16}),
}


@dataclass(frozen=True)
class Graph:
    inputs: list[float]
    levels: list[list[Operation]]
    observed: list[int]
    """The numbers whose mean is the result."""

    def value(self, inputs: list[Any], sin: Callable[[Any], Any], tanh: Callable[[Any], Any]) -> Any:
        """The graph as a plain scalar program."""
        v = list(inputs)
        for level in self.levels:
            for kind, a, b, factor in level:
                x = v[a]
                if kind == ADD:
                    y = x + v[b]
                elif kind == SUB:
                    y = x - v[b]
                elif kind == MUL:
                    y = x * v[b]
                elif kind == SCALE:
                    y = x * factor
                else:
                    y = sin(x) if kind == SIN else tanh(x)
                v.append(y)
        total = v[self.observed[0]]
        for i in self.observed[1:]:
            total = total + v[i]
        return total * (1 / len(self.observed))


def graph(family: str, operations: int = OPERATIONS, seed: int = 7) -> Graph:
    rng, what = random.Random(seed), FAMILIES[family]
    inputs = [rng.uniform(-1, 1) for _ in range(INPUTS)]
    unused, recent, levels, count = list(range(INPUTS)), [range(INPUTS)], [], INPUTS
    while count - INPUTS < operations:
        width = min(rng.randint(what.narrowest, what.widest), operations + INPUTS - count)
        kinds = rng.choices(list(what.weights), list(what.weights.values()), k=width)
        slots = sum(2 if kind in BINARY else 1 for kind in kinds)
        rng.shuffle(unused)
        taken, unused = unused[:slots], unused[slots:]
        taken += [_any(rng, recent) for _ in range(slots - len(taken))]
        rng.shuffle(taken)
        levels.append([_operation(rng, kind, taken) for kind in kinds])
        recent = [*recent, range(count, count + width)][-RECENT:]
        unused += recent[-1]
        count += width
    observed = sorted({*range(INPUTS, count, 100), *unused})
    return Graph(inputs, levels, observed)


def _any(rng: random.Random, recent: list[range]) -> int:
    return rng.randrange(INPUTS) if rng.random() < 0.1 else rng.choice(rng.choice(recent))


def _operation(rng: random.Random, kind: int, taken: list[int]) -> Operation:
    a = taken.pop()
    b = taken.pop() if kind in BINARY else 0
    return kind, a, b, rng.choice((-1, 1)) * rng.uniform(0.5, 1.0) if kind == SCALE else 0.0


def write(graph: Graph, file: TextIO) -> None:
    """Writes a graph for floors/levels.c: within a level, operations of one kind are adjacent, so nodes are
    renumbered."""
    number, position, groups = list(range(INPUTS)), INPUTS, []
    for level in graph.levels:
        order = sorted(range(len(level)), key=lambda i: level[i][0])
        places = {i: position + k for k, i in enumerate(order)}
        for kind, members in groupby(order, key=lambda i: level[i][0]):
            groups.append((kind, [level[i] for i in members]))
        number += [places[i] for i in range(len(level))]
        position += len(level)
    print(INPUTS, position - INPUTS, len(groups), len(graph.observed), file=file)
    print(*map(repr, graph.inputs), file=file)
    for kind, members in groups:
        print(kind, len(members), file=file)
        for _, a, b, factor in members:
            print(number[a], number[b], repr(factor), file=file)
    print(*[number[i] for i in graph.observed], file=file)


if __name__ == "__main__":
    write(graph(sys.argv[1]), sys.stdout)
