"""The theme of pictures: colours for light and dark, fonts, and estimates of the width of text.

Each part of a picture has its look in attributes of its own, since most programs that read SVG know little of style
sheets. In a browser a style sheet goes before them: nicer fonts, and the colours of the page around the picture. Its
rules are for the picture's own class, so several pictures on one page do not affect each other.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from html import escape
from typing import Literal

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
KINDS = ("leaf", "constant", "operation", "root")

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
    "active": "#b4530a",
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
    "active": "#ffb26b",
}

PAINT = {
    "back": {"fill": "back"},
    "box": {"fill": "{kind}", "stroke": "{kind}-line"},
    "pill": {"fill": "{kind}-strong"},
    "symbol": {"fill": "on-strong"},
    "label": {"fill": "ink"},
    "number": {"fill": "ink"},
    "small": {"fill": "muted"},
    "rule": {"stroke": "rule"},
    "line": {"stroke": "line"},
    "tip": {"fill": "line"},
    "under": {"fill": "back"},
    "local": {"fill": "muted"},
    "lit": {"stroke": "active"},
}
"""The colours of each part of a picture; `{kind}` stands for the kind of the node that it belongs to."""
OF_A_KIND = ("box", "pill")

SIZE = 12.0
"""The size of text that has no other."""

PLAIN_SANS = "sans-serif,Arial,DejaVu Sans,Noto Sans"
PLAIN_MONO = "monospace,Courier New,DejaVu Sans Mono,Noto Sans Mono"
"""Fonts for programs that look at the first name alone (CairoSVG), or that know no general names (resvg)."""

SHAPE = {
    "box constant": 'stroke-dasharray="4 3"',
    "symbol": 'font-weight="600" text-anchor="middle"',
    "label": 'font-size="13" font-weight="600"',
    "number": f'font-family="{PLAIN_MONO}"',
    "small": 'font-size="9.5"',
    "line": 'fill="none" stroke-width="1.3"',
    "local": f'font-family="{PLAIN_MONO}" text-anchor="middle"',
    "lit": 'fill="none" stroke-width="3"',
}
"""What else each part has that does not depend on the theme."""

SANS = "ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

DARK_PAGES = ('[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast")
"""What stands around a picture in a dark notebook: of JupyterLab, of Visual Studio Code."""
LIGHT_PAGES = ('[data-jp-theme-light="true"]', ".vscode-light", ".vscode-high-contrast-light")

NARROW = set("iIjlftr.,:;'|!()[]{} ")
BROAD = set("mwMWQO@%Σ√—…≤≥≠")


@functools.cache
def attributes(part: str, theme: Theme, kind: str = "") -> str:
    """The class of a part of a picture, and its look as plain attributes, which every program understands.

    >>> attributes("pill", "light", "leaf")
    'class="pill" fill="#2f66b5"'
    """
    colours = _colours(theme)
    painted = [f'{what}="{colours[name.format(kind=kind)]}"' for what, name in PAINT[part].items()]
    return " ".join([f'class="{part}"', *painted, SHAPE.get(f"{part} {kind}".strip(), "")]).strip()


def root_attributes(theme: Theme) -> str:
    """The look that the parts of a picture inherit."""
    return f'fill="{_colours(theme)["ink"]}" font-family="{PLAIN_SANS}" font-size="{SIZE:g}"'


def style(scope: str, theme: Theme) -> str:
    """The style sheet of a picture whose root element has the class `scope`.

    It is for browsers alone, which know of variables: other programs skip what stands in `@supports`, and keep to the
    attributes. A picture in "auto" follows the notebook around it, or else the reader's system.
    """
    rules = [
        f".{scope}{{max-width:100%;height:auto;font-family:{SANS}}}",
        f".{scope} .number,.{scope} .local{{font-family:{MONO}}}",
        f".{scope} .node:hover .box{{stroke-width:2}}",
        f".{scope} .edge:hover .line{{stroke-width:2.2}}",
        *(_following(scope) if theme == "auto" else []),
    ]
    return "\n".join(["@supports (--a:b){", *rules, "}"])


def _following(scope: str) -> list[str]:
    """Rules that give each part its colour by a variable, and the variables those of the page's theme."""
    light, dark = (";".join([f"--{name}:{colour}" for name, colour in theme.items()]) for theme in (LIGHT, DARK))
    rules = [
        f".{scope}{{{light}}}",
        f"@media (prefers-color-scheme:dark){{.{scope}{{{dark}}}}}",
        f"{_within(DARK_PAGES, scope)}{{{dark}}}",
        f"{_within(LIGHT_PAGES, scope)}{{{light}}}",
    ]
    for part, painted in PAINT.items():
        kinds = KINDS if part in OF_A_KIND else ("",)
        for kind in kinds:
            above = f".{kind} " if kind else ""
            values = ";".join([f"{what}:var(--{name.format(kind=kind)})" for what, name in painted.items()])
            rules.append(f".{scope} {above}.{part}{{{values}}}")
    return rules


def _within(pages: Sequence[str], scope: str) -> str:
    return ",".join([f"{page} .{scope}" for page in pages])


def _colours(theme: Theme) -> dict[str, str]:
    """The colours that do not wait for a browser's style: in "auto" the light ones."""
    return DARK if theme == "dark" else LIGHT


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
