"""`chainrule playground`: the page in which a small net trains."""

from __future__ import annotations

from pathlib import Path

from chainrule.cli import outputs
from chainrule.cli.codes import FINE
from chainrule.cli.seeing import leave
from chainrule.see.playground import playground as page


def playground(out: Path | None, *, show: bool, force: bool, quiet: bool) -> int:
    """Writes the page, and opens it if asked to."""
    target = out or Path("playground.html")
    outputs.check(target, outputs.PAGE, force=force, inputs=[])
    leave(target, page(), show=show, quiet=quiet)
    return FINE
