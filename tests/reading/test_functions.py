"""The table of functions of `math`, held against Python's and the C library's."""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import random
import struct

import pytest

from chainrule.core.operation import ieee
from chainrule.reading.functions import FUNCTIONS, of_math

KINDS = {"", "libm", "intrinsic", "whole", "test"}
NUMBERS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 1e-300, 1e300, math.inf, -math.inf]
NUMBERS += [random.Random(0).gauss(0.0, 10.0**k) for k in range(-8, 9) for _ in range(12)]
CALLED = [function for function in FUNCTIONS.values() if function.c and function.llvm != "test"]


def in_c(name, operands):
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    if not hasattr(library, name):
        library = ctypes.CDLL("libm.so.6")
    function = getattr(library, name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * operands
    return function


def bits(x):
    return "nan" if math.isnan(x) else struct.pack("<d", x)


def test_the_table_is_in_order_and_says_what_there_is():
    assert list(FUNCTIONS) == sorted(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        assert name == function.name
        assert hasattr(math, name)
        assert function.llvm in KINDS
        assert function.c or function.llvm != "libm"


@pytest.mark.parametrize("function", CALLED, ids=lambda function: function.name)
def test_c_gives_the_bits_of_python(function):
    there, here = in_c(function.c, function.operands), getattr(math, function.name)
    for numbers in itertools.product(NUMBERS, repeat=function.operands):
        try:
            expected = here(*numbers)
        except (ValueError, OverflowError):
            continue
        found = there(*numbers) + 0.0 if function.llvm == "whole" else there(*numbers)
        assert bits(found) == bits(expected), numbers


@pytest.mark.parametrize("function", [f for f in CALLED if f.operands == 1 and f.llvm == "libm"], ids=lambda f: f.name)
def test_where_python_raises_it_is_said_what_ieee_gives(function):
    there, here = in_c(function.c, 1), getattr(math, function.name)
    for x in NUMBERS:
        y = there(x)
        if math.isinf(y) and not math.isinf(x) and function.infinite is not None:
            y = function.infinite
        assert bits(ieee(here, x)) == bits(y), x


def test_a_function_without_a_line_is_pythons_own():
    assert of_math("gamma").c == of_math("gamma").llvm == ""
