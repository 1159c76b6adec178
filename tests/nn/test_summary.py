"""The table of a model's layers."""

from __future__ import annotations

from html.parser import HTMLParser

from chainrule import Value
from chainrule.nn import MLP, Embedding, Layer, LayerNorm, Linear, Module, Neuron


def rows(model):
    return [(p.name, p.kind, p.shape, p.activation, p.parameters) for p in model.summary().parts]


def test_layers_with_their_shapes_and_activations():
    assert rows(MLP(2, [8, 3], activation="tanh")) == [
        ("layers.0", "Layer", "2 → 8", "tanh", 24),
        ("layers.1", "Layer", "8 → 3", "linear", 27),
    ]
    assert str(MLP(2, [8, 3], activation="tanh").summary()) == (
        "MLP: 51 parameters\n"
        "part      kind   shape  activation  parameters\n"
        "layers.0  Layer  2 → 8  tanh                24\n"
        "layers.1  Layer  8 → 3  linear              27"
    )


def test_a_console_shows_the_same():
    summary = MLP(1, [1]).summary()
    assert repr(summary) == str(summary)


class Block(Module):
    def __init__(self):
        self.norm, self.out = LayerNorm(4), Linear(4, 2, bias=False)
        self.mix, self.scale = [[Value(0.0) for _ in range(3)] for _ in range(2)], Value(1.0)


class Net(Module):
    def __init__(self):
        self.letters = Embedding(27, 4)
        self.blocks = {"first": Block(), "second": Block()}
        self.neuron = Neuron(2)


def test_a_model_of_one_s_own_is_opened_down_to_its_layers():
    block = [
        ("norm", "LayerNorm", "4 → 4", "", 8),
        ("out", "Linear", "4 → 2", "", 8),
        ("mix", "Block", "2 × 3", "", 6),
        ("scale", "Block", "", "", 1),
    ]
    blocks = [(f"blocks.{key}.{name}", *rest) for key in ("first", "second") for name, *rest in block]
    assert rows(Net()) == [
        ("letters", "Embedding", "27 rows → 4", "", 108),
        *blocks,
        ("neuron", "Neuron", "2 → 1", "relu", 3),
    ]


def test_every_parameter_counts_once():
    net = Net()
    net.again = net.letters
    assert net.summary().parameters == len(net.parameters()) == sum(part.parameters for part in net.summary().parts)


def test_a_layer_alone_a_part_that_was_replaced_and_a_model_without_parameters():
    assert rows(Linear(3, 2)) == [("", "Linear", "3 → 2", "", 8)]
    layer = Layer(2, 1)
    layer.neurons[0] = Linear(2, 1)
    assert rows(layer) == [("neurons.0", "Linear", "2 → 1", "", 3)]
    assert str(Module().summary()).splitlines()[0] == "Module: 0 parameters"


def test_what_a_notebook_shows_is_a_table_and_names_are_text_in_it():
    class Parser(HTMLParser):
        def __init__(self, text):
            super().__init__()
            self.tags, self.words = [], []
            self.feed(text)

        def handle_starttag(self, tag, attrs):
            self.tags.append(tag)

        def handle_data(self, data):
            self.words.append(data)

    model = Module()
    model.parts = {"<script>": Linear(1, 1)}
    page = Parser(model.summary()._repr_html_())
    assert set(page.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert "parts.<script>" in page.words
