"""The targets of the eager engine, each with the figure of this run."""

from __future__ import annotations

from dataclasses import dataclass

from contest.contestants import COLLECTOR_OFF, COMPILED, FLOATS, MICROGRAD, PURE
from contest.demo import NN, OWN
from contest.rounds import Results

Side = tuple[str, str]  # contestant, measure


@dataclass(frozen=True)
class Ratio:
    title: str
    workload: str
    above: Side
    below: Side
    limit: float
    at_least: bool = False

    def figure(self, results: dict[str, Results]) -> float | None:
        ratio = results[self.workload].ratio(self.above, self.below) if self.workload in results else None
        return ratio and ratio[0]


@dataclass(frozen=True)
class Weight:
    title: str
    field: str
    limit: float
    at_least: bool = False

    def figure(self, results: dict[str, Results]) -> float | None:
        answers = results["memory"].answers.get(COMPILED) if "memory" in results else None
        return answers[0][self.field] if answers else None


FORWARD_FLOATS = (FLOATS, "forward")

TARGETS: list[Ratio | Weight] = [
    Ratio("multiply-add, forward: times plain floats", "multiply-add", (COMPILED, "forward"), FORWARD_FLOATS, 2.4),
    Ratio("multiply-add, backward: times floats forward", "multiply-add", (COMPILED, "backward"), FORWARD_FLOATS, 1.3),
    Ratio("demo: faster than micrograd", "demo", (MICROGRAD, OWN), (COMPILED, OWN), 150, True),
    Ratio("demo: faster than micrograd no gc", "demo", (COLLECTOR_OFF, OWN), (COMPILED, OWN), 15, True),
    Ratio("demo, chainrule.nn: faster than micrograd no gc", "demo", (COLLECTOR_OFF, OWN), (COMPILED, NN), 50, True),
    Ratio("demo, pure: faster than micrograd", "demo", (MICROGRAD, OWN), (PURE, OWN), 4, True),
    Ratio(
        "multiply-add, forward, pure: times micrograd no gc",
        "multiply-add",
        (PURE, "forward"),
        (COLLECTOR_OFF, "forward"),
        1.5,
    ),
    Ratio("GPT: times plain floats without gradients", "gpt", (COMPILED, "step"), (FLOATS, "step"), 2.2),
    Weight("node of two operands: bytes of the object", "object", 112),
    Weight("node of two operands: bytes resident", "resident", 120),
]
