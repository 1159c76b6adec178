"""`chainrule step`: steps through a graph in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chainrule.cli.codes import FINE
from chainrule.cli.seeing import recorded
from chainrule.core.extras import require
from chainrule.errors import ArgumentError


def step(what: str, more: Sequence[str]) -> int:
    """Opens the stepper on an expression, a program or a recording."""
    require("textual", extra="terminal")
    from chainrule.see.terminal import Stepper  # noqa: PLC0415 - it needs textual

    recording = recorded(what, more)
    if not sys.stdout.isatty():
        raise ArgumentError("step needs a terminal; chainrule explain prints the same steps as text")
    Stepper(recording).run()
    return FINE
