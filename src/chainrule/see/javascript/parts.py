"""The functions that JavaScript lacks, by name, as they stand in `maths.js` and `python.js`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from chainrule.core import coefficients

FILES = ("maths.js", "python.js")
NUMBERS = ("ERF", "ERFC", "ERFC_RESTS")
"""Coefficients of the compiler's mathematics that these functions take."""


@functools.cache
def parts() -> dict[str, str]:
    """Returns the text of each function and constant by its name."""
    found = {name: f"const {name} = {[*getattr(coefficients, name)]!r};\n" for name in NUMBERS}
    for file in FILES:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        for part in re.split(r"^(?=/\*\*)", text, flags=re.MULTILINE):
            declared = re.search(r"^(?:export )?(?:function|const) (\w+)", part, re.MULTILINE)
            if declared:
                found[declared[1]] = re.sub(r"^export ", "", part.strip() + "\n", flags=re.MULTILINE)
    return found


def needed(names: Iterable[str]) -> str:
    """Returns the texts of these functions and of all that they call, each after those that it calls.

    >>> needed(["nowhere"])
    Traceback (most recent call last):
    KeyError: 'nowhere'
    """
    texts = parts()
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in ordered:
            text = texts[name]
            code = re.sub(r"^/\*\*.*?\*/", "", text, flags=re.DOTALL)
            for other in dict.fromkeys(re.findall(r"\w+", code)):
                if other in texts and other != name:
                    add(other)
            ordered[name] = text

    for name in sorted(names):
        add(name)
    return "".join(ordered.values())
