"""The base class of the contestants' programs."""

from __future__ import annotations

from time import perf_counter


class AbsentError(Exception):
    """A contestant cannot take part in a workload; the message says why."""


class Entry:
    """One contestant in one workload.

    A *unit* is `steps` steps from the same beginning. Only `run` is timed; `reset`, which goes back to that beginning,
    and `numbers` are not. `__init__` makes the data and imports the library, untimed.
    """

    steps = 1
    """The number of steps of a unit."""
    checked = 1
    """The number of steps whose results are compared."""
    rounds: int | None = None
    """The most rounds, for slow contestants."""
    tolerance = 1e-9
    """The tolerance of results, relative to the largest of them or to 1."""
    compiles = False
    """Whether the first unit includes preparation."""
    threads = False
    """Whether it runs on several cores."""
    note = ""

    def build(self) -> None:
        """Traces, records, compiles. The set-up time is the time of this, and what the first unit takes longer than the
        second."""

    def reset(self) -> None:
        """Goes back to the beginning."""

    def run(self, steps: int) -> None:
        """Runs steps, and waits until they are done."""
        raise NotImplementedError

    def numbers(self) -> list[float]:
        """The results of the last run: the losses of its steps, or a value and its derivatives."""
        raise NotImplementedError

    def timed(self, steps: int) -> float:
        """The seconds of one run from the beginning; a contestant with processes of its own waits here."""
        self.reset()
        start = perf_counter()
        self.run(steps)
        return perf_counter() - start

    def open(self) -> tuple[float | None, float]:
        """The seconds of the set-up, or None without one, and the seconds of a unit."""
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
