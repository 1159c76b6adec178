"""The display of `fit`: a bar in a terminal or notebook, a few lines elsewhere, or nothing."""

from __future__ import annotations

import html
import importlib
import math
import os
import sys
import time
from typing import Any, Protocol

from chainrule.core.extras import require
from chainrule.errors import ArgumentError, MissingExtraError, shown
from chainrule.training.history import History

LINES = 10
"""About how many lines a run prints where there is no bar."""

EVERY = 0.1
"""The least time between two messages to a notebook, in seconds."""

WIDE = 110
"""A terminal with so many columns has room for the numbers of training and validation rows."""


class Display(Protocol):
    """A context manager that shows the progress of training."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *exception: object) -> None: ...

    def step(self, done: int) -> None:
        """Called after each step, with the number of batches done."""
        ...

    def epoch(self, history: History) -> None:
        """Called after each epoch."""
        ...

    def busy(self, text: str) -> None:
        """Called with what is done before the first step, and with "" when it is done."""
        ...

    def note(self, text: str) -> None:
        """Called with a message for the user."""
        ...


def choose_display(progress: bool | None, epochs: int, batches: int) -> Display:
    """Chooses the display.

    Args:
        progress: False for none; None for a bar in a notebook, or where standard error is a terminal and rich is
            installed; True for the same bar, or for lines of text without one.
        epochs: the number of epochs.
        batches: the number of batches in an epoch.

    Raises:
        ArgumentError: `progress` is something else.
    """
    if progress not in (True, False, None):
        raise ArgumentError(f"progress is True, False or None, not {shown(progress)}")
    if progress is False:
        return Silent()
    if _is_notebook():
        return Notebook(epochs, batches)
    if _is_terminal():
        try:
            return Bar(epochs, batches)
        except MissingExtraError:
            pass
    return Lines(epochs) if progress else Silent()


class Silent:
    """Shows nothing."""

    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...
    def step(self, done: int) -> None: ...
    def epoch(self, history: History) -> None: ...
    def busy(self, text: str) -> None: ...
    def note(self, text: str) -> None: ...


class Lines(Silent):
    """Prints a line now and then to standard error; it needs no library and no terminal."""

    def __init__(self, epochs: int) -> None:
        self._epochs, self._every = epochs, max(1, epochs // LINES)

    def epoch(self, history: History) -> None:
        done = len(history)
        if done == 1 or done % self._every == 0 or done == self._epochs:
            width = len(str(self._epochs))
            print(f"epoch {done:>{width}}/{self._epochs}  {summary(history)}", file=sys.stderr)

    def note(self, text: str) -> None:
        print(text, file=sys.stderr)


class Bar:
    """A progress bar by rich, on standard error."""

    def __init__(self, epochs: int, batches: int) -> None:
        rich = require("rich.progress", extra="progress")
        console = require("rich.console", extra="progress").Console(stderr=True)
        table = require("rich.table", extra="progress")
        columns = [
            rich.TextColumn("{task.description}", table_column=table.Column(no_wrap=True)),
            rich.BarColumn(bar_width=None),
            rich.TextColumn("{task.fields[numbers]}", table_column=table.Column(no_wrap=True)),
            rich.TimeRemainingColumn(table_column=table.Column(no_wrap=True)),
        ]
        self._brief = console.width < WIDE
        self._bar = _with_room(rich.Progress, console)(*columns, console=console)
        self._epochs, self._done = epochs, 0
        self._task = self._bar.add_task(self._reached(), total=epochs * batches, numbers="")

    def _reached(self) -> str:
        return f"epoch {self._done}/{self._epochs}"

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def step(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def epoch(self, history: History) -> None:
        self._done, numbers = len(history), summary(history, brief=self._brief)
        self._bar.update(self._task, description=self._reached(), numbers=numbers)

    def busy(self, text: str) -> None:
        self._bar.update(self._task, description=text or self._reached(), refresh=True)

    def note(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)


class Notebook(Silent):
    """A bar in the output of a notebook's cell, which is written anew in its place."""

    def __init__(self, epochs: int, batches: int) -> None:
        self._display = importlib.import_module("IPython.display").display
        self._epochs, self._batches = epochs, batches
        self._done, self._text, self._numbers = 0, "", ""
        self._handle: Any = None
        self._shown = -math.inf

    def __enter__(self) -> None:
        self._handle = self._display(self._mimebundle(), raw=True, display_id=True)

    def __exit__(self, *exception: object) -> None:
        self._update(at_once=True)

    def step(self, done: int) -> None:
        self._done = done
        self._update()

    def epoch(self, history: History) -> None:
        self._numbers = summary(history)
        self._update()

    def busy(self, text: str) -> None:
        self._text = text
        self._update(at_once=True)

    def note(self, text: str) -> None:
        print(text, file=sys.stderr)

    def _update(self, *, at_once: bool = False) -> None:
        """Shows where training is, at most ten times a second: each time is a message to the browser."""
        now = time.monotonic()
        if self._handle is not None and (at_once or now - self._shown >= EVERY):
            self._shown = now
            self._handle.update(self._mimebundle(), raw=True)

    def _mimebundle(self) -> dict[str, str]:
        most = self._epochs * self._batches
        epoch = self._done // self._batches if self._batches else 0
        words = [self._text or f"epoch {epoch}/{self._epochs}", *filter(None, [self._numbers])]
        text = "  ".join(words)
        bar = f'<progress value="{self._done}" max="{most or 1}" aria-label="training"></progress>'
        return {"text/plain": text, "text/html": f"<div>{bar} {html.escape(text)}</div>"}


def _with_room(progress: Any, console: Any) -> Any:
    """The progress class with some room on the right: the `^C` that a terminal echoes there must not wrap the line, or
    the bar would be drawn again below itself."""
    constrain = require("rich.constrain", extra="progress").Constrain

    class WithRoom(progress):
        def get_renderable(self) -> Any:
            return constrain(super().get_renderable(), console.width - len("^C "))

    return WithRoom


def summary(history: History, *, brief: bool = False) -> str:
    """The numbers of the last epoch in a few words; with `brief`, those of the validation rows if there are any.

    >>> summary(History([{"loss": 0.25, "accuracy": 0.9, "validation_loss": 0.5, "lr": 0.01}]))
    'loss 0.2500 (validation 0.5000)  accuracy 90.0 %'
    """
    row = history.rows[-1]
    parts = []
    for name in [name for name in row if name != "lr" and not name.startswith("validation_")]:
        shown = "{:.1%}" if name == "accuracy" else "{:.4f}" if 1e-3 <= abs(row[name]) < 1e6 else "{:.4g}"
        validation = row.get(f"validation_{name}")
        if validation is None:
            text = f"{name} {shown.format(row[name])}"
        elif brief:
            text = f"validation {name} {shown.format(validation)}"
        else:
            text = f"{name} {shown.format(row[name])} (validation {shown.format(validation)})"
        parts.append(text.replace("%", " %"))
    return "  ".join(parts)


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):  # there is no standard error, or it is closed
        return False


def _is_notebook() -> bool:
    """Whether this is the kernel of a notebook: then IPython is there, and its shell has a kernel."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "kernel", None) is not None if ipython is not None else False
