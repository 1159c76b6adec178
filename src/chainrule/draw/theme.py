"""The theme of pictures: colours for light and dark, fonts, and estimates of the width of text.

Colours are CSS variables of the picture's own class, so several pictures on one page do not affect each other.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Literal

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

LIGHT = {
    "back": "#ffffff",
    "ink": "#1f2933",
    "muted": "#5f6b7a",
    "rule": "#dde2e8",
    "line": "#98a3b1",
    "leaf": "#eef4fd",
    "leaf-line": "#7aa2dc",
    "leaf-strong": "#2f66b5",
    "constant": "#f5f6f8",
    "constant-line": "#b9c1cb",
    "constant-strong": "#7d8896",
    "operation": "#ffffff",
    "operation-line": "#b3bcc8",
    "operation-strong": "#46536a",
    "root": "#effaf3",
    "root-line": "#55b07e",
    "root-strong": "#1c7a4b",
    "on-strong": "#ffffff",
}
DARK = {
    "back": "#14181e",
    "ink": "#e6eaf0",
    "muted": "#9aa6b5",
    "rule": "#333c48",
    "line": "#66727f",
    "leaf": "#172538",
    "leaf-line": "#41699f",
    "leaf-strong": "#7fb0f2",
    "constant": "#1b2027",
    "constant-line": "#4a5461",
    "constant-strong": "#8a95a3",
    "operation": "#1d232b",
    "operation-line": "#4b5765",
    "operation-strong": "#b4c0d0",
    "root": "#14291f",
    "root-line": "#3c8760",
    "root-strong": "#6fd09c",
    "on-strong": "#14181e",
}

SANS = "ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

NARROW = set("iIjlftr.,:;'|!()[]{} ")
BROAD = set("mwMWQO@%Σ√—…≤≥≠")


def style(scope: str, theme: Theme) -> str:
    """The style sheet of a picture whose root element has the class `scope`."""
    rules = [f".{scope}{{{_variables(DARK if theme == 'dark' else LIGHT)}}}"]
    if theme == "auto":
        rules.append(f"@media (prefers-color-scheme:dark){{.{scope}{{{_variables(DARK)}}}}}")
    rules += [
        f".{scope} text{{font:12px {SANS};fill:var(--ink)}}",
        f".{scope} .back{{fill:var(--back)}}",
        f".{scope} .label{{font-weight:600;font-size:13px}}",
        f".{scope} .small{{font-size:9.5px;fill:var(--muted)}}",
        f".{scope} .number{{font-family:{MONO}}}",
        f".{scope} .symbol{{font-weight:600;fill:var(--on-strong);text-anchor:middle}}",
        f".{scope} .rule{{stroke:var(--rule)}}",
        f".{scope} .edge path{{fill:none;stroke:var(--line);stroke-width:1.3}}",
        f".{scope} .edge .tip{{fill:var(--line);stroke:none}}",
        f".{scope} .edge rect{{fill:var(--back)}}",
        f".{scope} .edge text{{font:11px {MONO};fill:var(--muted);text-anchor:middle}}",
        f".{scope} .blocked path{{stroke-dasharray:3 3}}",
        f".{scope} .constant .box{{stroke-dasharray:4 3}}",
        f".{scope} .node:hover .box{{stroke-width:2}}",
        f".{scope} .edge:hover path{{stroke:var(--ink)}}",
    ]
    for kind in ("leaf", "constant", "operation", "root"):
        rules.append(f".{scope} .{kind} .box{{fill:var(--{kind});stroke:var(--{kind}-line)}}")
        rules.append(f".{scope} .{kind} .pill{{fill:var(--{kind}-strong)}}")
    return "\n".join(rules)


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


def text_width(text: str, size: float, *, mono: bool = False) -> float:
    """The largest width of a text in any of the fonts, rather over- than underestimated.

    >>> text_width("1.0000", 10.0, mono=True)
    37.2
    """
    return round(size * sum(map(_mono_width if mono else _sans_width, text)), 3)


def _mono_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.15 if _is_wide(character) else 0.62 if character.isascii() else 0.75


def _sans_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in NARROW:
        return 0.43
    return 1.15 if _is_wide(character) else 1.02 if character in BROAD else 0.7


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def printable(text: str) -> str:
    """Replaces characters that a terminal interprets or that a document must not contain; line ends stay.

    >>> printable("red: \x1b[31m")
    'red:  [31m'
    """
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def escaped(text: str) -> str:
    """Escapes text for SVG and HTML.

    >>> escaped('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return escape(printable(text))


def columns(text: str) -> int:
    """The number of terminal columns of a text.

    >>> columns("rate"), columns("学习率")
    (4, 6)
    """
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if _is_wide(character) else 1


def shortened(text: str, limit: int) -> str:
    """The text on one line, cut to a number of columns with an ellipsis.

    >>> shortened("learning rate", 8)
    'learnin…'
    """
    text = printable(text).replace("\n", " ")
    if columns(text) <= limit:
        return text
    kept, used = [], 1
    for character in text:
        used += _columns(character)
        if used > limit:
            break
        kept.append(character)
    return "".join(kept) + "…"
