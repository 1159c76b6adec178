"""A picture in HTML: the frame in which a notebook shows it, and a page of its own.

The frame scales the picture to its width, down to where it can still be read, and then scrolls. A large picture can be
zoomed by a list of sizes, which needs no script: the style sheet looks at what is selected.
"""

from __future__ import annotations

from chainrule.draw.svg import Picture
from chainrule.draw.theme import Theme, escaped

LARGE = 640
"""A picture that is wider than a small window, or higher, can be zoomed."""

SIZES = {"": "readable", "whole": "whole width", "0.5": "50 %", "1": "100 %", "2": "200 %"}
"""What a reader may choose. "Readable", which comes first, scales no text to less than three quarters."""

STYLE = """.chainrule-picture>div{overflow:auto}
.chainrule-picture>label{display:inline-block;margin:4px 0;font:12px sans-serif}
.chainrule-picture svg{display:block;max-width:100%;min-width:calc(.75*var(--width))}
.chainrule-picture:has([value=whole]:checked) svg{min-width:0}
.chainrule-picture:has([value="0.5"]:checked) svg{width:calc(.5*var(--width));min-width:0;max-width:none}
.chainrule-picture:has([value="1"]:checked) svg{max-width:none}
.chainrule-picture:has([value="2"]:checked) svg{width:calc(2*var(--width));max-width:none}"""


def frame(picture: Picture, name: str) -> str:
    """The picture in a box that can scroll, with the keyboard as well.

    Args:
        picture: the picture.
        name: what it shows, for those who cannot see it.
    """
    large = max(picture.width, picture.height) > LARGE
    options = "".join([f'<option value="{value}">{text}</option>' for value, text in SIZES.items()])
    choice = f"<label>Size <select>{options}</select></label>\n" if large else ""
    return (
        f'<div class="chainrule-picture" style="--width:{picture.width}px">\n<style>\n{STYLE}\n</style>\n{choice}'
        f'<div role="group" aria-label="{escaped(name)}" tabindex="0">\n{picture.svg}</div>\n</div>'
    )


def page(picture: Picture, name: str, theme: Theme) -> str:
    """A page that shows the picture, on phones as well."""
    scheme = "light dark" if theme == "auto" else theme
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="{scheme}">\n<title>{escaped(name)}</title>\n'
        f"</head>\n<body>\n<main>\n{frame(picture, name)}\n</main>\n</body>\n</html>\n"
    )
