import json
import pickle

import pytest

from chainrule import Value
from chainrule.errors import ArgumentError, OperandError, SavedFileError
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam, AdamW, constant, cosine, linear, step_decay


def optimizers():
    """Each optimiser with its twin in PyTorch."""
    return [
        ("SGD", lambda p: SGD(p, 0.01), {"lr": 0.01}),
        ("SGD", lambda p: SGD(p, 0.01, momentum=0.9), {"lr": 0.01, "momentum": 0.9}),
        ("SGD", lambda p: SGD(p, 0.005, momentum=0.9, nesterov=True), {"lr": 0.005, "momentum": 0.9, "nesterov": True}),
        ("SGD", lambda p: SGD(p, 0.01, weight_decay=0.2), {"lr": 0.01, "weight_decay": 0.2}),
        ("Adam", lambda p: Adam(p, 0.1, betas=(0.85, 0.99)), {"lr": 0.1, "betas": (0.85, 0.99)}),
        ("AdamW", lambda p: AdamW(p, 0.1, weight_decay=0.2), {"lr": 0.1, "weight_decay": 0.2}),
    ]


def valley(a, b):
    return (a - 1) ** 2 + 10 * (b - a * a) ** 2


@pytest.mark.parametrize(("name", "ours", "options"), optimizers())
def test_twenty_steps_equal_those_of_pytorch(name, ours, options):
    torch = pytest.importorskip("torch")
    parameters = [Value(-0.7), Value(0.4)]
    tensors = [torch.tensor(p.data, dtype=torch.float64, requires_grad=True) for p in parameters]
    optimizer, twin = ours(parameters), getattr(torch.optim, name)(tensors, **options)
    for _ in range(20):
        for f, opt in ((valley(*parameters), optimizer), (valley(*tensors), twin)):
            opt.zero_grad()
            f.backward()
            opt.step()
    assert [p.data for p in parameters] == pytest.approx([t.item() for t in tensors], rel=1e-12)


@pytest.mark.parametrize(("name", "make", "options"), optimizers())
def test_a_run_resumed_from_its_state_gives_the_same_bits(name, make, options):
    def steps(parameters, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            valley(*parameters).backward()
            optimizer.step()

    whole = [Value(-0.7), Value(0.4)]
    steps(whole, make(whole), 10)

    first = [Value(-0.7), Value(0.4)]
    stopped = make(first)
    steps(first, stopped, 4)
    saved = json.loads(json.dumps(stopped.state_dict()))
    second = [Value(p.data) for p in first]
    resumed = make(second)
    resumed.load_state_dict(saved)
    steps(second, resumed, 6)
    assert [p.data for p in second] == [p.data for p in whole]


def test_schedules():
    p = Value(1.0)
    optimizer = SGD([p], lr=linear(1.0, 0.0, 4))
    rates = []
    for _ in range(5):
        rates.append(optimizer.lr)
        optimizer.step()
    assert rates == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert constant(0.3)(1000) == 0.3
    assert cosine(1.0, 0.2, 10)(5) == pytest.approx(0.6)
    assert step_decay(1.0, 0.1, 30)(60) == pytest.approx(0.01)


def test_a_state_that_does_not_fit_changes_nothing():
    p = Value(1.0)
    optimizer = Adam([p])
    p.grad = 1.0
    optimizer.step()
    before = optimizer.state_dict()
    for state in (
        SGD([p]).state_dict(),
        Adam([p, Value(2.0)]).state_dict(),
        {"type": "Adam"},
        before | {"mean": ["x"]},
        before | {"steps": None},
    ):
        with pytest.raises(SavedFileError):
            optimizer.load_state_dict(state)
        assert optimizer.state_dict() == before


W = Value(1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD([]), ArgumentError, "needs parameters"),
        (lambda: SGD([1.0]), ArgumentError, "must be a Value"),
        (lambda: SGD([Value(1.0) * 2]), ArgumentError, "made by hand"),
        (lambda: SGD([W, Value(2.0), W]), ArgumentError, "the parameters 0 and 2 are the same .*list.dict.fromkeys"),
        (lambda: SGD([(3.0 * W).operands[0]]), ArgumentError, "parameter 0 is a plain number of a formula"),
        (lambda: SGD([Value(1.0)], lr=-0.1), ArgumentError, "lr must be 0 or more"),
        (lambda: SGD([Value(1.0)], lr=float("nan")), ArgumentError, "lr must be"),
        (lambda: SGD([Value(1.0)], lr="fast"), OperandError, "fast"),
        (lambda: SGD([Value(1.0)], momentum=1.0), ArgumentError, "less than 1"),
        (lambda: SGD([Value(1.0)], nesterov=True), ArgumentError, "momentum=0.9"),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1.5)), ArgumentError, "betas"),
        (lambda: linear(1.0, 0.0, 0)(1), ArgumentError, "at least 1"),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("lr", [0.1, constant(0.1), linear(0.1, 0.0, 9), cosine(0.1, 0.0, 9), step_decay(0.1, 0.5, 2)])
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_pickled_optimiser_goes_on_as_the_first(kind, lr):
    def steps(model, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            (model([1.0, 2.0]) ** 2).backward()
            optimizer.step()

    model = MLP(2, [2, 1], seed=1)
    optimizer = kind(model.parameters(), lr=lr)
    steps(model, optimizer)
    other, copied = pickle.loads(pickle.dumps((model, optimizer)))
    assert all(a is b for a, b in zip(other.parameters(), copied.parameters, strict=True))
    steps(model, optimizer)
    steps(other, copied)
    assert other.state_dict() == model.state_dict()
    assert (copied.lr, copied.state_dict()) == (optimizer.lr, optimizer.state_dict())


def test_schedules_can_be_compared_and_pickled():
    for schedule in (constant(0.1), linear(1.0, 0.0, 4), cosine(1.0, 0.0, 4), step_decay(1.0, 0.5, 2)):
        assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert linear(1.0, 0.0, 4) != linear(1.0, 0.0, 5)
