"""chainrule's compiler: a step of training by a loss over a list of points, and a random graph."""

from __future__ import annotations

from typing import Any

from compiled_contest.chainrule_api import entries
from compiled_contest.entry import Entry
from compiled_contest.growth.problem import REGULAR, points
from compiled_contest.irregular.chainrule_compiled import Compiled
from compiled_contest.moons_lists.chainrule_compiled import Lists


class Growing(Lists):
    steps = checked = 1

    def __init__(self, name: str, options: dict[str, Any], operations: int) -> None:
        super().__init__(name, options)
        self.points, self.labels = points(operations)


def entry(name: str, options: dict[str, Any], family: str, operations: int) -> Entry:
    if family == REGULAR:
        return Growing(name, options, operations)
    return Compiled(name, options, "wide", operations)


ENTRIES = entries(entry)
