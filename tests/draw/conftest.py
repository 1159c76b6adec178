"""What the drawing tests share: a node that is not a Value, and the lecture's neuron."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from chainrule import Value


class Symbol(NamedTuple):
    name: str
    symbol: str


@dataclass(eq=False)
class Fake:
    """The least that can be drawn. It has no `grad`: pictures must only peek."""

    data: float
    label: str = ""
    op: Symbol | None = None
    operands: tuple[Fake, ...] = ()
    locals: tuple[float | None, ...] = ()
    constant: bool = False
    gradient: float = 0.0
    peeks: list[int] = field(default_factory=list)

    def peek_grad(self) -> float:
        self.peeks.append(1)
        return self.gradient

    def __eq__(self, other: object) -> bool:
        raise AssertionError("nodes are told apart by identity")

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture
def fake():
    def make(data: float, label: str = "", op: str = "", operands: tuple = (), locals_: tuple = (), **more) -> Fake:
        return Fake(data, label, Symbol(op, op) if op else None, operands, locals_, **more)

    return make


@pytest.fixture
def neuron() -> Value:
    """tanh(x1·w1 + x2·w2 + b) as in the lecture, with every step named."""
    x1, x2, w1, w2 = (Value(v, label) for v, label in ((2.0, "x1"), (0.0, "x2"), (-3.0, "w1"), (1.0, "w2")))
    b = Value(6.8813735870195432, "b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    x1w1.label, x2w2.label = "x1w1", "x2w2"
    both = x1w1 + x2w2
    both.label = "x1w1 + x2w2"
    n = both + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    o.backward()
    return o
