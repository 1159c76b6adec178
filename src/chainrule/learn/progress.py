"""Where a learner is: what is solved, which hints were read. It lies in the learner's folder, beside their files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from chainrule.core.files import atomic_write
from chainrule.errors import SavedFileError
from chainrule.learn.exercise import Exercise

FORMAT, VERSION = "chainrule progress", 1
FILE, MY = "progress.json", "my"
"""The file of the progress, and the folder of the learner's own files."""


@dataclass
class Progress:
    """A learner's progress in a folder.

    Attributes:
        folder: the learner's folder.
        at: the name of the present exercise; "" before the first.
        solved: the names of exercises that were solved.
        hints: how many hints were read, by exercise.
        asked: how often the solution was asked for, by exercise.
    """

    folder: Path
    at: str = ""
    solved: list[str] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Progress:
        """Reads the progress in a folder; one that is just beginning, if there is none.

        Raises:
            SavedFileError: the file is damaged. It is left as it is.
        """
        file = folder / FILE
        if not file.exists():
            return cls(folder)
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept.pop("format") != FORMAT or kept.pop("version") != VERSION:
                raise ValueError("it is of another kind or version")
            found = cls(folder, **kept)
            found._check()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SavedFileError(
                f"{file} is damaged ({error}): move it away, and check your files again; they are all in {MY}/"
            ) from None
        return found

    def save(self) -> None:
        """Writes the progress, whole or not at all."""
        content: dict[str, Any] = {"format": FORMAT, "version": VERSION, **asdict(self)}
        del content["folder"]
        atomic_write(self.folder / FILE, json.dumps(content, indent=1) + "\n")

    def file_of(self, exercise: Exercise) -> Path:
        """The learner's file that an exercise is about."""
        return self.folder / MY / exercise.file

    def begin(self, exercise: Exercise) -> bool:
        """Makes an exercise the present one; returns whether its starter was written, as there was no file yet."""
        self.at = exercise.name
        file = self.file_of(exercise)
        is_new = not file.exists()
        if is_new:
            file.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(file, exercise.starter)
        self.save()
        return is_new

    def note_solved(self, exercise: Exercise) -> None:
        """Notes that an exercise is solved."""
        if exercise.name not in self.solved:
            self.solved.append(exercise.name)
            self.save()

    def reset(self, exercise: Exercise) -> Path | None:
        """Begins an exercise's file anew; returns where the file that was there is kept."""
        file, kept = self.file_of(exercise), None
        if file.exists():
            kept = next(other for i in count(1) if not (other := file.with_name(f"{file.name}.{i}")).exists())
            file.replace(kept)
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, exercise.starter)
        return kept

    def _check(self) -> None:
        texts = (
            isinstance(self.at, str) and isinstance(self.solved, list) and all(isinstance(x, str) for x in self.solved)
        )
        counts = all(
            isinstance(table, dict) and all(type(x) is int and x >= 0 for x in table.values())
            for table in (self.hints, self.asked)
        )
        if not texts or not counts:
            raise ValueError("a part is not what it should be")
