"""`chainrule learn test FOLDER`: whether an exercise does what it says. For authors, and for the course's own tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from chainrule.core.files import atomic_write
from chainrule.learn.examine import Result, examine
from chainrule.learn.exercise import MOST_WORDS, OUTCOMES, Exercise, Source
from chainrule.learn.outcomes import same
from chainrule.learn.running import Outcomes, run

LEAST_MUTANTS = 4
MOST_HINTS = 3


@dataclass(frozen=True)
class Fault:
    """What is wrong with an exercise."""

    words: str

    def __str__(self) -> str:
        return self.words


class Audit:
    """Everything that must hold of an exercise; `faults()` is what does not."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    @cached_property
    def _all(self) -> dict[str, Outcomes]:
        """What each text of the exercise comes to."""
        each = [*self.exercise.right, *self.exercise.wrong]
        found = run(self.exercise, [*[one.text for one in each], self.exercise.starter])
        return dict(zip([*[one.name for one in each], "starter"], found, strict=True))

    def _examined(self, source: Source) -> Result:
        """What a check says of one of its texts, which was run already."""
        return examine(self.exercise, source.text, lambda exercise, texts: [self._all[source.name]])

    def faults(self) -> list[Fault]:
        """What is wrong, in the order in which an author would mend it."""
        found = [*self._of_form(), *self._of_solutions()]
        return found or [*self._of_mutants(), *self._of_probes()]

    def _of_form(self) -> list[Fault]:
        exercise, found = self.exercise, []
        words = len(exercise.lesson.split())
        if words > MOST_WORDS:
            found.append(Fault(f"the lesson has {words} words: at most {MOST_WORDS}"))
        if not 1 <= len(exercise.hints) <= MOST_HINTS:
            found.append(Fault(f"there are {len(exercise.hints)} hints: 1 to {MOST_HINTS}"))
        if len(exercise.wrong) < LEAST_MUTANTS:
            found.append(Fault(f"there are {len(exercise.wrong)} wrong solutions: at least {LEAST_MUTANTS}"))
        found += [Fault(f"{each.name} has no diagnosis: its docstring") for each in exercise.wrong if not each.words]
        if not exercise.requires:
            found.append(Fault("it says nothing of what is required"))
        return found

    def _of_solutions(self) -> list[Fault]:
        outcomes, right = self._all, self._all["solution"]
        found = []
        for each in self.exercise.right:
            for probe in self.exercise.probes:
                outcome = outcomes[each.name][probe.name]
                if "value" not in outcome or not same(outcome, right[probe.name]):
                    found.append(Fault(f"{each.name} does not pass {probe.name}: {outcome}"))
        starter = self._examined(Source("starter", self.exercise.starter))
        if starter.right:
            found.append(Fault("the starter passes"))
        elif not starter.found:
            found.append(Fault("the starter fails without a word"))
        return found

    def _of_mutants(self) -> list[Fault]:
        found, outcomes = [], self._all
        for name in ("solution", *[each.name for each in self.exercise.wrong]):
            if not same(outcomes[name], self.exercise.outcomes[name]):
                found.append(Fault(f"{OUTCOMES} does not have what {name} comes to: write it anew"))
        for each in self.exercise.wrong:
            result = self._examined(each)
            if result.right:
                found.append(Fault(f"{each.name} passes"))
            elif result.diagnosis != each.words:
                found.append(Fault(f"{each.name} is told: {result.diagnosis or result.found!r}"))
        for i, one in enumerate(self.exercise.wrong):
            for other in self.exercise.wrong[:i]:
                if same(outcomes[one.name], outcomes[other.name]):
                    found.append(Fault(f"{one.name} and {other.name} come to the same in all probes"))
        return found

    def _of_probes(self) -> list[Fault]:
        """A probe is of use if without it a mutant passes, or two mutants cannot be told apart."""
        right, mutants = self._all["solution"], [self._all[each.name] for each in self.exercise.wrong]
        found = []
        for probe in self.exercise.probes:
            left = [each.name for each in self.exercise.probes if each is not probe]
            rows = [[mutant[name] for name in left] for mutant in mutants]
            lets_pass = any(same(row, [right[name] for name in left]) for row in rows)
            confuses = any(same(row, other) for i, row in enumerate(rows) for other in rows[:i])
            if not lets_pass and not confuses:
                found.append(Fault(f"the probe {probe.name} is of no use: without it all mutants are told apart"))
        return found


def write_outcomes(exercise: Exercise) -> None:
    """Writes what the probes come to for the solution and each mutant, which checks look up."""
    each = [exercise.solution, *exercise.wrong]
    found = run(exercise, [one.text for one in each])
    table = {one.name: outcomes for one, outcomes in zip(each, found, strict=True)}
    atomic_write(exercise.folder / OUTCOMES, json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    exercise.__dict__.pop("outcomes", None)


def audit(exercise: Exercise) -> list[Fault]:
    """What is wrong with an exercise; nothing, if it does what it says.

    >>> from chainrule.learn.exercise import course
    >>> audit(course()[0])
    []
    """
    return Audit(exercise).faults()
