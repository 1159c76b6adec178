"""What is counted of fallbacks, when it is told, and in which words."""

from __future__ import annotations

import warnings

import pytest

import chainrule
from chainrule.errors import SlowWarning

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.reports.fallbacks import Fallbacks, Reason

SLOW = Reason("sample", "went by Python", "Do not.", calls=2, work=100)


def test_a_fallback_is_told_when_it_was_repeated_and_has_cost_something():
    fallbacks = Fallbacks("f")
    fallbacks.met(SLOW, 3, 1000)
    with pytest.warns(SlowWarning) as caught:
        assert fallbacks.met(SLOW, 4, 1000, where=lambda: "Here.") == 7
    assert str(caught[0].message) == "f: 7 samples in 2 calls went by Python. Here. Do not."
    assert caught[0].filename == __file__


def test_what_costs_nothing_is_never_told():
    fallbacks = Fallbacks("f")
    for _ in range(20):
        fallbacks.met(SLOW, 1, 4)
    assert fallbacks.times(SLOW) == 20


def test_it_is_told_once_and_goes_on_being_counted():
    fallbacks = Fallbacks("f")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(10):
            fallbacks.met(SLOW, 1, 1000)
    assert len(caught) == 1
    assert fallbacks.describe() == ["  fallbacks:", "    10 samples went by Python"]


def test_each_reason_is_told_for_itself():
    fallbacks = Fallbacks("f")
    other = Reason("call", "was slow", "", calls=1, work=0)
    with pytest.warns(SlowWarning, match="^f: 1 call was slow"):
        fallbacks.met(other)
    assert fallbacks.times(SLOW) == 0


def test_without_fallbacks_a_report_has_no_line_of_them():
    assert Fallbacks("f").describe() == []


def test_what_is_calculated_again_exactly_has_no_hint_about_strict():
    def f(w, xs):
        return chainrule.logsumexp([w * x for x in xs])

    told = {}
    for strict in (False, True):
        compiled = chainrule.compile(f, in_axes=(None, 0), strict=strict)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlowWarning)
            compiled.grad(1.0, np.full((30, 5), np.inf))
        told[strict] = compiled.explain()
    assert "calculated again bit by bit" in told[False]
    assert "calculated by Python" not in told[False]
    assert "calculated by Python" in told[True]
