"""PNG and PDF of a picture, by libraries that others keep: resvg makes the one, CairoSVG the other."""

from __future__ import annotations

import math
from typing import Any

from chainrule.core.extras import require
from chainrule.draw.theme import PLAIN_SANS
from chainrule.errors import MissingExtraError

SCALE = 2.0
"""A PNG has so many pixels for each unit of the picture, to be sharp on a slide; a very large picture has fewer."""
LONGEST_SIDE = 30_000
MOST_PIXELS = 100_000_000

_LETTER = f'<svg xmlns="http://www.w3.org/2000/svg"><text y="20" font-family="{PLAIN_SANS}">M</text></svg>'


def png(svg: str, width: int, height: int) -> bytes:
    """A picture as PNG.

    Args:
        svg: the picture.
        width, height: its size, in its own units.

    Raises:
        MissingExtraError: resvg is not installed, or finds no font.
    """
    resvg = require("resvg_py", extra="picture")
    _refuse_without_fonts(resvg)
    scale = min(SCALE, LONGEST_SIDE / max(width, height), math.sqrt(MOST_PIXELS / (width * height)))
    return bytes(resvg.svg_to_bytes(svg_string=svg, width=int(scale * width), height=int(scale * height)))


def pdf(svg: str) -> bytes:
    """A picture as PDF: a page of its size, whose text can be searched.

    Raises:
        MissingExtraError: CairoSVG is not installed, or the system has no cairo.
    """
    try:
        cairosvg = require("cairosvg", extra="picture")
    except OSError:  # so it says that there is no such library
        raise MissingExtraError(
            "a PDF needs the library cairo of the system, which is not installed: apt install libcairo2 (Debian, "
            "Ubuntu), brew install cairo (macOS), or the runtime of GTK 3 (Windows); .svg and .png do without"
        ) from None
    return cairosvg.svg2pdf(bytestring=svg.encode("utf-8"))


def _refuse_without_fonts(resvg: Any) -> None:
    """Draws a letter: where resvg finds no font, it leaves out all text and says nothing."""
    if resvg.svg_to_bytes(svg_string=_LETTER) == resvg.svg_to_bytes(svg_string=_LETTER, skip_system_fonts=True):
        raise MissingExtraError(
            "a PNG needs a font, and the system has none of those that are looked for: apt install fonts-dejavu-core "
            "(Debian, Ubuntu), or save it as .svg, which is drawn with the fonts of whoever looks at it"
        )
