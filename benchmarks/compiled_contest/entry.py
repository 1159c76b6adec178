"""What a contestant does in a workload: the base of all those classes."""

from __future__ import annotations

from time import perf_counter


class AbsentError(Exception):
    """A contestant cannot take part in a workload; the message says why."""


class Entry:
    """One contestant in one workload.

    A *unit* is `steps` steps from the same beginning. What is timed is `run`; `reset`, which goes back to that
    beginning, and `numbers` are not. `__init__` makes the data and imports the library, untimed.
    """

    steps = 1
    """How many steps make a unit."""
    checked = 1
    """How many steps are run to compare their numbers."""
    rounds: int | None = None
    """At most so many rounds, where one takes long."""
    tolerance = 1e-9
    """How far a number may be off, relative to the largest of them or to 1."""
    compiles = False
    """Whether the first unit takes longer than the second, because something is prepared."""
    threads = False
    """Whether it is to run on several cores at once."""
    note = ""

    def build(self) -> None:
        """Traces, records, compiles; this, and what a first unit takes longer than a second, is the set-up time."""

    def reset(self) -> None:
        """Back to the beginning."""

    def run(self, steps: int) -> None:
        """Does the steps, and waits until they are done."""
        raise NotImplementedError

    def numbers(self) -> list[float]:
        """What came out of the last run: the losses of its steps, or a result and its derivatives."""
        raise NotImplementedError

    def timed(self, steps: int) -> float:
        """The seconds of one run from the beginning; here too waits a contestant that has processes of its own."""
        self.reset()
        start = perf_counter()
        self.run(steps)
        return perf_counter() - start

    def open(self) -> tuple[float | None, float]:
        """The seconds of the set-up, None where there is nothing to set up, and those of a unit."""
        start = perf_counter()
        self.build()
        building = perf_counter() - start
        first, second = self.timed(self.steps), self.timed(self.steps)
        return (building + max(first - second, 0.0) if self.compiles else None), second

    def check(self) -> list[float]:
        self.timed(self.checked)
        return self.numbers()

    def block(self, steps: int, repeats: int) -> float:
        """The seconds of a step."""
        return sum(self.timed(steps) for _ in range(repeats)) / (steps * repeats)
