"""What all parts of the generator share: the text that is being written, its names, and small expressions."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

SMOOTH = ["ops.tanh({})", "ops.sin({})", "ops.cos({})", "ops.sigmoid({})", "ops.atan({})", "ops.erf({})"]
SMOOTH += ["ops.softplus({})", "ops.gelu({})", "ops.exp(-{0} * {0})", "ops.exp(0.3 * ops.sin({}))", "{} ** 2"]
SMOOTH += ["ops.sqrt(1.0 + {0} * {0})", "ops.log(1.5 + {0} * {0})", "ops.log1p({0} * {0})", "(2.0 + {0} * {0}) ** 0.7"]
SMOOTH += ["ops.expm1(0.2 * {})"]
KINKED = ["ops.relu({})", "ops.abs({})", "abs({})", "ops.clip({}, -0.8, 1.1)"]
PAIRS = ["{} + {}", "{} - {}", "{} * {}", "{} / (1.5 + {} ** 2)", "ops.hypot({}, 0.5 + ops.abs({}))"]
PAIRS += ["{} + 0.5 * {}", "0.3 * {} - {}", "-{} * {}", "ops.max({}, 0.9 * {})", "ops.min(0.8 * {}, {})"]
BOUNDED = [
    "ops.tanh({})",
    "ops.sin({})",
    "ops.atan({})",
    "0.9 * ops.tanh({})",
    "ops.clip({}, -2.0, 2.0)",
    "ops.tanh({}) + 0.1",
]
"""Whatever these are given, their results are small."""


class Writer:
    """A function `f` that is being written, line by line.

    Attributes:
        random: where all choices come from.
        scalars: the names of numbers that there are.
        lists: the names of lists of numbers, with their lengths.
        matrices: the names of lists of lists, with their shapes.
        places: the names of lists of integers, which take numbers from a list: this, and how many they are.
        width: how many numbers `model` takes; 0 if there is no model.
        head, lines: what stands before `f`, such as classes, and its body.
        asking: how many more questions about numbers Python may ask.
        room: about how many more operations there may be.
    """

    def __init__(self, random: Random, room: int, asking: int) -> None:
        self.random, self.room, self.asking = random, room, asking
        self.scalars: list[str] = []
        self.lists: dict[str, int] = {}
        self.matrices: dict[str, tuple[int, int]] = {}
        self.places: dict[str, tuple[str, int]] = {}
        self.width = 0
        self.head: list[str] = []
        self.lines: list[str] = []
        self._made = 0

    # ---- choices ----
    def among(self, options: Sequence[Any]) -> Any:
        return self.random.choice(list(options))

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def whole(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def constant(self) -> str:
        """A number of two digits, seldom a whole one."""
        found = round(self.random.uniform(0.11, 0.98), 2)
        return str(self.among([found, found, found, -found, 2.0, 0.5]))

    # ---- names ----
    def name(self, prefix: str = "v") -> str:
        self._made += 1
        return f"{prefix}{self._made}"

    def scalar(self) -> str:
        """A number that there is, sooner a late one."""
        return self.among(self.scalars[-3:] if self.chance(0.5) else self.scalars)

    def numbers(self, fewest: int = 1, most: int = 1000) -> str:
        """A list that there is, of such a length; one is made if need be."""
        fitting = [name for name, count in self.lists.items() if fewest <= count <= most]
        if fitting:
            return self.among(fitting)
        longest = max(self.lists, key=lambda name: self.lists[name])
        count = self.lists[longest]
        made = self.name("part")
        if count >= fewest:
            self.add(f"{made} = list({longest}[:{most}])")  # the whole one may be an array, which has no append
            self.lists[made] = most
        else:
            times = -(-fewest // count)
            self.add(f"{made} = list({longest}) * {times}")
            self.lists[made] = count * times
            return self.numbers(fewest, most) if count * times > most else made
        return made

    # ---- expressions ----
    def term(self, names: Sequence[str], depth: int = 1) -> str:
        """An operation on some of the names, sooner on the first of them, and on others inside of it."""
        kind = self.random.random()
        a, b = names[0] if self.chance(0.5) else self.operand(names, depth), self.operand(names, depth)
        while a == b and len(names) > 1:
            b = self.operand(names, depth)
        if kind < 0.35:
            return self.among(SMOOTH).format(a)
        if kind < 0.42:
            return self.among(KINKED).format(a)
        if kind < 0.5:
            return self.condition(a, b, self.operand(names, 0), self.operand(names, 0))
        return self.among(PAIRS).format(a, b)

    def condition(self, a: str, b: str, c: str, d: str) -> str:
        """A choice that both sides of are calculated."""
        sign, other = self.among(["<", ">", "<=", ">="]), self.among([f"0.8 * {b}", "0.3", "0.0"])
        return f"ops.select({a} {sign} {other}, {c}, {d})"

    def operand(self, names: Sequence[str], depth: int) -> str:
        kind = self.random.random()
        if kind < 0.12:
            return f"{self.constant()} * {self.among(names)}" if depth else self.among(names)
        if kind < 0.4 and depth > 0:
            return f"({self.term(names, depth - 1)})"
        return self.among(names)

    def bounded(self, names: Sequence[str], depth: int = 1) -> str:
        """As `term`, but not large, whatever the numbers are: what a recurrence may have for its next state."""
        return self.among(BOUNDED).format(self.term(names, depth))

    def question(self, names: Sequence[str]) -> str:
        """What Python asks of numbers."""
        other = self.among([f"0.9 * {self.among(names)}", "0.2", "0.0", "-0.4"])
        return f"{self.among(names)} {self.among(['<', '>', '<=', '>='])} {other}"

    # ---- text ----
    def add(self, line: str, deep: int = 0) -> None:
        """A line of `f`, or some."""
        self.lines += ["    " * (1 + deep) + part for part in line.split("\n")]

    def above(self, text: str) -> None:
        """Some lines before `f`."""
        self.head += [*text.strip("\n").split("\n"), ""]

    def keep(self, name: str, text: str) -> str:
        """A number under a name."""
        self.add(f"{name} = {text}")
        self.scalars.append(name)
        return name

    def keep_list(self, name: str, count: int, text: str | None = None) -> str:
        """A list under a name; without a text it is there already."""
        if text is not None:
            self.add(f"{name} = {text}")
        self.lists[name] = count
        return name

    def spend(self, operations: int) -> None:
        self.room -= operations

    def may(self, operations: int) -> bool:
        """Whether there is room for so many operations."""
        return operations <= self.room

    def reduced(self, text: str, over: str) -> str:
        """A number made of a text for each of some: `over` is a `for` with what is gone through."""
        kind = self.among(["ops.sum", "ops.sum", "ops.sum", "sum", "sum", "ops.logsumexp", "ops.largest", "least"])
        if kind == "least":
            return f"-ops.logsumexp([-({text}) {over}])"
        return f"{kind}([{text} {over}])"
