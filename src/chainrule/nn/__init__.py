"""Neural nets of scalars: `Module`, `Neuron`, `Layer`, `MLP` and their companions. micrograd's names work here.

>>> from chainrule.nn import MLP
>>> model = MLP(2, [3, 1], seed=0)
>>> model
MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
>>> len(model.parameters()), len(model([[1.0, 2.0], [3.0, 4.0]]))
(13, 2)
"""

from chainrule.nn.holders import Frozen
from chainrule.nn.initialization import INITIALIZERS
from chainrule.nn.layers import MLP, Embedding, Layer, Linear, Neuron, from_config
from chainrule.nn.linear import linear
from chainrule.nn.module import Module
from chainrule.nn.normalization import LayerNorm, RMSNorm, layer_norm, rms_norm, softmax

__all__ = [
    "INITIALIZERS",
    "MLP",
    "Embedding",
    "Frozen",
    "Layer",
    "LayerNorm",
    "Linear",
    "Module",
    "Neuron",
    "RMSNorm",
    "from_config",
    "layer_norm",
    "linear",
    "rms_norm",
    "softmax",
]
