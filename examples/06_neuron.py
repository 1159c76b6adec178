"""A neuron: a weighted sum, a bias, a squashing function.

    output = tanh(w1·x1 + w2·x2 + b)

The weights say how much each input counts, the bias how easily the neuron is moved at all, and tanh keeps the output
between -1 and 1. It is an expression like any other, so the chain rule tells how the output depends on every number
in it. With these numbers, the argument of tanh is 0.8814, where tanh rises with a slope of just 0.5, so that all
gradients come out round.
"""

from chainrule import Value, draw, explain
from chainrule.nn import Neuron

X1, X2, W1, W2, B = 2.0, 0.0, -3.0, 1.0, 6.8813735870195432


def as_an_expression():
    """The neuron written out."""
    x1, x2 = Value(X1, "x1"), Value(X2, "x2")
    w1, w2, b = Value(W1, "w1"), Value(W2, "w2"), Value(B, "b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    o.backward()
    return o, {v.label: v.grad for v in (x1, w1, x2, w2, b)}


def as_a_neuron():
    """The same with `nn.Neuron`, whose sum is a single node: Σ + b, then tanh."""
    neuron = Neuron(2, activation="tanh")
    w1, w2, b = *neuron.w, neuron.b
    for parameter, name, number in (w1, "w1", W1), (w2, "w2", W2), (b, "b", B):
        parameter.label, parameter.data = name, number
    x1, x2 = Value(X1, "x1"), Value(X2, "x2")
    o = neuron([x1, x2])
    o.label = "o"
    o.backward()
    return o, {v.label: v.grad for v in (x1, w1, x2, w2, b)}


def main():
    written, gradients = as_an_expression()
    neuron, same = as_a_neuron()
    print(explain(written))
    print("\nAs a tree:")
    print(draw(written))
    print("\nAnd nn.Neuron, with its sum as one node:")
    print(draw(neuron))
    print("\nThe gradients are the same:", gradients == same)
    return written.data, gradients, same


if __name__ == "__main__":
    main()
