"""`chainrule info`: what a saved model predicts, from what, and how good it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.cli.codes import FINE
from chainrule.cli.predict import read_model
from chainrule.cli.screen import plain, show
from chainrule.cli.summary import COLUMNS, table_of
from chainrule.data.tables import Encoder, TextColumn
from chainrule.data.tables.columns import InputColumn
from chainrule.data.tables.formats import DateFormat
from chainrule.errors import SavedFileError

MOST_CATEGORIES = 5
"""The most categories of a column that are named."""


def info(path: Path) -> int:
    """Prints what the file says of its model."""
    model, encoder, goal, extra = read_model(path)
    classes = (
        f", one of {_some(goal.classes)}" if goal.classes else f", a number{_written(encoder, encoder.target.name)}"
    )
    show(f"predicts [bold]{plain(encoder.target.name)}[/bold]{plain(classes)}")
    show(f"from     {len(encoder.inputs)} column{'s' * (len(encoder.inputs) > 1)}:")
    width = max(len(plain(column.name)) for column in encoder.inputs)
    for column in encoder.inputs:
        show(f"         {plain(column.name):{width}}  {plain(_words(encoder, column))}")
    sizes = [model.config()["nin"], *model.config()["nouts"]]
    kinds = f"{model.config()['activations'][0]}, " if len(sizes) > 2 else "linear, "
    show(f"network  {' → '.join(map(str, sizes))} ({kinds}{goal.loss}), {len(model.parameters()):,} parameters")
    if trained := _checked(path, extra, "trained"):
        rows = trained["rows"]
        counted = f"{rows['train']} rows, {rows['validation']} to know when to stop, {rows['held_out']} held out"
        show(f"trained  on {plain(trained['data'])}, {trained['epochs']} epochs ({trained['stopped']})")
        show(f"         {counted}")
    if numbers := _measures(path, extra):
        show("held-out")
        for line in table_of(numbers):
            print(line)
    return FINE


def _words(encoder: Encoder, column: InputColumn) -> str:
    """What is known of an input."""
    if isinstance(column, TextColumn):
        return f"text, {len(column.categories)} categories: {_some(column.categories)}"
    if column.kind == "bool":
        return "true or false"
    form = encoder.formats.get(column.name)
    if isinstance(form, DateFormat):
        return f"{form.words.removeprefix('a ')}, mean {form.write(column.mean)}, deviation {column.scale:.4g} days"
    spread = f", mean {column.mean:.4g}, deviation {column.scale:.4g}"
    return f"number{_written(encoder, column.name)}{spread}"


def _written(encoder: Encoder, name: str) -> str:
    """How the numbers of a column are written, if not as Python does."""
    return f" (written as {encoder.formats[name].words})" if name in encoder.formats else ""


def _some(names: tuple[str, ...] | None) -> str:
    """The first few names."""
    words = [name or "(missing)" for name in names or ()]
    more = f", … ({len(words)} in all)" if len(words) > MOST_CATEGORIES else ""
    return ", ".join(words[:MOST_CATEGORIES]) + more


def _measures(path: Path, extra: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The measures of the network and of simpler models; older models have fewer, or none."""
    own = _checked(path, extra, "held_out")
    beside = _checked(path, extra, "beside") if own else {}
    rows = {"this network": own, **beside} if own else {}
    if not all(
        isinstance(row, dict) and all(isinstance(x, int | float) for x in row.values()) for row in rows.values()
    ):
        raise SavedFileError(f"{path} is damaged: its measures are not numbers")
    return {name: row for name, row in rows.items() if any(column in row for column in COLUMNS)}


def _checked(path: Path, extra: dict[str, Any], part: str) -> dict[str, Any]:
    """A part of what was saved with a model, empty if it is not there.

    Raises:
        SavedFileError: it is damaged.
    """
    content = extra.get(part) or {}
    if not isinstance(content, dict):
        raise SavedFileError(f"{path} is damaged: {part} must be a table of names")
    if part == "trained" and content and not _is_trained(content):
        raise SavedFileError(f"{path} is damaged: it does not say rightly how it was trained")
    return content


def _is_trained(content: dict[str, Any]) -> bool:
    rows = content.get("rows")
    counts = [rows.get(name) for name in ("train", "validation", "held_out")] if isinstance(rows, dict) else [None]
    words = [content.get("data"), content.get("stopped")]
    return all(type(n) is int for n in [*counts, content.get("epochs")]) and all(isinstance(w, str) for w in words)
