"""A multi-layer perceptron: neurons side by side make a layer, layers one after another a net.

Every neuron of a layer sees all outputs of the layer before. A net is thus one large expression, and `backward()` on
anything made of its output fills in the gradient of each of its parameters. It does not matter that there are many:
one walk through the graph gives them all.
"""

import random

from chainrule import topological_order
from chainrule.nn import MLP, Layer, Neuron

INPUT = [2.0, 3.0, -1.0]


def parts():
    """What each part gives for an input of three numbers."""
    rng = random.Random(1337)  # weights start at random; from a seed, they are the same in each run
    neuron, layer = Neuron(3, activation="tanh", rng=rng), Layer(3, 4, activation="tanh", rng=rng)
    model = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh", seed=1337)
    print(f"a neuron gives {neuron(INPUT).data:.4f}")
    print(f"a layer of 4 gives {[round(out.data, 4) for out in layer(INPUT)]}")
    print(f"the net gives {model(INPUT).data:.4f}")
    return model


def count(model):
    """3 inputs and a bias for each of 4 neurons, then 4 and a bias for 4, then 4 and a bias for 1: 16 + 20 + 5."""
    sizes = [len(layer.parameters()) for layer in model.layers]
    print(f"parameters: {' + '.join(map(str, sizes))} = {len(model.parameters())}")
    return sizes


def sensitivities(model):
    """Which parameters would change the output most, if nudged?"""
    out = model(INPUT)
    print(f"the expression of the output has {len(topological_order(out))} nodes")
    out.backward()
    ranked = sorted(model.named_parameters(), key=lambda item: -abs(item[1].grad))
    print("the output depends most on")
    for name, parameter in ranked[:5]:
        print(f"  {name:26} gradient {parameter.grad:8.4f}")
    return ranked


def main():
    model = parts()
    sizes = count(model)
    ranked = sensitivities(model)
    return model, sizes, ranked


if __name__ == "__main__":
    main()
