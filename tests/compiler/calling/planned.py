"""Compiled functions with and without plans, and what they return to the bit."""

from __future__ import annotations

import math
import struct
import threading
import warnings

import numpy as np

import chainrule
from chainrule import Value
from chainrule.compiler.calling.plans import MISSED
from chainrule.compiler.native.memory import is_checked
from chainrule.errors import SlowWarning

SPECIAL = [0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan, 5e-324, 1e300, 3.0]


HAS_PLANS = not is_checked()
"""Code that checks each address goes the long way."""


class NoPlans:
    """In the place of the plans of a function: every call goes the long way."""

    def run(self, what, argnums, args):
        return MISSED


class Watched:
    """Notes of each call whether there was a plan for it."""

    def __init__(self, plans):
        self.plans, self.taken = plans, []

    def run(self, what, argnums, args):
        results = self.plans.run(what, argnums, args)
        self.taken.append(results is not MISSED)
        return results


def both(function, **options):
    """A compiled function, and one without plans."""
    planned, plain = chainrule.compile(function, **options), chainrule.compile(function, **options)
    planned._plans, plain._plans = Watched(planned._plans), NoPlans()
    return planned, plain


def as_bits(x):
    """A result in a form in which equal means: of the same classes, and the same to the bit."""
    if isinstance(x, np.ndarray):
        bits = as_bits(x.tolist()) if x.dtype == object else x.tobytes()  # those of objects are their addresses
        return "array", x.dtype.str, x.shape, bits
    if isinstance(x, dict):
        return type(x), [(key, as_bits(part)) for key, part in x.items()]
    if isinstance(x, list | tuple):
        return type(x), [as_bits(part) for part in x]
    if isinstance(x, Value):
        return "value", struct.pack("d", x.data)
    return type(x), struct.pack("d", x)


def outcome(call, *args, **named):
    """The bits that a call returns, or the text of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowWarning)
        try:
            return as_bits(call(*args, **named))
        except Exception as error:
            return type(error), str(error)


def check_alike(planned, plain, ask, *args, **named):
    """Asks both the same, once more than it takes to make a plan."""
    for _ in range(2):
        found = outcome(getattr(planned, ask), *args, **named)
        assert found == outcome(getattr(plain, ask), *args, **named)
    assert planned.traces == plain.traces
    return found


def in_threads(work, count=4):
    """Runs `work(k)` in so many threads at once, and waits for them."""
    threads = [threading.Thread(target=work, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
