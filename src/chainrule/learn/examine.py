"""`examine(exercise, text)`: whether the learner's code is right, and if not, which mistake it is.

The learner's outcomes are held beside those of the solution and of each mutant. If they are a mutant's, it is that
mistake; if only the first that is wrong is a mutant's, that mistake is named, and that there is more. Else the first
difference is told: what was run, what came out, what should.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.learn.exercise import Exercise, Probe
from chainrule.learn.outcomes import Outcome, same
from chainrule.learn.running import Outcomes, run


@dataclass(frozen=True)
class Result:
    """What is found.

    Attributes:
        exercise: the exercise.
        right: whether every probe comes to what it should.
        diagnosis: which mistake it is; "" if it is none that is known.
        probe: the first probe that comes to something else; None if all is right.
        found, expected: what that came to, and what it should, in words.
        line: the learner's line at fault; 0 if that is not known.
        passed: how many probes come to what they should.
    """

    exercise: Exercise
    right: bool
    passed: int
    diagnosis: str = ""
    probe: Probe | None = None
    found: str = ""
    expected: str = ""
    line: int = 0


def examine(exercise: Exercise, text: str, runs: Callable[[Exercise, Sequence[str]], list[Outcomes]] = run) -> Result:
    """Checks a learner's text.

    Args:
        exercise: the exercise.
        text: the learner's file.
        runs: how it is run: in a process of its own, unless told (a browser has no processes).

    >>> from chainrule.learn.exercise import course
    >>> first = course()[0]
    >>> examine(first, first.solution.text).right
    True
    """
    (found,) = runs(exercise, [text])
    right = exercise.outcomes["solution"]
    bad = [probe for probe in exercise.probes if not same(found[probe.name], right[probe.name])]
    passed = len(exercise.probes) - len(bad)
    if not bad:
        return Result(exercise, True, passed)
    first = bad[0]
    outcome = found[first.name]
    return Result(
        exercise,
        False,
        passed,
        _diagnosis(exercise, found, first),
        first,
        in_words(outcome),
        in_words(right[first.name]),
        int(outcome.get("line", 0)),
    )


def _diagnosis(exercise: Exercise, found: Outcomes, first: Probe) -> str:
    """The mistake that gives these outcomes, or the first of them."""
    if "syntax" in found[first.name]:
        return ""
    right = exercise.outcomes["solution"][first.name]
    for mutant in exercise.wrong:
        if same(found, exercise.outcomes[mutant.name]):
            return mutant.words
    for mutant in exercise.wrong:
        its = exercise.outcomes[mutant.name][first.name]
        if not same(its, right) and same(found[first.name], its):
            return f"{mutant.words} (There may be more: one thing at a time.)"
    return ""


def in_words(outcome: Outcome) -> str:
    """What a probe came to, as a sentence's end.

    >>> in_words({"value": 2.0}), in_words({"value": None})
    ('2.0', 'None: is a return missing?')
    """
    if "value" in outcome:
        return _value(outcome["value"])
    if "syntax" in outcome:
        return f"Python cannot read the file: {outcome['syntax']}"
    if "late" in outcome:
        return f"no end after {outcome['late']:g} seconds: is there a loop that never ends?"
    if "ended" in outcome:
        return "the program ended itself"
    return f"{outcome['raised']}: {outcome['words']}" if outcome["words"] else str(outcome["raised"])


def _value(x: Any) -> str:
    if x is None:
        return "None: is a return missing?"
    if isinstance(x, dict) and x.keys() == {"object"}:
        return f"an object of the class {x['object']}"
    if isinstance(x, dict) and x.keys() == {"number"}:
        return str(x["number"])
    return x if isinstance(x, str) else json.dumps(x)
