"""From a seed to a program: its text, its arguments, what is done with it, and the numbers that it gets.

A seed means the same program for ever, on every version of Python: everything is drawn from `random.Random`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from . import flows, mutated, objects, ragged
from .writer import Writer

LARGE = 100_000
"""The samples of every fiftieth program."""

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 500, 1000]
SIZES += [1023, 1024, 1025, 2049]
SMALL = [1, 2, 3, 7, 8, 9, 15, 16, 17, 24]
"""So few that the reference can go through all of them, where they are added up."""

DISTINCT = 997
"""So many samples of a large batch are drawn; they come again and again. A prime, so that no block repeats."""


@dataclass(frozen=True)
class Argument:
    """An argument of `f`.

    Attributes:
        name: what it is called.
        shape: of one sample: () for a number, (n,) for a list, (n, m) for a list of lists.
        axis: along which its samples lie; None if all have the same.
        below: of integers, what they are all less than; 0 for floats.
        form: "list", "tuple" or "array", as which it is given.
        parts: of a dict, what is under its keys; then the rest says nothing.
    """

    name: str
    shape: tuple[int, ...] = ()
    axis: int | None = None
    below: int = 0
    form: str = "list"
    parts: tuple[Argument, ...] = ()

    @property
    def axes(self) -> Any:
        """As `in_axes` takes it."""
        return {part.name: part.axes for part in self.parts} if self.parts else self.axis

    @property
    def leaves(self) -> tuple[Argument, ...]:
        return self.parts or (self,)


@dataclass(frozen=True)
class Program:
    """A function as text, and what it is to be called with.

    Attributes:
        seed: what it was made from.
        source: the text of a function `f`, and of what it needs.
        arguments: what it takes; without a model.
        model: "" if there is none, "argument" if it is the last argument, "around" if `f` uses a global one.
        task: "gradient", "jacobian", or "step" for training steps of the model.
        options: as `chainrule.compile` takes them, without `in_axes`.
        batches: for each call the number of samples; 0 where nothing is batched.
    """

    seed: int
    source: str
    arguments: tuple[Argument, ...]
    model: str = ""
    task: str = "gradient"
    options: dict[str, Any] = field(default_factory=dict)
    batches: tuple[int, ...] = (0,)

    @property
    def in_axes(self) -> tuple[Any, ...] | None:
        """As `chainrule.compile` takes it."""
        if not self.batches[0]:
            return None
        return tuple([a.axes for a in self.arguments] + [None] * (self.model == "argument"))

    @property
    def bits(self) -> int:
        return 32 if self.options.get("dtype") == "float32" else 64

    def __str__(self) -> str:
        about = [f"# seed {self.seed}: {self.task}", f"in_axes={self.in_axes}", f"batches={self.batches}"]
        return f"{self.source}\n{', '.join([*about, *[f'{key}={x!r}' for key, x in self.options.items()]])}\n"


class Maker:
    """Makes the program of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, Random(seed)
        r = self.random
        self.large = seed % 50 == 7
        self.task = "gradient" if self.large else r.choices(["gradient", "jacobian", "step"], [80, 12, 8])[0]
        self.batched = self.large or self.task == "step" or r.random() < 0.7
        room = r.choices([60, 200, 500, 3000], [38, 42, 17, 3])[0]
        self.long = room == 3000 and not self.large
        asking = r.choice([0, 0, 2, 4]) if self.batched else r.choice([0, 4, 8])
        self.writer = Writer(r, min(room, 250) if self.large else room, asking)
        self.model = "around" if self.task == "step" else r.choices(["", "argument", "around"], [75, 15, 10])[0]

    def program(self) -> Program:
        arguments = self._arguments()
        if self.model:
            self._model()
        self._stories()
        result = self._result()
        w = self.writer
        names = [a.name for a in arguments] + ["model"] * (self.model == "argument")
        lines = [*w.head, f"def f({', '.join(names)}):", *self._unpacked(arguments), *w.lines, f"    return {result}"]
        options = self._options()
        return Program(
            self.seed, "\n".join(lines), tuple(arguments), self.model, self.task, options, self._batches(options)
        )

    # ---- what it takes ----
    def _axis(self, dimensions: int) -> int | None:
        if not self.batched:
            return None
        return self.random.choices([0, 1 if dimensions and self.task != "step" else 0, None], [60, 8, 32])[0]

    def _form(self, axis: int | None) -> str:
        kinds = ["list", "array"] if axis is not None else ["list", "list", "tuple", "array"]
        return self.random.choice(kinds) if self.task != "step" else "array" if axis is not None else "list"

    def _argument(self, name: str, *shape: int, below: int = 0, first: bool = False) -> Argument:
        axis = 0 if first and self.batched else self._axis(len(shape))
        form = "list" if below and axis is None else self._form(axis)
        return Argument(name, shape, axis, below, form if shape or axis is not None else "list")

    def _arguments(self) -> list[Argument]:
        r, w = self.random, self.writer
        n = r.randint(4, 40) if self.long else r.choice([3, 4, 5, 6, 7, 8, 9, 10, 12, 16])
        if self.large:
            n = min(n, 8)
        found = [self._argument("xs", n, first=True)]
        w.lists["xs"] = n
        w.scalars = ["xs[0]", "xs[-1]"]
        for name in ["a", "b"][: r.choice([1, 2, 2])]:
            found.append(self._argument(name))
            w.scalars.append(name)
        if r.random() < 0.5:
            m = r.choice([n, n, r.randint(2, 12)])
            found.append(self._argument("gs", m))
            w.lists["gs"] = m
        if r.random() < 0.25:
            shape = r.randint(2, 4), r.choice([n if n < 9 else 3, r.randint(2, 5)])
            found.append(self._argument("rows", *shape))
            w.matrices["rows"] = shape
        if r.random() < 0.15:
            count = r.randint(2, 5)
            found.append(self._argument("ks", count, below=n))
            w.places["ks"] = "xs", count
        if r.random() < 0.15 and self.task != "step":
            parts = self._argument("scale"), self._argument("shifts", 3)
            found.append(Argument("settings", parts=parts))
            w.scalars.append("scale")
            w.lists["shifts"] = 3
        return found

    def _unpacked(self, arguments: Sequence[Argument]) -> list[str]:
        """The first lines of `f`."""
        dicts = [f'    scale, shifts = {a.name}["scale"], {a.name}["shifts"]' for a in arguments if a.parts]
        lists = [leaf for a in arguments for leaf in a.leaves if len(leaf.shape) == 1 and not leaf.below]
        copied = [leaf.name for leaf in lists if leaf.form != "list" or self.random.random() < 0.5]
        return [*dicts, *[f"    {name} = list({name})" for name in copied]]

    def _model(self) -> None:
        """A Module with parts and methods."""
        r, w = self.random, self.writer
        size = w.width = r.randint(2, 3)

        def numbers() -> str:
            return f"[{', '.join([f'Value({round(r.uniform(-1, 1), 2)})' for _ in range(size)])}]"

        w.above(f"""
class Unit(Module):
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        return {r.choice(["ops.tanh", "ops.sin", "ops.relu", "ops.softplus"])}(ops.weighted_sum(self.w, x, self.b))


class Model(Module):
    def __init__(self):
        self.units = [{", ".join([f"Unit({numbers()}, Value({round(r.uniform(-1, 1), 2)}))" for _ in range(size)])}]
        self.back = {numbers()}
        self.rate = Value(0.4)

    def forward(self, x):
        return ops.sum([c * unit(x) for c, unit in zip(self.back, self.units)])

    def step(self, h, x):
        found = [unit(h) + c * x for c, unit in zip(self.back, self.units)]
        return [old + self.rate * (new - old) for old, new in zip(h, found)]


model = Model()
""")

    # ---- what it does ----
    def _stories(self) -> None:
        r, w = self.random, self.writer
        groups = [objects.STORIES, ragged.STORIES, mutated.STORIES, flows.STORIES]
        most = w.room
        if self.model:
            flows.model(w)
        if w.places:
            ragged.take(w)
        while w.room > 0.3 * most or not w.lines:
            r.choice(r.choice(groups))(w)
            if r.random() < 0.15:
                break

    def _result(self) -> str:
        r, w = self.random, self.writer
        lists = [f"ops.sum({name})" for name in list(w.lists)[-3:]]
        parts = list(dict.fromkeys([*lists, *w.scalars[-4:]]))
        if self.task == "jacobian":
            parts = parts[-4:]
            keyed = ", ".join([f'"{"pqrs"[k]}": {part}' for k, part in enumerate(parts)])
            whole = ", ".join(parts)
            return r.choice(
                [f"[{whole}]", f"({whole},)", f"{{{keyed}}}", f"[{parts[0]}, [{whole}]]", f"list({list(w.lists)[-1]})"]
            )
        whole = " + ".join(parts)
        if self.task == "step":
            return f"ops.tanh(0.3 * ({whole})) + 0.1 * model([a] * {w.width}) ** 2"
        return r.choice([whole, whole, f"ops.tanh({whole})", f"ops.logsumexp([{', '.join(parts)}])"])

    # ---- how it is run ----
    def _options(self) -> dict[str, Any]:
        r, options = self.random, {}
        if self.batched and self.task != "step" and r.random() < 0.12:
            options["reduce"] = r.choice(["sum", "mean"])
        chance = r.random()
        if chance < 0.05:
            options["dtype"] = "float32"
        elif chance < 0.08 and self.task != "step":
            options["strict"] = True
        if r.random() < 0.05:
            options["threads"] = 2
        if r.random() < (0.5 if self.long else 0.06):
            options["memory_limit"] = r.choice([2**10, 2**13, 2**16])
        return options | {"max_traces": 100}

    def _batches(self, options: dict[str, Any]) -> tuple[int, ...]:
        if not self.batched:
            return (0, 0, 0)
        if self.large:
            return (LARGE,)
        sizes = SMALL if "reduce" in options or self.task == "step" else SIZES
        return tuple([self.random.choice(sizes) for _ in range(1 if self.task == "step" else 2)])


