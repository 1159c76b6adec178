"""Integer arguments: whatever Python does with one as a whole number, the result is that of the plain function."""

from __future__ import annotations

import collections
import copy
import enum
import functools

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import GraphError, TraceError

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

from chainrule.compiler.trace.variables import Integer, is_whole  # noqa: E402 - what it needs is asked for above


class Kind(enum.IntEnum):
    CALL = 1
    PUT = 2


FUNCTIONS = {
    "set": lambda x, n: x if n in {1, 2} else -x,
    "dict": lambda x, n: {1: 2.0, 2: 3.0}.get(n, 9.0) * x,
    "isinstance": lambda x, n: x**n if isinstance(n, int) else chainrule.exp(n * chainrule.log(x)),
    "str": lambda x, n: x * len(str(n)),
    "format": lambda x, n: x * len(f"{n}{n:03d}{n!r}"),
    "rest": lambda x, n: x * (n % 2) + 7 % n + divmod(n, 2)[1] + n % n,
    "floor division": lambda x, n: x * (n // 2) + 7 // n,
    "bits": lambda x, n: x * (n & 1) + (1 << n) + (n | 4) + (n ^ 1) + ~n + n.bit_length(),
    "repeated": lambda x, n: sum([x] * n) + len(n * (1, 2)) + len("ab" * n),
    "float": lambda x, n: x * float(n) + round(n),
    "range": lambda x, n: sum([x * i for i in range(n)]),
    "arithmetic": lambda x, n: n * x + x * n + (n + 1) * x - n / 3 + n**2,
    "comparison": lambda x, n: x if n > 2 else 2 * x,
    "choice": lambda x, n: [x, 2 * x, x * x, 3 * x][n],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_integers_are_whole_numbers(name):
    f = FUNCTIONS[name]
    compiled, batched = chainrule.compile(f), chainrule.compile(f, in_axes=(None, 0))
    for n in (1, 2, 3, 1):
        value, slope = compiled.value_and_grad(-2.0, n)
        assert (value, slope) == pytest.approx(chainrule.value_and_grad(f)(-2.0, n))
    assert batched(-2.0, [1, 2, 3, 2]).tolist() == pytest.approx([f(-2.0, n) for n in (1, 2, 3, 2)])


def test_a_memoised_function_is_called_once_for_each_integer():
    calls = []

    def value(x, n):
        @functools.cache
        def of(k):
            calls.append(k)
            return x if k < 2 else of(k - 1) * 0.5 + of(k - 2) * 0.25

        return of(int(n))

    found = chainrule.compile(value)(3.0, 15)
    assert collections.Counter(calls) == dict.fromkeys(
        range(16), 2
    )  # it is traced twice, to see that it gives the same
    assert found == pytest.approx(value(3.0, 15))


def test_members_of_an_enumeration_are_themselves():
    f = chainrule.compile(lambda x, kind: x if kind is Kind.CALL else -x)
    assert [f(1.0, Kind.CALL), f(1.0, Kind.PUT), f(1.0, Kind.CALL), f.traces] == [1.0, -1.0, 1.0, 2]


# ---- numbers that are copied, or written out -----------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copied_numbers_are_taken_anew_at_each_call_and_cut_the_derivative(copied):
    def determinant(a):
        a = [copied(row) for row in copied(a)]
        a[1][1] = a[1][1] - copied(copied(a[1][0]) / a[0][0]) * a[0][1]
        return a[0][0] * a[1][1]

    f = chainrule.compile(determinant)
    for a in ([[1.0, 2.0], [3.0, 4.0]], [[5.0, 2.0], [3.0, 4.0]]):
        (b, c), (d, e) = a
        assert f(a) == pytest.approx(b * e - c * d)
        with pytest.raises(GraphError, match=r"determinant: a copy .*\[list\(row\) for row in rows\].*x\.detach\(\)"):
            f.grad(a)


def test_copied_lists_keep_their_numbers():
    def determinant(a):
        a = [copy.copy(list(row)) for row in copy.copy(a)]
        a[1][1] = a[1][1] - copy.copy(a[1][0] / a[0][0]) * a[0][1]
        return a[0][0] * a[1][1]

    assert chainrule.compile(determinant).grad([[5.0, 2.0], [3.0, 4.0]]) == [
        pytest.approx([4.0, -3.0]),
        pytest.approx([-2.0, 5.0]),
    ]


def test_a_number_cannot_be_written_out():
    f = chainrule.compile(lambda x, r: x * (10.0 if f"{r:.0f}" == "1" else 20.0))
    with pytest.raises(TraceError, match=r"cannot format a number.*print\(v\)"):
        f(1.0, 1.0)


# ---- what arguments are made of ------------------------------------------------------------------------------------


class Pair(tuple):
    def __new__(cls, a, b):
        return super().__new__(cls, (a, b))

    @property
    def total(self):
        return self[0] + self[1]


class Row(list):
    scale = 1.0


class Prices(dict):
    """A dict that shows its keys as attributes, as many do."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.__dict__ = self


def test_containers_keep_their_class():
    assert chainrule.compile(lambda p: p.total * p[0]).grad(Pair(2.0, 3.0)) == (7.0, 2.0)
    filled = chainrule.compile(lambda x, d: x * d["b"])
    assert filled(3.0, collections.defaultdict(lambda: 2.0, a=1.0)) == 6.0
    assert filled(3.0, collections.defaultdict(lambda: 5.0, a=1.0)) == 15.0
    with pytest.raises(KeyError):
        filled(3.0, {"a": 1.0})


def test_what_else_a_list_holds_is_seen():
    f, row = chainrule.compile(lambda row: row[0] * row.scale), Row([3.0])
    row.scale = 2.0
    assert (f(row), f.grad(row)) == (6.0, [2.0])
    row.scale = 5.0
    assert f(row) == 15.0


@pytest.mark.parametrize("transform", [chainrule.grad, lambda f: chainrule.compile(f).grad])
def test_dicts_of_other_classes_are_plain_ones(transform):
    assert transform(lambda d: d["a"] * d["b"])(Prices(a=3.0, b=2.0)) == {"a": 2.0, "b": 3.0}
    with pytest.raises(AttributeError):
        transform(lambda d: d.a * d.b)(Prices(a=3.0, b=2.0))


# ---- numbers that are not finite, or too large ---------------------------------------------------------------------


def test_infinite_results_warn_of_nothing():
    assert chainrule.compile(lambda x: [1 / x, -1 / x])(0.0) == [np.inf, -np.inf]
    product = chainrule.compile(lambda w, x: w * x, in_axes=(None, 0))
    assert product(1.0, [1e308, 1e308]).tolist() == [1e308, 1e308]
    small = chainrule.compile(lambda w, x: w * x, in_axes=(None, 0), dtype="float32")
    assert small(1.0, [1e300, 1.0])[1] == 1.0


def test_a_value_is_no_integer_though_python_may_ask_it_for_an_index():
    assert not is_whole(Value(2.0))
    assert is_whole(Integer(2.0))
    assert not is_whole(True)
    assert is_whole(np.int64(2))
