import json
import random

import pytest

from chainrule import Value, tanh
from chainrule.errors import ArgumentError, OperandError, SavedFileError, SizeError
from chainrule.losses import mean_squared_error
from chainrule.nn import MLP, Embedding, Layer, Linear, Neuron, from_config


def test_the_neuron_of_the_lecture():
    neuron = Neuron(2, activation="tanh")
    for weight, x in zip(neuron.w, [-3.0, 1.0], strict=True):
        weight.data = x
    neuron.b.data = 6.8813735870195432
    inputs = [Value(2.0), Value(0.0)]
    out = neuron(inputs)
    out.backward()
    assert out.data == pytest.approx(0.5**0.5)
    assert [x.grad for x in inputs] == pytest.approx([-1.5, 0.5])
    assert [w.grad for w in neuron.w] == pytest.approx([1.0, 0.0])
    assert neuron.b.grad == pytest.approx(0.5)


def test_a_neuron_is_one_sum_and_an_activation():
    out = Neuron(5, activation="tanh")([1.0] * 5)
    assert out.op.name == "tanh"
    assert out.operands[0].op.name == "weighted_sum"


def test_default_is_relu_and_a_linear_last_layer():
    assert repr(MLP(2, [1, 1])) == "MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]"
    assert not Neuron(2, nonlin=False).nonlin


def test_weights_come_from_the_global_generator_unless_a_seed_is_given():
    random.seed(5)
    expected = [random.uniform(-1, 1) for _ in range(6)]
    random.seed(5)
    weights = [p.data for p in MLP(2, [3]).parameters() if p.data != 0]
    assert weights == expected
    state = random.getstate()
    assert MLP(2, [3, 1], seed=1).state_dict() == MLP(2, [3, 1], seed=1).state_dict()
    assert random.getstate() == state


def test_activation_of_each_layer():
    model = MLP(1, [2, 2, 1], activation=["tanh", "gelu", "sigmoid"])
    assert model.config()["activations"] == ["tanh", "gelu", "sigmoid"]
    assert 0 < model([3.0]).data < 1
    assert MLP(1, [2, 1], activation=tanh).config()["activations"] == ["tanh", "linear"]
    with pytest.raises(SavedFileError, match=r"@chainrule\.operation"):
        MLP(1, [1], output_activation=lambda v: v * 2).config()
    assert MLP(1, [1], output_activation=lambda v: v * 0 + 7)([1.0]).data == 7.0


def test_a_batch_gives_a_prediction_for_each_sample():
    np = pytest.importorskip("numpy")
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    for model in (MLP(2, [3, 1], seed=0), Layer(2, 1), Neuron(2)):
        singly = [model(row).data for row in rows]
        assert [y.data for y in model(rows)] == singly
        assert [y.data for y in model(np.array(rows))] == singly
        assert model(np.array(rows[0])).data == singly[0]


def test_the_training_loop_of_the_lecture_word_for_word():
    inputs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    targets = [1.0, -1.0, -1.0, 1.0]
    model = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh", seed=42)
    learning_rate, num_steps = 0.1, 60
    losses = []
    for step in range(num_steps):
        predictions = model(inputs)
        loss = mean_squared_error(predictions, targets)
        loss.backward()
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        model.zero_grad()
        losses.append(loss.data)
    assert losses[-1] < 0.1 * losses[0]


def test_linear_and_embedding():
    linear = Linear(3, 2, bias=False)
    assert len(linear.parameters()) == 6
    assert len(linear([1.0, 2.0, 3.0])) == 2
    table = Embedding(4, 3)
    assert table(2) is table.rows[2]
    assert table([0, 3]) == [table.rows[0], table.rows[3]]


def test_a_config_builds_the_same_shape():
    model = MLP(3, [4, 2], activation="tanh", seed=0)
    twin = from_config(json.loads(json.dumps(model.config())))
    twin.load_state_dict(model.state_dict())
    assert [y.data for y in twin([1.0, 2.0, 3.0])] == [y.data for y in model([1.0, 2.0, 3.0])]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MLP(2, [3, 1])([1.0]), SizeError, "2 inputs was given 1"),
        (lambda: Neuron(2)([1.0, 2.0, 3.0]), SizeError, "2 inputs was given 3"),
        (lambda: MLP(2, [1])([1.0, "2"]), OperandError, "float"),
        (lambda: MLP(2, [1])("ab"), OperandError, "float"),
        (lambda: MLP(2, []), ArgumentError, "at least one layer"),
        (lambda: MLP(0, [1]), ArgumentError, "nin must be"),
        (lambda: MLP(2, [0]), ArgumentError, "nout must be"),
        (lambda: MLP(2, [2.5]), ArgumentError, "nout must be"),
        (lambda: MLP(2, [1], output_activation="tahn"), ArgumentError, "Did you mean 'tanh'"),
        (lambda: MLP(2, [1], activation=["tanh", "relu"]), ArgumentError, "2 activations for 1 layers"),
        (lambda: MLP(2, [1], output_activation="mul"), ArgumentError, "not an operation of one number"),
        (lambda: MLP(2, [1], init="hee"), ArgumentError, "Did you mean 'he'"),
        (lambda: Linear(3, 2)([1.0]), SizeError, "given 1 numbers"),
        (lambda: Embedding(3, 2)(3), ArgumentError, "row 3"),
        (lambda: Embedding(3, 2)(-1), ArgumentError, "row -1"),
        (lambda: Embedding(3, 2)(1.5), ArgumentError, "whole number"),
        (lambda: from_config({"type": "CNN"}), SavedFileError, "CNN"),
        (lambda: from_config({"type": "MLP", "nin": 2}), SavedFileError, "nouts"),
        (lambda: from_config({"type": "MLP", "nin": -2, "nouts": [1], "activations": ["relu"]}), SavedFileError, "nin"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
