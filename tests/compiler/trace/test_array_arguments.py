"""Arrays are nested lists in a function that is compiled, and refuse what would mean something else there."""

from __future__ import annotations

import pytest

import chainrule
from chainrule.errors import OperandError

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

A, B = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: (x + y)[0],
        lambda x, y: x * 3,
        lambda x, y: 3 * x,
        lambda x, y: [1.0] + x,  # noqa: RUF005
        lambda x, y: x - 1,
        lambda x, y: x @ y,
        lambda x, y: x > y,
        lambda x, y: x[0, 1],
    ],
)
def test_what_lists_do_otherwise_is_refused(f):
    with pytest.raises(OperandError, match=r"an array is (a list|nested lists) in a compiled function"):
        chainrule.compile(f)(A, B)


def test_attributes_of_arrays_are_not_there():
    with pytest.raises(AttributeError, match="an array is nested lists in a compiled function, which have no 'shape'"):
        chainrule.compile(lambda x: x.shape)(A)
    assert chainrule.compile(lambda x: x[0] if hasattr(x, "shape") else x[1])(A) == 2.0


def test_all_else_works_as_on_lists():
    def f(x, y):
        return [sum(a * b for a, b in zip(x, y, strict=True)), max(x), x[-1], *x[:2], len(y)]

    assert chainrule.compile(f)(A, B) == [140.0, 3.0, 3.0, 1.0, 2.0, 3.0]


def test_an_array_that_is_returned_is_a_list():
    found = chainrule.compile(lambda x: {"x": x, "row": (x[0],)})(np.ones((2, 2)))
    assert found == {"x": [[1.0, 1.0], [1.0, 1.0]], "row": ([1.0, 1.0],)}
    assert type(found["x"]) is list


def test_a_batch_of_lists_has_lists_for_samples():
    joined = chainrule.compile(lambda x: x + x, in_axes=0)
    assert [x.tolist() for x in joined([[1.0, 2.0], [3.0, 4.0]])] == [[1.0, 3.0], [2.0, 4.0]] * 2
    with pytest.raises(OperandError, match="an array is a list"):
        joined(np.array([[1.0, 2.0], [3.0, 4.0]]))


def test_an_array_without_axes_is_a_number():
    assert chainrule.compile(lambda x: x * x).value_and_grad(np.array(3.0)) == (9.0, 6.0)
