"""Random programs, as text: what people write with scalars (operations, loops over lists, branches), and its arguments.

A program has a palette of a few operations, so that its loops have bodies that look alike; what it is made of is drawn
by hypothesis, so that one that goes wrong shrinks to a small one. It prints as the text that it is.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from chainrule import Value, ops
from chainrule.core.operation import TABLE

SPECIAL = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -5e-324, 2.3e-308, 1e-300, 1e-16, -1e-9, 30.0, -38.0, 710.0]
SPECIAL += [-745.5, 1e16, 1e22, 1e300, -1e300, 1.7e308]
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
INFIX |= {"eq": "==", "ne": "!="}
BUILT_IN = sorted([op.name for op in TABLE.values() if op.built_in])  # so that the table's order changes no program
TAME = ["add", "sub", "mul", "add", "mul", "sin", "tanh", "exp", "sigmoid"]
"""Of these every program has some: those of the whole table alone soon end in a nan or in a constant."""

UNDOING = ("sub", "div")
"""These seldom take out what they begin with: the derivatives of x - x and v * x / v / x are nothing but rounding."""


@dataclass(frozen=True)
class Program:
    """A function as text, and what it is to be called with.

    Attributes:
        source: the text of a function `f`.
        calls: rows of arguments. Of a batch, an argument that differs from sample to sample is a list of samples.
        floats: the positions of the arguments that are no integers.
        in_axes, reduce: as `chainrule.compile` takes them.
        order: 1 for first derivatives, 2 for second ones as well.
        several: whether the result is a list.
    """

    source: str
    calls: list[list[Any]]
    floats: tuple[int, ...]
    in_axes: tuple[int | None, ...] | None = None
    reduce: str | None = None
    order: int = 1
    several: bool = False

    def function(self) -> Any:
        """What the text says."""
        space: dict[str, Any] = {"ops": ops, "inf": inf, "nan": nan, "p": Value(0.7)}
        exec(compile(self.source, "<program>", "exec"), space)
        return space["f"]

    def __repr__(self) -> str:
        rest = f", in_axes={self.in_axes}, reduce={self.reduce!r}" if self.in_axes else f", order={self.order}"
        calls = "\n".join([f"f({', '.join(map(repr, call))})" for call in self.calls])
        return f"\n{self.source}\n{calls}\n# argnums={self.floats}{rest}\n"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class Writer:
    """Writes a program, line by line.

    Attributes:
        draw: hypothesis's.
        scalars: the names of numbers that there are.
        lists: the names of lists, with their lengths.
        rows: how many lists, as long as `xs`, the argument `rows` has; 0 if there is none.
        place: whether there is an integer `i`, to take a number of a list by.
    """

    def __init__(self, draw: Any, scalars: list[str], lists: dict[str, int], rows: int, place: bool) -> None:
        self.draw, self.scalars, self.lists = draw, scalars, lists
        self.rows, self.place, self.ways = rows, place, 40
        self.lines: list[str] = []
        self.made = 0
        wild = draw(st.lists(st.sampled_from(BUILT_IN), min_size=1, max_size=3))
        self.palette = draw(st.lists(st.sampled_from(TAME), min_size=1, max_size=2)) + wild

    def among(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def new(self, prefix: str = "v") -> str:
        self.made += 1
        return f"{prefix}{self.made}"

    # ---- expressions ----
    def constant(self) -> str:
        return repr(self.draw(constants))

    def expression(self, names: list[str], depth: int = 1, first: str = "") -> str:
        """An operation of the palette on some of the names; `first`, if given, is one of its operands."""
        op = TABLE[self.among(self.palette)]
        count = len(op.operand_names) if op.operand_names is not None else self.draw(st.integers(1, 4))
        if op.name == "take":
            rest = [self.operand(names, depth) for _ in range(count)]
            return f"ops.take([{', '.join([first or self.among(names), *rest])}], {self.draw(st.integers(0, count))})"
        if op.name == "weighted_sum":
            pairs = [[self.operand(names, depth) for _ in range(count)] for _ in range(2)]
            bias = first or self.among(names)
            return f"ops.weighted_sum([{', '.join(pairs[0])}], [{', '.join(pairs[1])}], {bias})"
        at = self.draw(st.integers(0, count - 1))
        # one operand is a name at any rate: Python's own arithmetic of numbers raises errors
        operands = [first or self.among(names) if i == at else self.operand(names, depth) for i in range(count)]
        if op.takes_lists:
            return f"ops.{op.name}([{', '.join(operands)}])"
        if op.name in UNDOING and shared(names, operands) and self.draw(st.integers(0, 7)):
            operands[1] = self.constant()
        if op.name in INFIX:
            return f"({operands[0]} {INFIX[op.name]} {operands[1]})"
        return f"(-{operands[0]})" if op.name == "neg" else f"ops.{op.name}({', '.join(operands)})"

    def operand(self, names: list[str], depth: int) -> str:
        kind = self.draw(st.integers(0, 9))
        if kind == 9:
            return self.constant()
        return self.expression(names, depth - 1) if kind > 6 and depth > 0 else self.among(names)

    # ---- statements ----
    def add(self, line: str, deep: int = 1) -> None:
        self.lines.append("    " * deep + line)

    def scalar(self, text: str) -> None:
        name = self.new()
        self.add(f"{name} = {text}")
        self.scalars.append(name)

    def line(self) -> None:
        """One operation on what there is, sooner on what was made last."""
        self.scalar(self.expression(self.scalars, 1, self.among([self.scalars[-1], ""])))

    def branch(self) -> None:
        name, (a, b) = self.new(), [self.among(self.scalars) for _ in range(2)]
        self.add(f"if {a} {self.among(['<', '>=', '>', '<='])} {self.among([b, '0.5', '0.0'])}:")
        self.add(f"{name} = {self.expression(self.scalars)}", 2)
        self.add("else:")
        self.add(f"{name} = {self.expression(self.scalars, 0)}", 2)
        self.scalars.append(name)

    def halving(self) -> None:
        name, count, start = self.new(), self.new("k"), self.among(self.scalars)
        self.add(f"{name}, {count} = {start}, 0")
        self.add(f"while {name} {self.among(['<', '>'])} {self.among([*self.scalars, '0.25'])} and {count} < 5:")
        self.add(f"{name} = {self.expression([name, *self.scalars], 1, name)}", 2)
        self.add(f"{count} += 1", 2)
        self.scalars.append(name)

    def python(self) -> None:
        """What Python makes of several numbers, by asking which is larger."""
        a, b, c = [self.among(self.scalars) for _ in range(3)]
        texts = [f"max({a}, {b}, {c})", f"min([{a}, {b}])", f"sorted([{a}, {b}, {c}])[{self.among('012')}]"]
        texts += [f"abs({a})", f"({a} if {b} > {c} else {c})", f"ops.stop_gradient({a}) * {b}"]
        self.scalar(self.among(texts))

    def accumulation(self) -> None:
        name, xs = self.new(), self.among(self.lists)
        self.add(f"{name} = {self.among(['0.0', *self.scalars])}")
        self.add(f"for x in {xs}:")
        term = self.expression(["x", *self.scalars], 2, "x")
        self.add(f"{name} = {name} {self.among('++-*')} {term}", 2)
        self.scalars.append(name)

    def stepping(self) -> None:
        """One number or two that each step makes of themselves, and maybe of a list's."""
        name, xs = self.new(), self.among(self.lists)
        self.add(f"{name} = {self.among(self.scalars)}")
        head = self.among([f"for x in {xs}:", f"for x in range({self.lists[xs]}):"])
        names = [name, *self.scalars] + (["x"] if head.endswith(f"{xs}:") else [])
        if self.among([False, False, True]):
            other = self.new()
            self.add(f"{other} = {self.among(self.scalars)}")
            self.add(head)
            made = [self.expression([other, *names], 1, one) for one in (name, other)]
            self.add(f"{name}, {other} = {', '.join(made)}", 2)
            self.scalars.append(other)
        else:
            self.add(head)
            body = self.expression(names, 2, name)
            self.add(f"{name} = " + self.among([body, f"{name} + 0.1 * {body}"]), 2)
        self.scalars.append(name)

    def choosing(self) -> None:
        """A loop that goes one way or the other."""
        name, xs = self.new(), f"{self.among(self.lists)}[:{self.ways}]"
        self.add(f"{name} = {self.among(self.scalars)}")
        self.add(f"for x in {xs}:")
        self.add(f"if x > {self.among([name, *self.scalars, '0.0'])}:", 2)
        self.add(f"{name} = {self.expression([name, 'x', *self.scalars], 1, 'x')}", 3)
        self.scalars.append(name)

    def grid(self) -> None:
        """A list of numbers, each of which every step makes of itself and its neighbours."""
        name, xs = self.new("ys"), self.among(self.lists)
        self.add(f"{name} = list({xs})")  # a compiled function that is called with arrays gets arrays
        self.add(f"for t in range({self.among([2, 3, 5])}):")
        around = f"zip({name}[-1:] + {name}[:-1], {name}, {name}[1:] + {name}[:1])"
        self.add(f"{name} = [{self.expression(['l', 'm', 'r', *self.scalars], 1, 'm')} for l, m, r in {around}]", 2)
        self.lists[name] = self.lists[xs]

    def triangle(self) -> None:
        """Of each number and those before it."""
        name, xs = self.new("ys"), self.among(self.lists)
        count = min(7, self.lists[xs])
        reduce = self.among(["ops.sum", "ops.logsumexp", "ops.largest", "sum"])
        inner = self.expression(["x", f"{xs}[j]", *self.scalars], 0, "x")
        self.add(f"{name} = [{reduce}([{inner} for x in {xs}[:j + 1]]) for j in range({count})]")
        self.lists[name] = count

    def elementwise(self) -> None:
        name, (xs, ys) = self.new("ys"), [self.among(self.lists) for _ in range(2)]
        length = self.lists[xs]
        pairs = [f"{xs}, {ys}"] * 2 if self.lists[ys] == length else []
        pairs += [f"{xs}, {xs}[::-1]", f"{xs}, [{self.among(self.scalars)}] * {length}"]
        pairs += [f"{xs}[1:], {xs}"] if length > 1 else []
        chosen = self.among([*pairs, "", "", ""])
        if chosen:
            text = f"{self.expression(['x', 'y', *self.scalars], 2, 'x')} for x, y in zip({chosen})"
        else:
            text = f"{self.expression(['x', *self.scalars], 2, 'x')} for x in {xs}"
        self.add(f"{name} = [{text}]")
        self.lists[name] = length - chosen.startswith(f"{xs}[1:]")

    def layer(self) -> None:
        """As many neurons as `rows` has rows, or for each number of a list a sum over another one."""
        name, xs = self.new("ys"), self.among(self.lists)
        if "xs" in self.lists and self.rows and self.lists[xs] == self.lists["xs"]:
            inner = [f"ops.weighted_sum(row, {xs}, {self.among(self.scalars)})"]
            inner.append(f"sum([w * x for w, x in zip(row, {xs})])")
            self.add(f"{name} = [{self.among(inner)} for row in rows]")
            self.lists[name] = self.rows
        else:
            ys = self.among(self.lists)
            term = self.expression(["x", "y", *self.scalars], 0, "x")
            self.add(f"{name} = [ops.sum([{term} for x in {xs}]) for y in {ys}[:5]]")
            self.lists[name] = min(5, self.lists[ys])

    def reduction(self) -> None:
        xs, ys = [self.among(self.lists) for _ in range(2)]
        texts = [f"sum({xs})", f"ops.sum({xs})", f"ops.logsumexp({xs})", f"ops.largest({xs})", f"{xs}[0] * {xs}[-1]"]
        texts += [f"max({xs})", f"sum([x * y for x, y in zip({xs}, {ys})])"]
        if self.place:
            texts.append(f"ops.take({xs}, i)")
        if self.lists[xs] == self.lists[ys]:
            texts.append(f"ops.weighted_sum({xs}, {ys}, {self.among(self.scalars)})")
        self.scalar(self.among(texts))


