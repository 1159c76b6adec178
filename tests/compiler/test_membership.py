"""Membership among Values in a compiled function: by identity, as in the eager engine, whatever numbers come."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import compile


def test_membership_goes_by_identity_whatever_numbers_come():
    def distinct(a, b):
        seen = [a]
        total = a * 2.0
        if b not in seen:
            total = total + b * b
        return total + 10.0 * seen.count(b) + (1.0 if a in seen else 0.0)

    f = compile(distinct)
    for a, b in [(1.0, 2.0), (3.0, 3.0), (2.0, 2.0), (1.0, 5.0)]:
        assert f(a, b) == 2.0 * a + b * b + 1.0


def test_equality_still_follows_the_numbers():
    f = compile(lambda a, b: a * 2.0 if a == b else b * 3.0)
    assert [f(1.0, 1.0), f(1.0, 2.0), f(2.0, 2.0)] == [2.0, 6.0, 4.0]
