import math

import pytest

from chainrule import Value
from chainrule.errors import ArgumentError, SizeError
from chainrule.losses import (
    binary_cross_entropy,
    cross_entropy,
    l2_penalty,
    max_margin,
    mean_absolute_error,
    mean_squared_error,
)

SCORES = [0.3, -1.2, 2.5, 0.0]
LOGITS = [[0.3, -1.2, 2.5], [1.0, 1.0, 1.0], [-2.0, 0.5, 0.1]]


@pytest.mark.parametrize(
    ("ours", "theirs", "targets"),
    [
        (mean_squared_error, "mse_loss", [1.0, 0.0, 2.0, -1.0]),
        (mean_absolute_error, "l1_loss", [1.0, 0.0, 2.0, -1.0]),
        (binary_cross_entropy, "binary_cross_entropy_with_logits", [1.0, 0.0, 1.0, 0.0]),
    ],
)
def test_against_pytorch(ours, theirs, targets):
    torch = pytest.importorskip("torch")
    scores = [Value(s) for s in SCORES]
    loss = ours(scores, targets)
    loss.backward()
    tensor = torch.tensor(SCORES, dtype=torch.float64, requires_grad=True)
    expected = getattr(torch.nn.functional, theirs)(tensor, torch.tensor(targets, dtype=torch.float64))
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-14)
    assert [s.grad for s in scores] == pytest.approx(tensor.grad.tolist(), rel=1e-14)


def test_cross_entropy_against_pytorch():
    torch = pytest.importorskip("torch")
    logits = [[Value(x) for x in row] for row in LOGITS]
    loss = cross_entropy(logits, [2, 0, 1])
    loss.backward()
    tensor = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor([2, 0, 1]))
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-14)
    assert [[x.grad for x in row] for row in logits] == [pytest.approx(row, rel=1e-13) for row in tensor.grad.tolist()]


def test_max_margin_by_hand():
    assert max_margin([2.0, 0.5, -0.2], [1, -1, -1]) == pytest.approx((0 + 1.5 + 0.8) / 3)


def test_large_logits_do_not_overflow():
    assert binary_cross_entropy([1000.0, -1000.0], [1, 0]) == 0.0
    assert binary_cross_entropy([1000.0, -1000.0], [0, 1]) == 1000.0
    assert cross_entropy([[1000.0, -1000.0]], [1]) == 2000.0


def test_one_sample_alone_and_nested_lists():
    assert mean_squared_error(3.0, 1.0) == 4.0
    assert mean_squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 0.0]]) == 5.0
    assert cross_entropy([0.0, 0.0], 1) == pytest.approx(math.log(2))


def test_l2_penalty():
    parameters = [Value(3.0), Value(-4.0)]
    penalty = l2_penalty(parameters, 0.1)
    penalty.backward()
    assert penalty.data == 2.5
    assert [p.grad for p in parameters] == pytest.approx([0.6, -0.8])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mean_squared_error([1.0], [1.0, 2.0]), SizeError, "1 predictions but 2 targets"),
        (lambda: mean_squared_error([[1.0]], [1.0]), SizeError, "single number"),
        (lambda: mean_squared_error([], []), SizeError, "no samples"),
        (lambda: max_margin([1.0], [0]), ArgumentError, "-1 and 1, not 0"),
        (lambda: binary_cross_entropy([1.0], [2]), ArgumentError, "0 and 1, not 2"),
        (lambda: binary_cross_entropy([1.0], [math.nan]), ArgumentError, "not nan"),
        (lambda: cross_entropy([[1.0, 2.0]], [2]), ArgumentError, "class 2 of 2"),
        (lambda: cross_entropy([[1.0, 2.0]], [-1]), ArgumentError, "class -1 of 2"),
        (lambda: cross_entropy([[1.0, 2.0]], ["a"]), ArgumentError, "not 'a'"),
        (lambda: cross_entropy([[1.0, 2.0]], [0, 1]), SizeError, "1 rows of logits but 2 targets"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
