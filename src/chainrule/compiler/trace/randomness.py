"""Refuses functions that draw random numbers or read a clock: compiled, they would keep one number for ever.

A function is traced a second time. Both runs must calculate the same, and the known generators of random numbers must
not change their state. No function of another module is replaced for this. A number that is the same both times, such
as today's date, cannot be distinguished from a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.trace.generators import numpys_are_there, restore, states, watched
from chainrule.compiler.trace.source_lines import Line, trace_with_lines
from chainrule.compiler.trace.tracing import Traced, bits_of
from chainrule.errors import TraceError


def traced_surely(
    name: str,
    function: Callable,
    again: Callable[[Traced | None], Traced],
    arguments: tuple[Callable, Sequence[Any]],
    held: Held | None = None,
) -> Traced:
    """Traces a function, and checks that it calculates the same each time.

    Args:
        name, function: the function, and its name in messages.
        again: traces it. Given an earlier trace, it returns that one itself where it can tell that the new one is the
            same.
        arguments: what `trace_with_lines` is called with, in order to find a line.
        held: the other things that the arguments hold besides numbers, if the key of a call covers them. Where the
            function changes these, it may calculate something else the next time.

    Raises:
        TraceError: the function calculates something else each time.
    """
    generators = watched([function] if held else [function, *arguments[1]])
    before, was, copy = states(generators), held and held.state(), held and held.copy()
    loaded = numpys_are_there()
    first, after = again(None), states(generators)
    if numpys_are_there() and not loaded:  # while it ran, and in which state they were nobody knows
        return traced_surely(name, function, again, arguments, held)
    if held and before == after and held.state() != was and _is_sure(first, held, copy):
        return first
    second, last = again(first), states(generators)
    if (second is first or _is_same(first, second)) and after == last:
        return first
    third, end = again(None), states(generators)  # the first run may have filled a cache
    if _is_same(second, third) and bits_of(first.outputs) == bits_of(third.outputs) and after == end == before:
        kept = {id(x) for x in third.live}.difference(map(id, first.live))
        return first if kept else third  # no derivative would flow through what it kept of the first run
    restore(generators, before)
    line = _line(*arguments)
    restore(generators, before)
    raise TraceError(
        f"{name} gives other numbers each time: by chance, by the clock, or by a state of its own{line}. Compiled, it "
        "would keep those of the first call for ever. Draw before the call, and give what was drawn as an argument: "
        "f(x, noise), and of a batch one for each sample, with in_axes=0; a model with dropout takes its mask so, or "
        "is compiled with the dropout switched off. Or draw by chainrule.random.uniform(key, i), a function of a key "
        "and of the number i of the sample"
    )


@dataclass
class Held:
    """The things that arguments hold besides numbers. A function may change them, and draw numbers from them.

    Attributes:
        state: returns a key of their present state.
        copy: returns a copy of them in their present state; None if they cannot be copied.
        trace: traces the function with such a copy.
    """

    state: Callable[[], Any]
    copy: Callable[..., Any]
    trace: Callable[[Any], Traced]


def _is_sure(first: Traced, held: Held, copy: Any) -> bool:
    """Whether a function that changed the things its arguments hold calculates the same again from a copy of their
    earlier state. It is assumed to do so where there is no copy, or where the copy lacks what changes, such as the cell
    of a function."""
    again = copy and held.copy(copy)
    if not again:
        return True
    changed = held.state()
    second = held.trace(copy)
    return held.state() != changed or _gives_same(first, second) or _gives_same(second, held.trace(again))


# ---- whether two traces are the same ---------------------------------------------------------------------------------


def _gives_same(a: Traced, b: Traced) -> bool:
    """Whether two traces calculate the same from the same numbers, whichever Values hold these."""
    live, others = [bits_of([x.peek_data() for x in traced.live]) for traced in (a, b)]
    return live == others and _calculates_same(a, b)


def _calculates_same(a: Traced, b: Traced) -> bool:
    one, other = a.graph, b.graph
    same = (one.ops, one.operands, one.outputs, one.guards, a.result) == (
        *(other.ops, other.operands, other.outputs, other.guards, b.result),
    )
    return same and len(a.live) == len(b.live) and bits_of(one.numbers) == bits_of(other.numbers)


def _is_same(a: Traced, b: Traced) -> bool:
    return _calculates_same(a, b) and all(
        # a Value that the function makes is another one each time
        x is y or (x.is_leaf() and y.is_leaf() and bits_of([x.peek_data()]) == bits_of([y.peek_data()]))
        for x, y in zip(a.live, b.live, strict=True)
    )


def _line(function: Callable, arguments: Sequence[Any]) -> str:
    """The first line at which a number of Python's own differs between two runs, as text for a message."""
    try:
        one, other = [trace_with_lines(function, arguments).constants for _ in range(2)]
    except Exception:  # a line is not worth another error
        return ""
    lines: list[Line] = [line for line, *_ in (one - other)]
    return f" ({lines[0]})" if lines else ""
