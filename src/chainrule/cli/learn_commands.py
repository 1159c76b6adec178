"""The commands of `chainrule learn` with their options and help."""

# No `from __future__ import annotations`: cyclopts reads the annotations.

from pathlib import Path
from typing import Any

from chainrule.cli import learning
from chainrule.core.extras import require

cyclopts = require("cyclopts", extra="cli")


def add_learn(app: Any) -> None:
    """Adds the group of commands."""
    learn = cyclopts.App(
        name="learn", help="A course that checks itself: build an autograd engine of your own.", sort_key=10
    )
    app.command(learn)

    @learn.default
    def where() -> int:
        """Show where you are: the lesson, what is required, and your file."""
        return learning.where()

    @learn.command(name="list")
    def list_() -> int:
        """List the exercises, with those that are solved."""
        return learning.list_all()

    @learn.command
    def next(*, skip: bool = False) -> int:
        """Go to the next exercise. The first time, begin the course in this folder.

        Args:
            skip: Also if the present one is not solved.
        """
        return learning.go_on(skip)

    @learn.command
    def check(name: str = "", /) -> int:
        """Check your file, and say which mistake it has.

        Args:
            name: Another exercise than the present one, or a part of its name.
        """
        return learning.check(name)

    @learn.command
    def watch(name: str = "", /) -> int:
        """Check whenever you save your file.

        Args:
            name: Another exercise than the present one.
        """
        return learning.watch(name)

    @learn.command
    def hint(name: str = "", /) -> int:
        """Show the next hint; there are up to three.

        Args:
            name: Another exercise than the present one.
        """
        return learning.hint(name)

    @learn.command
    def solution(name: str = "", /) -> int:
        """Show solutions, once yours is right, or if you ask twice.

        Args:
            name: Another exercise than the present one.
        """
        return learning.solution(name)

    @learn.command
    def reset(name: str = "", /) -> int:
        """Begin your file anew; what is there is kept beside it.

        Args:
            name: Another exercise than the present one.
        """
        return learning.reset(name)

    @learn.command
    def see(*, open: bool = False) -> int:
        """Write the page of a graph that your own engine builds, to step through it.

        Args:
            open: Open the page in the browser.
        """
        return learning.see(open)

    @learn.command
    def test(folder: Path, /, *, write: bool = False) -> int:
        """Test the folder of an exercise, for authors.

        Args:
            folder: The folder.
            write: Write its outcomes.json first.
        """
        return learning.test(folder, write)
