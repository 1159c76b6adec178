"""The summary of a model: its layers, what goes in and comes out of each, and how many parameters it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from chainrule.nn.holders import attributes

HEADINGS = ("part", "kind", "shape", "activation", "parameters")


@dataclass(frozen=True)
class Part:
    """A row of a summary.

    Attributes:
        name: where the part is in the model, such as `layers.0`.
        kind: its class.
        shape: of a layer, how many numbers go in and come out, such as `3 → 4`; of another part, its size, such as
            `2 × 3`; "" for a single number.
        activation: the name of its activation; "" where there is none.
        parameters: how many parameters it has.
    """

    name: str
    kind: str
    shape: str
    activation: str
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The result of `Module.summary()`: a table in a console or notebook.

    Attributes:
        model: the class of the model.
        parts: its parts.
        parameters: how many parameters it has; one that is in two places counts once.
    """

    model: str
    parts: tuple[Part, ...]
    parameters: int

    def __str__(self) -> str:
        rows = [HEADINGS, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for *words, number in rows:
            cells = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
            lines.append("  ".join([*cells, number.rjust(widths[-1])]))
        return "\n".join([self._title(), *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join([f'<th scope="col">{heading}</th>' for heading in HEADINGS])
        rows = ["".join([f"<td>{escape(word)}</td>" for word in row]) for row in self._rows()]
        body = "".join([f"<tr>{row}</tr>" for row in rows])
        caption = f"<caption>{escape(self._title())}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _title(self) -> str:
        return f"{self.model}: {self.parameters:,} parameter{'' if self.parameters == 1 else 's'}"

    def _rows(self) -> list[tuple[str, ...]]:
        return [(part.name, part.kind, part.shape, part.activation, f"{part.parameters:,}") for part in self.parts]


def summarise(model: Any, base: type) -> Summary:
    """Counts the parameters of each layer, and of each attribute of a Module that is none.

    Args:
        model: the model.
        base: the class Module.

    Raises:
        ArgumentError: a parameter would be missed.
    """
    modules = dict(_modules(model, base))
    names = [name for name, _ in model.named_parameters()]
    counts: Counter[tuple[str, str]] = Counter([_row(name, modules) for name in names])
    parts = []
    for (place, attribute), count in counts.items():
        module = modules[place]
        shape, activation = (_sizes(attributes(module).get(attribute)), "") if attribute else module._described()
        name = ".".join(filter(None, [place, attribute]))
        parts.append(Part(name, type(module).__name__, shape, activation, count))
    return Summary(type(model).__name__, tuple(parts), len(names))


def _modules(model: Any, base: type) -> Iterator[tuple[str, Any]]:
    """Yields the Modules in a model, each with its name; that of the model is empty."""
    seen: dict[int, Any] = {}
    waiting: list[tuple[str, Any]] = [("", model)]
    while waiting:
        name, thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        parts: Any = ()
        if isinstance(thing, base):
            yield name, thing
            parts = attributes(thing).items()
        elif isinstance(thing, list | tuple):
            parts = enumerate(thing)
        elif isinstance(thing, dict):
            parts = thing.items()
        prefix = f"{name}." if name else ""
        waiting += reversed([(f"{prefix}{key}", part) for key, part in parts])


def _row(parameter: str, modules: Mapping[str, Any]) -> tuple[str, str]:
    """The place in which a parameter is counted: that of the outermost layer around it, or else that of the innermost
    Module and the attribute there."""
    words = parameter.split(".")
    places = [place for i in range(len(words)) if (place := ".".join(words[:i])) in modules]
    layer = next((place for place in places if modules[place]._described()[0]), None)
    if layer is not None:
        return layer, ""
    inside = words[places[-1].count(".") + 1 :] if places[-1] else words
    return places[-1], inside[0]


def _sizes(part: Any) -> str:
    """The lengths of nested lists.

    >>> _sizes([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    '2 × 3'
    """
    lengths = []
    while isinstance(part, list | tuple) and part:
        lengths.append(f"{len(part):,}")
        part = part[0]
    return " × ".join(lengths)
