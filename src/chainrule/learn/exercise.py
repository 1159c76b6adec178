"""An exercise is a folder of data; this reads it.

A folder has

- `exercise.toml`: the title, the learner's file it is about, what is required, the terms it introduces, hints;
- `lesson.md`: what there is to know, in at most 300 words;
- `probes.py`: what is run: each public function takes the learner's module and returns plain data;
- `starter.py`, `solution.py`, and `right/` with other right solutions;
- `wrong/`: mutants, wrong solutions, in the order of teaching; the docstring of each is the diagnosis that its author
  must read;
- `outcomes.json`: what each probe comes to for the solution and for each mutant, so that a check runs the learner's
  code alone. `chainrule learn test FOLDER --write` writes it.
"""

from __future__ import annotations

import ast
import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chainrule.errors import ArgumentError, suggest

COURSE = Path(__file__).parent / "course"
"""The folder of the course's own exercises."""

OUTCOMES = "outcomes.json"

MOST_WORDS = 300
"""How long a lesson may be."""


@dataclass(frozen=True)
class Source:
    """One text of Python that an exercise has: a solution or a mutant.

    Attributes:
        name: what it is called, such as "solution" or "wrong/last_deposit".
        text: the text.
    """

    name: str
    text: str

    @property
    def words(self) -> str:
        """Its docstring: of a mutant, the diagnosis."""
        return " ".join((ast.get_docstring(ast.parse(self.text)) or "").split())


@dataclass(frozen=True)
class Probe:
    """One thing that is run.

    Attributes:
        name: the name of the function.
        words: what it runs, as its docstring says.
    """

    name: str
    words: str


class Exercise:
    """An exercise, read from its folder.

    >>> [exercise.name for exercise in course()][:2]
    ['01-nudging', '02-gradients-by-nudging']
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        try:
            self._settings: dict[str, Any] = tomllib.loads(self._text("exercise.toml"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ArgumentError(f"{folder} is no exercise: its exercise.toml cannot be read ({error})") from None
        for key in ("title", "file", "requires", "hints"):
            if key not in self._settings:
                raise ArgumentError(f"{folder}/exercise.toml has no {key!r}")

    @property
    def title(self) -> str:
        return str(self._settings["title"])

    @property
    def file(self) -> str:
        """The learner's file that it is about, such as "engine.py"."""
        return str(self._settings["file"])

    @property
    def requires(self) -> list[str]:
        """What is required: all that will be run, and the styles that fit."""
        return list(self._settings["requires"])

    @property
    def hints(self) -> list[str]:
        return list(self._settings["hints"])

    @property
    def terms(self) -> list[str]:
        """The terms that the lesson introduces."""
        return list(self._settings.get("terms", []))

    @property
    def limit(self) -> float:
        """Seconds after which the learner's code is stopped."""
        return float(self._settings.get("limit", 2.0))

    @property
    def lesson(self) -> str:
        return self._text("lesson.md")

    @property
    def starter(self) -> str:
        return self._text("starter.py")

    @cached_property
    def solution(self) -> Source:
        return Source("solution", self._text("solution.py"))

    @cached_property
    def right(self) -> list[Source]:
        """All right solutions, the first of them the one that is shown."""
        return [self.solution, *self._sources("right")]

    @cached_property
    def wrong(self) -> list[Source]:
        """The mutants, in the order of teaching."""
        return self._sources("wrong")

    @cached_property
    def probes(self) -> list[Probe]:
        """What is run, in this order."""
        functions = [node for node in ast.parse(self.probe_text).body if isinstance(node, ast.FunctionDef)]
        return [
            Probe(node.name, " ".join((ast.get_docstring(node) or node.name).split()))
            for node in functions
            if node.name[0] != "_"
        ]

    @cached_property
    def outcomes(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the probes come to for the solution and each mutant, by name.

        Raises:
            ArgumentError: the file is not there, or was written before the exercise changed.
        """
        try:
            kept = json.loads(self._text(OUTCOMES))
        except (OSError, ValueError):
            kept = {}
        if kept.keys() != {"solution", *[each.name for each in self.wrong]}:
            write = f"chainrule learn test {self.folder} --write"
            raise ArgumentError(f"{self.name} has no {OUTCOMES} of its present solutions: {write}")
        return dict(kept)

    @property
    def probe_text(self) -> str:
        return self._text("probes.py")

    def _sources(self, folder: str) -> list[Source]:
        files = sorted((self.folder / folder).glob("*.py"))
        return [Source(f"{folder}/{file.stem}", file.read_text(encoding="utf-8")) for file in files]

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return f"<exercise {self.name}: {self.title}>"


def course(folder: Path = COURSE) -> list[Exercise]:
    """All exercises of a folder, in order."""
    return [Exercise(each.parent) for each in sorted(folder.glob("*/exercise.toml"))]


def find(name: str, exercises: list[Exercise]) -> Exercise:
    """The exercise of a name, or of a part of it that no other has, such as its number.

    Raises:
        ArgumentError: there is none, or there are several.
    """
    found = [each for each in exercises if each.name == name] or [each for each in exercises if name in each.name]
    if len(found) == 1:
        return found[0]
    names = [each.name for each in found or exercises]
    what = "several exercises have" if found else "no exercise has"
    raise ArgumentError(f"{what} {name!r} in their names: {', '.join(names)}.{suggest(name, names)}")
