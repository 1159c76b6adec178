"""Numbers and widths of text in JavaScript beside those of Python."""

from __future__ import annotations

import math
import random
import struct
import sys
import unicodedata
from pathlib import Path

import pytest

from chainrule.draw import figures
from chainrule.draw.figures import Span
from chainrule.draw.theme import text_width
from chainrule.explain import notation
from chainrule.see.bundle import PAGE

TOOL = Path(__file__).parents[3] / "tools" / "text_widths.py"
CHOSEN = [0.0, -0.0, 1.0, -3.0, 0.1, 2 / 3, 123456.0, 99995.0, 999.95, 1e-5, 1e-4, 1.5e-7, -3e200, 5e-324, 1e22, 1e9]
TIES = [x / 2**k for k in range(1, 25) for x in (1, 3, 5, 7, 2**k + 1, 12345)]
"""Numbers that lie in the middle between two with fewer digits: Python rounds these to the even one."""


def numbers():
    rng = random.Random(0)
    bits = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(1000)]
    usual = [rng.uniform(-1, 1) * 10 ** rng.randint(-6, 6) for _ in range(1000)]
    return [x for x in [*CHOSEN, *TIES, *bits, *usual] if math.isfinite(x)]


@pytest.mark.parametrize("digits", [2, 3, 4, 6])
def test_digits_are_rounded_as_in_python(in_page, digits):
    found = in_page({"numbers.js": "general"}, f"given.map((x) => general(x, {digits}))", numbers())
    assert found == [figures.short(x, digits) for x in numbers()]


def test_numbers_for_readers_are_those_of_python(in_page):
    found = in_page({"numbers.js": "short"}, "given.map(short)", numbers())
    assert found == [notation.short(x) for x in numbers()]


def test_what_is_no_finite_number(in_page):
    found = in_page({"numbers.js": "brief"}, "[NaN, Infinity, -Infinity].map(brief)")
    assert found == ["nan", "inf", "-inf"]


@pytest.mark.parametrize(
    "span",
    [[1.0], [1.0, 3.0, 2.0], [-0.25, 1e-9], [2.0, 2.0], [1.0, math.nan], [math.nan], [1.0001, 1.0002], [1.0, math.inf]],
)
def test_spans_are_those_of_pictures(in_page, span):
    found = in_page(
        {"numbers.js": "spanOf"}, "spanOf(given.map(Number))", [str(x).replace("inf", "Infinity") for x in span]
    )
    assert found == Span.of(span).brief()


def test_the_span_of_very_many_numbers_is_found(in_page):
    assert in_page({"numbers.js": "spanOf"}, "spanOf(Array.from({ length: 900_000 }, (_, i) => i))") == "0 … 9e5"


def test_texts_are_as_wide_as_in_python(in_page):
    letters = [
        x for code in range(sys.maxunicode + 1) if unicodedata.category(x := chr(code)) not in ("Cn", "Cs", "Co", "Cc")
    ]
    for mono in (False, True):
        found = in_page({"widths.js": "textWidth"}, "given[0].map((x) => textWidth(x, 10, given[1]))", [letters, mono])
        other = [
            x for x, width in zip(letters, found, strict=True) if abs(width - text_width(x, 10.0, mono=mono)) > 1e-9
        ]
        # versions of Unicode differ in few characters
        assert len(other) <= (0 if unicodedata.unidata_version == "14.0.0" else 300)
    words = ["learning rate", "学习率", "x̂ = 3", "Σ wᵢxᵢ + b"]
    found = in_page({"widths.js": "textWidth"}, "given.map((x) => textWidth(x, 13.5))", words)
    assert found == pytest.approx([text_width(x, 13.5) for x in words], abs=1e-3)


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="the table is of the Unicode of Python 3.11")
def test_the_table_of_widths_is_what_its_tool_writes(loaded):
    assert (PAGE / "widths.js").read_text(encoding="utf-8") == loaded(TOOL).module()
