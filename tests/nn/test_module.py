import pytest

from chainrule import Value
from chainrule.errors import OperandError, SavedFileError, SizeError
from chainrule.nn import MLP, Linear, Module


class Own(Module):
    def __init__(self):
        self.shared = Value(1.0)
        self.again = self.shared
        self.parts = {"first": Linear(2, 1), "rest": (Linear(1, 1), [Value(5.0)])}
        self.result = self.shared * 2  # not a parameter: it was calculated
        self.note = "text"

    def forward(self, x):
        return self.parts["first"](x)[0] * self.shared


class OldStyle(Module):
    """As micrograd's users write them: own __call__, own parameters()."""

    def __init__(self):
        self.p = Value(2.0)

    def __call__(self, x):
        return self.p * x

    def parameters(self):
        return [self.p]


def test_parameters_are_found_and_named_once():
    names = [name for name, _ in Own().named_parameters()]
    assert names == [
        "shared",
        "parts.first.w.0.0",
        "parts.first.w.0.1",
        "parts.first.b.0",
        "parts.rest.0.w.0.0",
        "parts.rest.0.b.0",
        "parts.rest.1.0",
    ]


def test_names_of_an_mlp():
    model = MLP(2, [2, 1])
    assert [name for name, _ in model.named_parameters()] == [
        *[f"layers.0.neurons.{n}.{p}" for n in range(2) for p in ("w.0", "w.1", "b")],
        *[f"layers.1.neurons.0.{p}" for p in ("w.0", "w.1", "b")],
    ]


def test_zero_grad():
    for model, x in ((Own(), [1.0, 2.0]), (OldStyle(), 3.0)):
        model(x).backward()
        assert any(p.grad for p in model.parameters())
        model.zero_grad()
        assert not any(p.grad for p in model.parameters())


def test_state_goes_out_and_in():
    first, second = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    assert first.state_dict() != second.state_dict()
    second.load_state_dict(first.state_dict())
    assert first.state_dict() == second.state_dict()
    assert first([1.0, 2.0]).data == second([1.0, 2.0]).data


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda s: s.pop("layers.0.neurons.0.b"), SizeError, r"lacks 'layers.0.neurons.0.b'"),
        (lambda s: s.update({"layers.0.neuron.0.b": 1.0}), SizeError, r"Did you mean 'layers.0.neurons.0.b'"),
        (lambda s: s.update({"layers.1.neurons.0.b": "x"}), OperandError, r"layers.1.neurons.0.b"),
        (lambda s: s.update({"layers.1.neurons.0.b": None}), OperandError, r"layers.1.neurons.0.b"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(spoil, error, message):
    model = MLP(2, [2, 1], seed=0)
    before = model.state_dict()
    state = MLP(2, [2, 1], seed=1).state_dict()
    spoil(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    assert model.state_dict() == before


def test_what_a_subclass_lacks_is_said():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty()([1.0])
    with pytest.raises(SavedFileError, match=r"load\(path, model=Empty"):
        Empty().config()
