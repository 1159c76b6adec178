import pytest

from chainrule import Value
from chainrule.errors import SizeError
from chainrule.nn import LayerNorm, RMSNorm, layer_norm, rms_norm, softmax

NUMBERS = [0.5, -1.5, 2.0, 0.1]


def against_pytorch(ours, theirs):
    torch = pytest.importorskip("torch")
    xs = [Value(x) for x in NUMBERS]
    out = ours(xs)
    sum(y * k for k, y in enumerate(out, start=1)).backward()
    tensor = torch.tensor(NUMBERS, dtype=torch.float64, requires_grad=True)
    expected = theirs(torch, tensor)
    (expected * torch.arange(1, 5)).sum().backward()
    assert [y.data for y in out] == pytest.approx(expected.tolist(), rel=1e-13)
    assert [x.grad for x in xs] == pytest.approx(tensor.grad.tolist(), rel=1e-12, abs=1e-13)


def test_softmax():
    against_pytorch(softmax, lambda torch, x: torch.softmax(x, 0))


def test_rms_norm():
    against_pytorch(rms_norm, lambda torch, x: torch.nn.functional.rms_norm(x, (4,), eps=1e-5))


def test_layer_norm():
    against_pytorch(layer_norm, lambda torch, x: torch.nn.functional.layer_norm(x, (4,), eps=1e-5))


def test_softmax_of_large_numbers_and_of_floats():
    assert softmax([1000.0, 1000.0, -1000.0]) == [0.5, 0.5, 0.0]
    xs = [Value(1000.0), Value(-1000.0)]
    softmax(xs)[0].backward()
    assert [x.grad for x in xs] == [0.0, 0.0]


def test_a_graph_with_softmax_can_be_refreshed():
    xs = [Value(0.0), Value(0.0)]
    first = softmax(xs)[0]
    xs[0].data = 2.0
    assert first.refresh().data == pytest.approx(softmax([2.0, 0.0])[0], rel=1e-15)


def test_modules_start_as_the_plain_functions():
    assert [y.data for y in RMSNorm(4)(NUMBERS)] == pytest.approx(rms_norm(NUMBERS))
    assert [y.data for y in LayerNorm(4)(NUMBERS)] == pytest.approx(layer_norm(NUMBERS))
    assert (len(RMSNorm(4).parameters()), len(LayerNorm(4).parameters())) == (4, 8)


def test_refusals():
    with pytest.raises(SizeError, match="was given 2 numbers"):
        RMSNorm(4)([1.0, 2.0])
    with pytest.raises(SizeError, match="empty list"):
        rms_norm([])
