"""Warnings of three mistakes in training loops: a forgotten `zero_grad`, a graph made once, outside of the loop, and an
update of a name in place of a number.

For the first, each leaf remembers what happened to its gradient.

A leaf is *fresh* until its gradient was read and then its data written: now the gradient is *used*. A `backward()`
that adds to a used gradient *mixes* old and new; a further update with that mixture is the bug, and is warned about
once per line. Only setting the gradient to zero makes a leaf fresh again, so clipping it hides nothing. Accumulating
several backwards before an update, line searches and nudging data by hand never reach the mixed state.

For the second, a leaf remembers that its data was *written* at some time, and a result remembers, until it is
refreshed, that a `backward()` *passed* it. A result that is passed *again* after some leaf was written, and that has a
written leaf as an operand, is recalculated: if this gives another number or slope, the result is outdated.

For the third, a leaf remembers that its gradient was *seen* since the last `backward()`: `p -= lr * p.grad` then is
meant to move it, and only makes a new Value.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from types import CodeType
from typing import Any

from chainrule.core.modes import call_of, caller, place
from chainrule.core.packing import Row
from chainrule.errors import LostUpdateWarning, StaleGradientWarning

FRESH, CONSTANT, READ, USED, MIXED, WRITTEN, PASSED, AGAIN, SEEN = 0, 1, 2, 4, 8, 16, 32, 64, 128
"""Bits of a node's state. CONSTANT marks a leaf for a plain number, such as the 3 in `3 * x`: it gets no gradient."""

STALE = USED | MIXED
LOOKED_AT = READ | SEEN
"""The bits that are set when a gradient is read: READ until the data is written, SEEN until the next backward()."""
LASTING = CONSTANT | WRITTEN | PASSED | AGAIN
"""The bits that stay when the gradient is set to zero."""

_READ, _USED, _MIXED, _STALE, _WRITTEN, _LASTING, _SEEN = READ, USED, MIXED, STALE, WRITTEN, LASTING, SEEN
"""The same bits for functions here that every step calls often: in the compiled build these are variables of C."""

_warned: dict[tuple[int, int, str], CodeType] = {}
"""The warnings that were given, by code object, line and advice. (The code object is held, so that no other gets its
id. Equal code that is compiled anew, such as a cell of a notebook that is run again, is warned about again.)"""

_written_since = False
"""Whether a leaf was written since the last walk over a graph began."""

_first = 0
"""The first walk after the last write. A result that only earlier walks passed may be stale; one that was passed since
was checked then, or made of the present numbers."""

_ADVICE = """backward() adds to .grad, so zero the gradients once a step:

    for step in range(steps):
        loss = ...
        model.zero_grad()            # this line is missing (or: for p in parameters: p.grad = 0)
        loss.backward()
        for p in model.parameters():
            p.data -= learning_rate * p.grad"""

_MAKE_ANEW = """a graph keeps the numbers that it was made from. Make the loss anew inside the loop, or call refresh():

    for step in range(steps):
        loss = ...                   # this line stands before the loop (or: loss.refresh())
        model.zero_grad()
        loss.backward()"""


_CHANGE_DATA = """the name stands for a new Value now, whose graph is longer after each step; the leaf stays as it was,
also where a model or an optimizer holds it. Change its number:

    for p in model.parameters():     # or without a loop, where p is all there is
        p.data {sign} learning_rate * p.grad"""


def after_backward(state: int, grad: float) -> int:
    """Returns the new state of a leaf to whose gradient, `grad` so far, a backward() is about to add."""
    state &= ~_SEEN
    if not state & _STALE:
        return state
    return (state & _LASTING) | (_MIXED if grad != 0 else 0)


def written(state: int) -> int:
    """Returns the new state of a leaf whose data is written by code that never looks at its gradient."""
    global _written_since  # noqa: PLW0603 - in the compiled build a variable of C
    _written_since = True
    return state | _WRITTEN


def after_write(state: int) -> int:
    """Returns the new state of a leaf whose data is written; warns if its gradient was read and is mixed."""
    global _written_since  # noqa: PLW0603 - as in `written`, without a call of it
    _written_since = True
    state |= _WRITTEN
    if not state & _READ:
        return state
    if state & _MIXED:
        _warn(_ADVICE, ["updates with a gradient in which earlier steps are still mixed"])
    return _USED | (state & (_MIXED | _LASTING))


def first_since_write(walk: int) -> int:
    """Returns the first walk after the last write of a leaf; `walk` is the one that begins."""
    global _written_since, _first
    if _written_since:
        _first, _written_since = walk, False
    return _first


def warn_if_outdated(results: list[Any]) -> None:
    """Warns if one of these results, all passed before, is not made of the present numbers of its leaves."""
    if results:
        _warn(_MAKE_ANEW, map(_outdated, results))


def warn_of_update(sign: str) -> None:
    """Warns that `p -= …`, or another `sign`, of a leaf whose gradient was just read moves a name and not the leaf."""
    _warn(_CHANGE_DATA.format(sign=sign), [f"says p {sign} … of a parameter"], LostUpdateWarning)


def _outdated(result: Any) -> str:
    names = [result.operands[i].label or f"operand {i + 1} of {call_of(result)}" for i in result.peek_written()]
    return f"calls backward() once more on a graph that is older than the data of {' or '.join(names)}" if names else ""


def is_outdated(op: Any, numbers: list[float], kept: tuple, data: float) -> bool:
    """Returns whether a result with this `data` and these `kept` local derivatives would be another one if it were
    recalculated from these `numbers` of its operands."""
    try:
        y, numbers = float(op.value(*numbers)), Row(numbers)
        now = [y, *[0.0 if slope is None else op.slope(i, numbers, y) for i, slope in enumerate(kept)]]
    except Exception:  # an operation of the user's own that refuses the new numbers
        return True
    before = [data, *[0.0 if slope is None else slope for slope in kept]]
    return list(map(repr, now)) != list(map(repr, before))  # as text, since nan does not equal nan


def _warn(advice: str, findings: Iterable[str], kind: type[Warning] = StaleGradientWarning) -> None:
    """Warns of the first finding that is not empty, once for each line of the user's."""
    frame = caller()
    line = (id(frame.f_code), frame.f_lineno, advice)
    if line not in _warned and (found := next(filter(None, findings), "")):
        _warned[line] = frame.f_code
        name = frame.f_globals.get("__name__") or "__main__"  # for a module of None Python would not warn
        message = f"{place(frame)} {found}: {advice}"
        warnings.warn_explicit(message, kind, frame.f_code.co_filename, frame.f_lineno, name)
