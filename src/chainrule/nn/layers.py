"""`Neuron`, `Layer`, `MLP`, as in micrograd; `Linear` and `Embedding` beside them.

With the default options a net is exactly micrograd's: ReLU with a linear last layer, weights drawn by
`random.uniform(-1, 1)` from Python's global generator in the same order, and biases that start at 0.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from reprlib import recursive_repr
from typing import Any

from chainrule.core.operation import TABLE, Operation
from chainrule.engine import Value
from chainrule.errors import ArgumentError, SavedFileError, SizeError, shown, suggest
from chainrule.nn.holders import forward_of
from chainrule.nn.initialization import Initializer, initializer
from chainrule.nn.linear import linear, no_list
from chainrule.nn.module import Module
from chainrule.ops import take, weighted_sum

LINEAR = "linear"
Activation = str | Callable[[Any], Any]


class Neuron(Module):
    """activation(Σ wᵢxᵢ + b).

    Args:
        nin: how many inputs it has.
        nonlin: False for no activation (micrograd's switch).
        activation: the name of an operation, such as "relu", "tanh", "gelu", "linear", or a function of one Value.
        init: how the weights start: "uniform", "xavier", "he", or a function of (rng, nin, nout).
        rng: where weights are drawn from: a `random.Random`; Python's global generator if left out.

    Raises:
        ArgumentError: a size is not a positive whole number, or a name is unknown.

    >>> neuron = Neuron(2, activation="tanh")
    >>> for weight, number in zip(neuron.w, [-3.0, 1.0]):
    ...     weight.data = number
    >>> neuron.b.data = 6.8813735870195432
    >>> round(neuron([2.0, 0.0]).data, 4)
    0.7071
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | Initializer = "uniform",
        rng: Any = random,
        nout: int = 1,
    ) -> None:
        draw = initializer(init)
        self.w = [Value(draw(rng, nin, nout)) for _ in range(_size(nin, "nin"))]
        self.b = Value(0.0)
        self.activation = activation if nonlin else LINEAR
        self._activate = _activation(self.activation)

    @property
    def nonlin(self) -> bool:
        """micrograd's name for whether there is an activation."""
        return self._activate is not None

    def forward(self, x: Sequence[Any]) -> Value:
        """One output for a list of `nin` numbers."""
        try:
            count = len(x)
        except TypeError:
            raise no_list(x, len(self.w)) from None
        if count != len(self.w):
            raise SizeError(f"a neuron of {len(self.w)} inputs was given {count}: x must have {len(self.w)} numbers")
        total = weighted_sum(self.w, x, self.b)
        return self._activate(total) if self._activate else total

    def _described(self) -> tuple[str, str]:
        return f"{len(self.w):,} → 1", _activation_name(self.activation)

    def __repr__(self) -> str:
        name = _activation_name(self.activation)
        return f"{'ReLU' if name == 'relu' else name.capitalize()}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons with the same `nin` inputs; the options are those of `Neuron`.

    A call returns a list of `nout` Values, or the Value itself where nout is 1.

    >>> len(Layer(3, 2)([1.0, 2.0, 3.0]))
    2
    """

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        self.neurons = [Neuron(nin, **options, nout=nout) for _ in range(_size(nout, "nout"))]

    def forward(self, x: Sequence[Any]) -> Any:
        activations = {neuron._activate if type(neuron) is Neuron else neuron for neuron in self.neurons}
        if len(activations) == 1 and type(self.neurons[0]) is Neuron:  # all alike, as they come
            out = linear(x, [neuron.w for neuron in self.neurons], [neuron.b for neuron in self.neurons])
            activate = self.neurons[0]._activate
            out = [activate(total) for total in out] if activate else out
        else:
            out = [forward_of(neuron, x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def _described(self) -> tuple[str, str]:
        first = self.neurons[0]
        if type(first) is not Neuron:  # it was replaced
            return "", ""
        return f"{len(first.w):,} → {len(self.neurons):,}", _activation_name(first.activation)

    @recursive_repr()
    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: layers of neurons, each fed by the one before.

    Args:
        nin: how many inputs it has.
        nouts: how many neurons each layer has; the last number is that of the outputs.
        activation: of the hidden layers; or a list with one for every layer, the last included.
        output_activation: of the last layer.
        init: how the weights start, see `Neuron`.
        seed: for weights of its own generator; Python's global one if left out.

    Raises:
        ArgumentError: a size is not a positive whole number, or a name is unknown.

    >>> model = MLP(3, [4, 4, 1], activation="tanh", init="xavier", seed=1)
    >>> len(model.parameters())
    41
    >>> model([1.0, 2.0])
    Traceback (most recent call last):
        ...
    chainrule.errors.SizeError: a neuron of 3 inputs was given 2: x must have 3 numbers
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation | Sequence[Activation] = "relu",
        output_activation: Activation = LINEAR,
        init: str | Initializer = "uniform",
        seed: int | None = None,
    ) -> None:
        if isinstance(nouts, int):
            mended = f"MLP({shown(nin)}, [{shown(nouts)}]), or MLP({shown(nin)}, [16, {shown(nouts)}])"
            raise ArgumentError(f"nouts is the list of the sizes of the layers: {mended} with a hidden layer of 16")
        nouts = list(nouts)
        if not nouts:
            raise ArgumentError("MLP(nin, nouts) needs the size of at least one layer, such as MLP(2, [16, 1])")
        rng = random if seed is None else random.Random(seed)
        activations = _per_layer(activation, output_activation, len(nouts))
        sizes = [_size(nin, "nin"), *[_size(nout, "nout") for nout in nouts]]  # before any neuron is made
        self.layers = [
            Layer(sizes[i], sizes[i + 1], activation=activations[i], init=init, rng=rng) for i in range(len(nouts))
        ]

    def forward(self, x: Sequence[Any]) -> Any:
        for layer in self.layers[:-1]:
            out = layer.forward(x) if type(layer) is Layer else forward_of(layer, x)
            x = out if isinstance(out, list) else [out]
        last = self.layers[-1]
        return last.forward(x) if type(last) is Layer else forward_of(last, x)

    def config(self) -> dict[str, Any]:
        if not all(type(layer) is Layer and set(map(type, layer.neurons)) == {Neuron} for layer in self.layers):
            return super().config()  # its parts were replaced
        for layer in self.layers:
            activation = layer.neurons[0].activation
            if not isinstance(activation, str | Operation):
                name = _activation_name(activation)
                raise SavedFileError(f"the activation {name} is a function, which no file can hold: make it an "
                                     "operation with @chainrule.operation")  # fmt: skip
        return {
            "type": "MLP",
            "nin": len(self.layers[0].neurons[0].w),
            "nouts": [len(layer.neurons) for layer in self.layers],
            "activations": [_activation_name(layer.neurons[0].activation) for layer in self.layers],
        }

    @recursive_repr()
    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


class Linear(Module):
    """Σ wᵢxᵢ (+ b) for each of `nout` outputs, without an activation; a call always returns a list.

    >>> layer = Linear(2, 1)
    >>> layer.w[0][0].data, layer.w[0][1].data = 2.0, 3.0
    >>> layer([10.0, 1.0])[0].data
    23.0
    """

    def __init__(
        self, nin: int, nout: int, *, bias: bool = True, init: str | Initializer = "xavier", rng: Any = random
    ) -> None:
        draw = initializer(init)
        _size(nin, "nin")
        self.w = [[Value(draw(rng, nin, nout)) for _ in range(nin)] for _ in range(_size(nout, "nout"))]
        self.b = [Value(0.0) for _ in range(nout)] if bias else None

    def forward(self, x: Sequence[Any]) -> list[Value]:
        if hasattr(x, "__len__") and len(x) != len(self.w[0]):
            raise SizeError(f"Linear({len(self.w[0])}, {len(self.w)}) was given {len(x)} numbers")
        return linear(x, self.w, self.b)  # which refuses what is no list

    def _described(self) -> tuple[str, str]:
        return f"{len(self.w[0]):,} → {len(self.w):,}", ""


class Embedding(Module):
    """A table of `count` rows with `width` parameters each; a call with the index i returns row i.

    >>> letters = Embedding(27, 4)
    >>> len(letters(3)), len(letters.parameters())
    (4, 108)
    """

    def __init__(self, count: int, width: int, *, init: str | Initializer = "xavier", rng: Any = random) -> None:
        draw = initializer(init)
        _size(count, "count")
        _size(width, "width")
        self.rows = [[Value(draw(rng, count, width)) for _ in range(width)] for _ in range(count)]

    def __call__(self, x: Any) -> Any:
        """The row of one index, or the rows of a list of indices."""
        return [self.forward(i) for i in x] if isinstance(x, list | tuple) else self.forward(x)

    def forward(self, x: int) -> list[Value]:
        if isinstance(x, Value):  # an integer argument of a function that is being compiled
            return [take(column, x) for column in zip(*self.rows, strict=True)]
        try:
            i = operator.index(x)
        except TypeError:
            raise ArgumentError(f"an Embedding takes the whole number of a row, not {shown(x)}") from None
        if not 0 <= i < len(self.rows):
            raise ArgumentError(f"row {i} of an Embedding with rows 0 to {len(self.rows) - 1}")
        return self.rows[i]

    def _described(self) -> tuple[str, str]:
        return f"{len(self.rows):,} rows → {len(self.rows[0]):,}", ""


def from_config(config: dict[str, Any]) -> Module:
    """The model that a `config()` describes. Its numbers are 0 until `load_state_dict` sets them.

    Raises:
        SavedFileError: the description is not one of a model that can be rebuilt.

    >>> from_config(MLP(2, [3, 1]).config())
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
    """
    try:
        if config["type"] != "MLP":
            raise SavedFileError(f"the file describes a {shown(config['type'])}: load it with load(path, model=...)")
        return MLP(config["nin"], config["nouts"], activation=config["activations"], init=lambda rng, nin, nout: 0.0)
    except (KeyError, TypeError, ArgumentError) as error:
        raise SavedFileError(f"the file describes no model that can be built: {error}") from None


def _size(n: int, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ArgumentError(f"{what} must be a positive whole number, not {shown(n)}")
    return n


def _activation(activation: Activation) -> Callable[[Any], Any] | None:
    if callable(activation):
        return activation
    if activation == LINEAR:
        return None
    op = TABLE.get(activation) if isinstance(activation, str) else None
    if op is None or len(op.required) != 1:
        known = [LINEAR, *[name for name, op in TABLE.items() if len(op.required) == 1]]
        hint = suggest(activation, known)
        raise ArgumentError(f"activation={shown(activation)} is not an operation of one number.{hint}")
    return op


def _activation_name(activation: Activation) -> str:
    if isinstance(activation, Operation):
        return activation.name
    return activation if isinstance(activation, str) else getattr(activation, "__name__", "own")


def _per_layer(hidden: Activation | Sequence[Activation], last: Activation, count: int) -> list[Activation]:
    if isinstance(hidden, str) or callable(hidden):
        return [hidden] * (count - 1) + [last]
    if len(hidden) != count:
        raise ArgumentError(f"{len(hidden)} activations for {count} layers: give one for each, the last included")
    return list(hidden)