def shared(names: list[str], texts: list[str]) -> set[str]:
    """Those of the names that stand in each of the texts."""
    return set(names).intersection(*[re.findall(r"\w+(?:\[\w+\])?", text) for text in texts])


tame = st.integers(-300, 300).map(lambda n: n / 100)
constants = st.one_of(tame, tame, tame, tame, tame, st.sampled_from(SPECIAL))

_LISTS = ["accumulation", "stepping", "elementwise", "layer", "choosing", "grid", "triangle"]
STATEMENTS = {
    "straight": ["line"] * 5 + ["branch", "python", "halving", "reduction"],
    "loops": [*_LISTS, "elementwise", "reduction", "line"],
    "mixed": [*_LISTS, "line", "line", "branch", "python", "reduction"],
}
"""What a program of a kind is made of."""

ASKING = ("branch", "python", "choosing")
"""Those of them that Python decides something in."""


@st.composite
def programs(draw: Any, kind: str, batch: bool = False, reduce: tuple[str | None, ...] = (None,)) -> Program:
    """Programs of a kind.

    Args:
        kind: see `STATEMENTS`.
        batch: whether some of the arguments differ from sample to sample.
        reduce: what becomes of a batch.
    """
    longest = 6 if kind == "straight" else 9 if batch else 44
    length = draw(st.one_of(st.integers(1, longest), st.integers(longest // 2, longest)))
    rows = draw(st.sampled_from([0, 0, 2, 3] if batch else [0, 0, 3, 6])) if kind != "straight" else 0
    place = draw(st.integers(0, 3)) == 3
    writer = Writer(draw, ["a", "b"], {"xs": length}, rows, place)
    if draw(st.integers(0, 4)) == 4:
        writer.scalars.insert(0, "p")
    before = len(writer.scalars)
    writer.ways = 2 if batch else 40
    fewest, most = (2, 12) if kind == "straight" else (2, 5)
    asking = 0
    for statement in draw(st.lists(st.sampled_from(STATEMENTS[kind]), min_size=fewest, max_size=most)):
        asking += statement in ASKING
        # each way that some of the samples go has to be compiled: one such statement is enough
        getattr(writer, "line" if batch and asking > 1 and statement in ASKING else statement)()
    last = [f"ops.sum({name})" for name in list(writer.lists)[1:][-2:]] + writer.scalars[before:][-3:]
    several = kind == "straight" and draw(st.integers(0, 4)) == 4
    result = f"[{', '.join(last)}]" if several else " + ".join(last)
    names = ["a", "b", "xs", *["rows"] * bool(rows), *["i"] * place]
    text = "\n".join([f"def f({', '.join(names)}):", *writer.lines, f"    return {result}"])
    in_axes = draw(axes(len(names))) if batch else None
    samples = draw(st.sampled_from([1, 2, 3, 8, 9, 17])) if batch else 0
    calls = [draw(arguments(names, length, rows, in_axes, samples)) for _ in range(1 if batch else 3)]
    order = 2 if kind == "straight" and len(writer.lines) < 9 and not several and draw(st.booleans()) else 1
    floats = tuple(range(len(names) - place))
    return Program(text, calls, floats, in_axes, draw(st.sampled_from(reduce)), order, several)


def axes(count: int) -> Any:
    """Which arguments differ from sample to sample: one at least."""
    one = st.sampled_from([0, None])
    return st.tuples(*[one] * count).map(lambda found: found if 0 in found else (0, *found[1:]))


@st.composite
def arguments(draw: Any, names: list[str], length: int, rows: int, in_axes: Any, samples: int) -> list[Any]:
    """Arguments for one call; some have special numbers among them."""
    rng = random.Random(draw(st.integers(0, 2**16)))
    special = draw(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(SPECIAL)), max_size=3))

    def numbers(n: int, name: str) -> list[float]:
        found = [rng.randint(-200, 200) / 100 for _ in range(n)]
        for at, x in special:
            here = at % 6 < len(names) and names[at % 6] == name
            if here and (not samples or rng.random() < 0.3):  # of a batch, some samples
                found[at // 6 % n] = x
        return found

    def one(name: str) -> Any:
        if name == "rows":
            return [numbers(length, name) for _ in range(rows)]
        if name == "i":
            return rng.randint(0, length - 1)
        return numbers(length, name) if name == "xs" else numbers(1, name)[0]

    batched = in_axes or (None,) * len(names)
    return [
        one(x) if axis is None else [one(x) for _ in range(samples)] for x, axis in zip(names, batched, strict=True)
    ]