def program_of(seed: int) -> Program:
    """The program that a seed stands for."""
    return Maker(seed).program()


class Numbers:
    """The numbers of one call of a program.

    Attributes:
        samples: how many there are, 1 where nothing is batched.
        distinct: so many of them are different; sample s is like s % distinct.
    """

    def __init__(self, program: Program, call: int) -> None:
        self.program = program
        self.samples = program.batches[call] or 1
        added = "reduce" in program.options or program.task == "step"
        self.distinct = min(self.samples, SMALL[-1] if added else DISTINCT)
        self._random = Random(f"{program.seed} {call}")
        self._found = {id(leaf): self._drawn(leaf) for a in program.arguments for leaf in a.leaves}

    def _drawn(self, leaf: Argument) -> list[Any]:
        return [self._nested(leaf, leaf.shape) for _ in range(1 if leaf.axis is None else self.distinct)]

    def _nested(self, leaf: Argument, shape: tuple[int, ...]) -> Any:
        if shape:
            return [self._nested(leaf, shape[1:]) for _ in range(shape[0])]
        return self._random.randrange(leaf.below) if leaf.below else self._rounded(self._random.uniform(-1.5, 1.5))

    def _rounded(self, x: float) -> float:
        """A number that 32 bits can have as well."""
        return round(x * 2**20) / 2**20

    def of(self, leaf: Argument) -> list[Any]:
        """A leaf's numbers: for each distinct sample, or one for all."""
        return self._found[id(leaf)]

    def sample(self, argument: Argument, s: int) -> Any:
        """What one sample has of an argument, in nested lists."""
        if argument.parts:
            return {part.name: self.sample(part, s) for part in argument.parts}
        return self.of(argument)[0 if argument.axis is None else s % self.distinct]

    def parameters(self, count: int) -> list[float]:
        """Other numbers for a model's parameters."""
        return [self._rounded(self._random.uniform(-1.0, 1.0)) for _ in range(count)]
