"""Ragged programs, made at random: sums whose ends and indices depend on an outer loop, over lists that are as long as
they must be, and no longer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import chainrule

ENDS = {
    "from 0 to i": lambda i, n, t: (0, i + 1),
    "from i to n": lambda i, n, t: (i, n),
    "before i": lambda i, n, t: (0, i),
    "from 0 to n - i": lambda i, n, t: (0, n - i),
    "a band": lambda i, n, t: (max(0, i - 2), min(n, i + 3)),
    "by a table": lambda i, n, t: (0, t[i] + 1),
    "all": lambda i, n, t: (0, n),
}
PLACES = {
    "j": lambda i, j, n, t: j,
    "i": lambda i, j, n, t: i,
    "i - j": lambda i, j, n, t: i - j,
    "i + j": lambda i, j, n, t: i + j,
    "n - 1 - j": lambda i, j, n, t: n - 1 - j,
    "2j": lambda i, j, n, t: 2 * j,
    "2i - j": lambda i, j, n, t: 2 * i - j,
    "i - 3j": lambda i, j, n, t: i - 3 * j,
    "in": lambda i, j, n, t: i * n + j,
    "nj": lambda i, j, n, t: j * n + i,
    "triangle": lambda i, j, n, t: i * (i + 1) // 2 + j,
    "by a table": lambda i, j, n, t: t[j % n],
    "by a table, from i": lambda i, j, n, t: i - t[j % n],
}


@dataclass
class Ragged:
    """A function of two lists of numbers, its sizes, and what it is, in words."""

    function: Any
    sizes: tuple[int, int]
    what: str


def ragged(seed: int) -> Ragged:
    """A program by its number."""
    draw = random.Random(seed)
    n = draw.choice([3, 5, 8, 12, 17])
    table = [draw.randrange(n) for _ in range(n)]
    ends, *places = draw.choice(list(ENDS)), draw.choice(list(PLACES)), draw.choice(list(PLACES))
    outer, inner = draw.choice(["tanh", "sin", None]), draw.choice(["product", "call", "one"])
    steps = [(i, range(*ENDS[ends](i, n, table))) for i in range(n)]
    rows: list[list[int]] = []
    for name in places:
        row = [PLACES[name](i, j, n, table) for i, js in steps for j in js]
        least = min(row, default=0)
        rows.append([x - least for x in row])

    def function(x, w):
        at, total = 0, []
        for _, js in steps:
            terms = []
            for _ in js:
                a, b = x[rows[0][at]], w[rows[1][at]]
                at += 1
                terms.append(a * b if inner == "product" else chainrule.sin(a + b) if inner == "call" else a - 0.5 * b)
            one = chainrule.sum(terms)
            total.append(getattr(chainrule, outer)(one) if outer else one)
        return chainrule.sum(total)

    sizes = tuple(max(row, default=0) + 1 for row in rows)
    what = f"n={n}, {ends}, x[{places[0]}], w[{places[1]}], {inner}, {outer}, table {table}"
    return Ragged(function, sizes, what)  # type: ignore[arg-type]
