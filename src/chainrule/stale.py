"""The forgotten `zero_grad`, caught: each leaf remembers what happened to its gradient.

A leaf is *fresh* until its gradient was read and then its data written: now the gradient is *used*. A `backward()`
that adds to a used gradient *mixes* old and new; a further update with that mixture is the bug, and is warned about
once per line. Only setting the gradient to zero makes a leaf fresh again, so clipping it hides nothing. Accumulating
several backwards before an update, line searches and nudging data by hand never reach the mixed state.
"""

from __future__ import annotations

import warnings
from types import CodeType

from chainrule.errors import StaleGradientWarning
from chainrule.modes import caller, place

FRESH, CONSTANT, READ, USED, MIXED = 0, 1, 2, 4, 8
"""CONSTANT is a bit of its own: the leaf stands for a plain number, such as the 3 in `3 * x`, and gets no gradient."""

_warned: dict[tuple[int, int], CodeType] = {}
"""Where was warned already, by code object and line. (Held, so that its id stays its own; equal code that is made anew,
such as a cell of a notebook that is run again, is warned about again.)"""

_ADVICE = """backward() adds to .grad, so zero the gradients once a step:

    for step in range(steps):
        loss = ...
        model.zero_grad()            # this line is missing (or: for p in parameters: p.grad = 0)
        loss.backward()
        for p in model.parameters():
            p.data -= learning_rate * p.grad"""


def after_backward(state: int, grad: float) -> int:
    """The state of a leaf to whose gradient, `grad` so far, a backward() is about to add."""
    if not state & (USED | MIXED):
        return state
    return (state & CONSTANT) | (MIXED if grad != 0 else FRESH)


def after_write(state: int) -> int:
    """The state of a leaf whose data is written; warns if that was with a mixed gradient."""
    if not state & READ:
        return state
    if state & MIXED:
        _warn()
    return USED | (state & (MIXED | CONSTANT))


def _warn() -> None:
    frame = caller()
    line = (id(frame.f_code), frame.f_lineno)
    if line not in _warned:
        _warned[line] = frame.f_code
        message = f"{place(frame)} updates with a gradient in which earlier steps are still mixed: {_ADVICE}"
        warnings.warn_explicit(
            message, StaleGradientWarning, frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
        )
