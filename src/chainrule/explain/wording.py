"""Words and lines for explanations and reports in a terminal: names of Values, and text of at most 80 columns.

`notation.py` writes the numbers and formulas that are put into lines here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from chainrule.core.naming import names_in
from chainrule.engine import Value
from chainrule.explain.notation import short

WIDTH = 80


def names_of(order: Sequence[Value]) -> dict[int, str]:
    """Names every Value: by its label if it has one, or as a parameter or input of a model; otherwise y for the result,
    n1, n2, … for others, and v1, v2, … for inputs."""
    names: dict[int, str] = {}
    taken: dict[str, int] = {}
    in_models = names_in(order)
    for node in order:
        label = " ".join(node.label.split()) or ("" if node.constant else in_models.get(id(node), ""))
        if label:
            names[id(node)] = _free(label, taken)
    numbers = {"n": 0, "v": 0}
    for node in order:
        if id(node) in names:
            continue
        if node is order[-1] and node.operands:
            names[id(node)] = _free("y" if "y" not in taken else "out", taken)
            continue
        letter = "n" if node.operands else "v"
        if node.constant:
            names[id(node)] = short(node.data)
            continue
        numbers[letter] += 1
        while f"{letter}{numbers[letter]}" in taken:
            numbers[letter] += 1
        names[id(node)] = f"{letter}{numbers[letter]}"
    return names


def _free(label: str, taken: dict[str, int]) -> str:
    """The label, followed by a number if another Value has it already; `taken` counts the uses."""
    name = label
    while name in taken:
        taken[label] += 1
        name = f"{label}_{taken[label]}"
    taken[name] = 1
    return name


def name_or_number(node: Value, names: dict[int, str]) -> str | float:
    return node.data if node.constant and not node.label else names[id(node)]


def gradient_text(x: float) -> str:
    return short(x + 0.0)  # + 0.0 turns -0.0 into 0.0, as the sign of a zero gradient means nothing


def factor_text(x: float) -> str:
    text = gradient_text(x)
    return f"({text})" if text.startswith("-") else text


def derivative(of: str, by: str) -> str:
    """`dy/dx`, or `dy/d(layers.0.w)` where a name is not one word."""
    return "/".join([f"d{name}" if name.replace("_", "a").isalnum() else f"d({name})" for name in (of, by)])


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def without_repeats(parts: Sequence[str]) -> list[str]:
    """Drops empty parts, and parts that repeat the one before."""
    kept: list[str] = []
    for part in parts:
        if part and (not kept or part != kept[-1]):
            kept.append(part)
    return kept


def equation(indent: str, parts: Sequence[str]) -> Iterator[str]:
    """`a = b = c` on one line, or on several if that is too long."""
    parts = without_repeats([cut(part) for part in parts])
    line = indent + parts[0]
    for part in parts[1:]:
        if len(line) + 3 + len(part) > WIDTH and line.strip() != parts[0]:
            yield line
            line = f"{indent}    = {part}"
        else:
            line += f" = {part}"
    yield line


def side_by_side(head: str, parts: Sequence[str]) -> Iterator[str]:
    """The parts on one line, or one below the other if that is too long."""
    if len(line := head + ", ".join(parts)) <= WIDTH:
        yield line
    else:
        yield head + parts[0]
        yield from [" " * len(head) + part for part in parts[1:]]


def wrapped(head: str, text: str) -> Iterator[str]:
    """Wraps a text in lines, the first of which begins with `head`; `x = 2` stays on one line."""
    glued = text.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(
        glued,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def cut(text: str, width: int = 60) -> str:
    """Shortens a long formula in the middle, so that its beginning and end stay."""
    words = text.split(" ")
    if len(text) <= width or len(words) < 3:
        return text
    first, last = words[:1], words[-1:]
    for before, after in zip(words[1:], reversed(words[:-1]), strict=True):
        if len(" ".join([*first, before, "…", after, *last])) > width:
            break
        first, last = [*first, before], [after, *last]
    return " ".join([*first, "…", *last])
