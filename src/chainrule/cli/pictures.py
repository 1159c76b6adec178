"""The picture that `chainrule train` leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.cli.screen import remark
from chainrule.errors import MissingExtraError, require
from chainrule.nn import Module
from chainrule.training import History

if TYPE_CHECKING:
    from chainrule.cli.train import Problem


def can_draw(*, required: bool) -> bool:
    """Whether matplotlib is there; if not, says how to get it.

    Raises:
        MissingExtraError: it is not, and a picture is `required`.
    """
    try:
        require("matplotlib", extra="plot")
    except MissingExtraError as error:
        if required:
            raise
        remark(f"there will be no picture: {error}")
        return False
    return True


def save_picture(path: Path, problem: Problem, model: Module, history: History) -> None:
    pass
