"""The neuron of the lecture, recorded; its page has this file as its source."""

import chainrule
from chainrule import Value


def neuron() -> chainrule.Recording:
    with chainrule.recording(title="A neuron") as story:
        x1, x2 = Value(2.0), Value(0.0)
        w1, w2 = Value(-3.0), Value(1.0)
        b = Value(6.8813735870195432)
        n = x1 * w1 + x2 * w2 + b
        o = n.tanh()
        o.backward()
    return story
