"""Writes the table of `src/chainrule/see/page/widths.js`: the widths of text that draw/theme.py reckons with.

    python tools/text_widths.py > src/chainrule/see/page/widths.js

JavaScript knows neither how wide a character is in East Asia nor which ones combine with the one before.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator

from chainrule.draw.theme import BROAD, NARROW, text_width

MODULE = """// @ts-check
// Widths of text, as draw/theme.py estimates them. Made by tools/text_widths.py; changes belong there.

const NARROW_LETTERS = new Set({narrow});
const BROAD_LETTERS = new Set({broad});

// Ranges of characters, each as its distance from the one before and its length, in base 36.
const WIDE = rangesOf("{wide}");
const COMBINING = rangesOf("{combining}");

/** @param {{string}} text @returns {{[number, number][]}} */
function rangesOf(text) {{
  const steps = text.split(" ").map((x) => parseInt(x, 36));
  /** @type {{[number, number][]}} */
  const ranges = [];
  for (let i = 0, at = 0; i < steps.length; i += 2) {{
    const start = at + steps[i];
    at = start + steps[i + 1];
    ranges.push([start, at]);
  }}
  return ranges;
}}

/** @param {{number}} code @param {{[number, number][]}} ranges */
function isIn(code, ranges) {{
  let [low, high] = [0, ranges.length];
  while (low < high) {{
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < code) low = middle + 1;
    else high = middle;
  }}
  return low < ranges.length && ranges[low][0] <= code;
}}

/**
 * The largest width of a text in any of the fonts, rather over- than underestimated.
 * @param {{string}} text
 * @param {{number}} size
 * @param {{boolean}} [mono]
 */
export function textWidth(text, size, mono = false) {{
  let width = 0;
  for (const letter of text) {{
    const code = letter.codePointAt(0) ?? 0;
    if (isIn(code, COMBINING)) continue;
    if (isIn(code, WIDE)) width += mono || !NARROW_LETTERS.has(letter) ? {wide_width} : {narrow_width};
    else if (mono) width += code < 128 ? {ascii_mono} : {other_mono};
    else width += NARROW_LETTERS.has(letter) ? {narrow_width} : BROAD_LETTERS.has(letter) ? {broad_width} : {sans};
  }}
  return Math.round(size * width * 1000) / 1000;
}}
"""


def ranges(belongs: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Yields the first and last of characters that belong together; those that are not assigned may be between."""
    first = last = -1
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in ("Cn", "Cs"):
            continue
        if belongs(character):
            first = code if first < 0 else first
            last = code
        elif first >= 0:
            yield first, last
            first = -1
    if first >= 0:
        yield first, last


def steps(belongs: Callable[[str], bool]) -> str:
    """The ranges as text."""
    numbers, at = [], 0
    for first, last in ranges(belongs):
        numbers += [base36(first - at), base36(last - first)]
        at = last
    return " ".join(numbers)


def base36(number: int) -> str:
    """A number in digits and letters.

    >>> base36(35), base36(36)
    ('z', '10')
    """
    rest, digit = divmod(number, 36)
    return (base36(rest) if rest else "") + "0123456789abcdefghijklmnopqrstuvwxyz"[digit]


def quoted(characters: set[str]) -> str:
    """Characters as text of JavaScript."""
    return '"' + "".join(sorted(characters)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def module() -> str:
    """The text of the module."""
    return MODULE.format(
        narrow=quoted(NARROW),
        broad=quoted(BROAD),
        wide=steps(lambda x: unicodedata.east_asian_width(x) in "WF"),
        combining=steps(lambda x: unicodedata.combining(x) != 0),
        wide_width=text_width("学", 1.0),
        narrow_width=text_width("i", 1.0),
        broad_width=text_width("m", 1.0),
        sans=text_width("a", 1.0),
        ascii_mono=text_width("a", 1.0, mono=True),
        other_mono=text_width("é", 1.0, mono=True),
    )


if __name__ == "__main__":
    sys.stdout.write(module())
