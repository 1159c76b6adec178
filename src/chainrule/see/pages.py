"""`page(recording)`: a recording as a page that opens anywhere, offline, and steps through what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainrule.core.operation import TABLE, Operation
from chainrule.draw.theme import DARK, LIGHT, MONO
from chainrule.errors import ArgumentError, shown, suggest
from chainrule.see.bundle import PAGE, joined, modules, page_of
from chainrule.see.javascript import module_of
from chainrule.see.recording.document import Recording
from chainrule.see.recording.mistakes import first_mistake

MOST_NODES = 100_000
"""A page with more nodes would take too long to open."""

_OF_THE_LAB = ("add", "mul")
"""The operations of the small graphs that a page's bug lab opens."""

_LIGHT = {
    **LIGHT,
    "lit": "#ffe3b8",
    "muted": "#4b5563",
    "leaf-strong": "#1d4f95",
    "wrong": "#8f1d17",
    "alarm": "#fff1d6",
    "alarm-ink": "#6b3a00",
    "mono": MONO,
}
_DARK = {
    **DARK,
    "lit": "#6a4312",
    "wrong": "#ff8a80",
    "alarm": "#3d2a0c",
    "alarm-ink": "#ffd9a0",
    "mono": MONO,
}

THEMES = {"light": _LIGHT, "dark": _DARK}
"""The colours of each theme."""


def page(recording: Recording, *, title: str = "", theme: str = "auto", live: bool = False) -> str:
    """Returns a page of HTML for a recording: its graph, its timeline and its source.

    It needs no network and no other file, and runs nothing of what the recording holds.

    Args:
        recording: what `chainrule.record(y)` or `with chainrule.recording() as story:` gives.
        title: a heading, in place of that of the recording.
        theme: "light", "dark", or "auto" for that of the reader's system; with `live`, for that of the notebook.
        live: whether it speaks with a widget around it.

    Raises:
        ArgumentError: it is no recording, has no nodes, or more than a page can show, or there is no such theme.

    >>> import chainrule
    >>> page(chainrule.record(chainrule.Value(2.0) * 3))[:15]
    '<!doctype html>'
    """
    if not isinstance(recording, Recording):
        given = f"the {type(recording).__name__} {shown(recording)}"
        raise ArgumentError(f"page takes a recording, not {given}: page(chainrule.record(y))")
    if not recording.nodes:
        raise ArgumentError("the recording has no nodes: nothing was calculated with Values while it recorded")
    if len(recording.nodes) > MOST_NODES:
        raise ArgumentError(
            f"the recording has {len(recording.nodes):,} nodes, and a page shows at most {MOST_NODES:,}: record a "
            "part, such as one step, or fewer samples"
        )
    document = recording.to_document()
    document["title"] = title or recording.title
    if live:
        document["live"] = 1
    mistake = None if recording.engine.own else first_mistake(recording)
    document["mistake"] = mistake and {"event": mistake.event, "words": mistake.words}
    names = dict.fromkeys([*[op.name for op in recording.operations], *_OF_THE_LAB])
    used = [TABLE[name] for name in names if name in TABLE]
    return page_of(
        document["title"] or "chainrule",
        _script(used),
        style("notebook" if live and theme == "auto" else theme),
        document,
    )


def _script(operations: Iterable[Operation]) -> str:
    return joined({**modules(PAGE), "operations.js": module_of(operations)}, "main.js")


def style(theme: str = "auto") -> str:
    """The style sheet of pages, with the colours of pictures.

    Args:
        theme: "light", "dark", "auto" for that of the reader's system, "notebook" for that which a widget looks up.

    Raises:
        ArgumentError: there is no such theme.
    """
    sheet = (PAGE / "page.css").read_text(encoding="utf-8")
    if theme == "auto":
        dark = f"@media (prefers-color-scheme: dark){{:root{{{_variables(_DARK)}}}}}"
        return f":root{{{_variables(_LIGHT)}}}\n{dark}\n{sheet}"
    if theme == "notebook":  # which the widget around the page looks up
        named = [f':root[data-theme="{name}"]{{{_variables(THEMES[name])};color-scheme:{name}}}' for name in THEMES]
        return "\n".join([f":root{{{_variables(_LIGHT)}}}", sheet, *named])
    if theme not in THEMES:
        raise ArgumentError(
            f"there is no theme {shown(theme)}; there are auto, {', '.join(THEMES)}.{suggest(theme, THEMES)}"
        )
    return f":root{{{_variables(THEMES[theme])}}}\n{sheet}\n:root{{color-scheme:{theme}}}"


def _variables(colours: dict[str, Any]) -> str:
    return ";".join([f"--{name}:{colour}" for name, colour in colours.items()])
