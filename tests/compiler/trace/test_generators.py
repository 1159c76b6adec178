"""The search for generators of random numbers: it finds them wherever a function may have them from."""

from __future__ import annotations

import copy
import copyreg
import functools
import heapq
import json
import random
import statistics
import subprocess
import sys
import tempfile
import types

import pytest

import chainrule
from chainrule.compiler.trace import generators
from chainrule.compiler.trace.generators import generators_of
from chainrule.compiler.trace.randomness import traced_surely
from chainrule.compiler.trace.tracing import trace
from chainrule.errors import TraceError

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

RNG = random.Random(0)


def test_generators_are_found_that_functions_of_libraries_name_or_are_given():
    home, rng = random.Random(0), random.Random(1)
    told = functools.partial(functools.reduce, lambda x, y: x * rng.gauss() + y)
    assert generators_of(statistics.NormalDist.samples, functools.lru_cache(lambda: home.gauss())) == [random, home]
    assert generators_of(told) == [rng]


def test_what_functions_of_the_compiler_lead_to_leaves_the_search_for_ones_own_its_places(monkeypatch):
    monkeypatch.setattr(generators, "MOST_OBJECTS", 20)
    rng = random.Random(0)

    def last(x):
        return x * rng.gauss()

    def loss(x):
        trace, traced_surely  # noqa: B018 - names that lead to hundreds of functions
        return middle(x)

    def middle(x):
        return last(x)

    assert generators_of(loss) == [rng]


# ---- draws that are nearly always the same, which two traces do not tell apart ---------------------------------------


def drawn(rng=RNG):
    return 1.0 + (rng.random() < 0.0)


class InClass:
    rng = random.Random(0)
    static, bound = staticmethod(drawn), classmethod(lambda cls: drawn())
    asked = property(lambda self: drawn())
    kept = functools.cached_property(lambda self: drawn())


def helping():
    """A module of one's own, in which a function draws."""
    module = types.ModuleType("helping")
    exec("import random\nrng = random.Random(0)\ndef draw(): return 1.0 + (rng.random() < 0.0)", vars(module))
    return module


class Named(tempfile._RandomNameSequence):
    """Names of temporary files, by a generator of their own."""


HELPING, MOSTLY = helping(), functools.partial(RNG.choice, [1.0])
COMPILED = chainrule.compile(lambda x: x * drawn())
NAMES = Named()
NAMES.rng  # noqa: B018 - makes it


class Copied:
    pass


copyreg.pickle(Copied, lambda x: (float, (drawn(),)))


def mean_of(xs):
    """By a function of the library, two functions before the draw."""
    return statistics.mean(sorted(xs, key=lambda _: drawn()))


RARE = {
    "a generator of a class": lambda: lambda x: x * (1.0 + (InClass.rng.random() < 0.0)),
    "a static method": lambda: lambda x: x * InClass.static(),
    "a method of the class": lambda: lambda x: x * InClass.bound(),
    "a property": lambda: lambda x: x * InClass().asked,
    "a cached property": lambda: lambda x: x * InClass().kept,
    "a function of a module of one's own": lambda: lambda x: x * HELPING.draw(),
    "a compiled function": lambda: lambda x: COMPILED(x),
    "a method of a compiled function": lambda: lambda x: COMPILED.grad(x),
    "a part of a function": lambda: lambda x: x * MOSTLY(),
    "a part of a part": lambda: lambda x, f=functools.partial(MOSTLY): x * f(),  # noqa: B008
    "what is sorted": lambda: lambda x: x * mean_of([1.0, 1.0]),
    "what is shuffled": lambda: lambda x, mix=RNG.shuffle: x if mix([1.0, 1.0]) is None else 0.0,
    "the smallest": lambda: functools.partial(lambda f, x: x * f([1.0])[0], functools.partial(
        heapq.nsmallest, 1, key=lambda _: drawn())),
    "a copy": lambda: lambda x, held=Copied(), copy=copy.deepcopy: x * copy(held),  # noqa: B008
    "text": lambda: lambda x, dumps=json.JSONEncoder(default=lambda _: drawn()).encode: x * float(dumps(...)),  # noqa: B008
    "names of files": lambda: lambda x: x * len(next(NAMES)),
    "what numpy repeats": lambda: lambda x, f=np.vectorize(lambda _: drawn()): x * float(f(1.0)),  # noqa: B008
    "samples": lambda: lambda x, draw=statistics.NormalDist().samples: x * len(draw(2)),  # noqa: B008
}  # fmt: skip


@pytest.mark.parametrize("name", RARE)
def test_a_draw_that_gives_the_same_twice_is_refused_since_its_generator_moves(name):
    with pytest.raises(TraceError, match="gives other numbers each time"):
        chainrule.compile(RARE[name]())(3.0)


LATE = """
import sys, chainrule
assert chainrule.compile(lambda x: x * 2.0)(3.0) == 6.0
assert "numpy.random" not in sys.modules
def loading(x):
    draw = __import__("numpy.random", fromlist=["rand"]).rand
    return x * (2.0 + ({} < 0.0))
try:
    print(chainrule.compile(loading)(3.0))
except chainrule.errors.TraceError as error:
    print("refused")
"""


@pytest.mark.parametrize(("number", "wanted"), [("0.0", "6.0\n"), ("draw()", "refused\n")])
def test_numpys_generators_are_not_loaded_only_to_look_for_some_and_seen_once_they_are(number, wanted):
    ran = subprocess.run([sys.executable, "-c", LATE.format(number)], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (wanted, "")
