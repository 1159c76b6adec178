import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.draw.figures import Span, fixed, short


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.70710678, "0.7071"),
        (-0.0, "0.0000"),
        (99999.0, "99999.0000"),
        (1e5, "1.00e5"),
        (0.00012, "1.20e-4"),
        (5e-324, "4.94e-324"),
        (-1.7976931348623157e308, "-1.80e308"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_in_boxes(number, text):
    assert fixed(number) == text


@given(st.floats(max_value=1e307, min_value=-1e307))
def test_every_number_is_short_and_near_what_it_stands_for(number):
    for text, error in ((fixed(number), 0.05), (short(number), 1e-3)):
        assert len(text) <= 11
        back = float(text)
        assert (math.isnan(number) and math.isnan(back)) or back == number or math.isclose(back, number, rel_tol=error)


def test_span_keeps_nan_apart_from_the_rest():
    span = Span.of([math.nan, 2.0, -1.0, math.nan])
    assert span == Span(-1.0, 2.0, 2)
    assert str(span) == "-1 … 2, 2 nan"
    assert span.exact() == "-1.0 … 2.0, 2 nan"


def test_span_of_nothing_but_nan():
    span = Span.of([math.nan, math.nan])
    assert span.single
    assert str(span) == span.brief() == span.narrow() == span.exact() == "nan"


def test_infinities_are_numbers_of_a_span():
    assert str(Span.of([-math.inf, 1.0])) == "-inf … 1"
    assert str(Span.of([math.inf])) == "inf"
