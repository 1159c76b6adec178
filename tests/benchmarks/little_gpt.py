"""A training script in the style of microgpt, for the benchmark that takes one: a bigram model on a few names."""

import math
import random

random.seed(42)
docs = ["emma", "olivia", "ava", "mia"]
chars = sorted(set("".join(docs)))
END = len(chars)


class Value:
    """A scalar with its gradient."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0
        self._children, self._local_grads = children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other):
        return Value(self.data**other, (self,), (other * self.data ** (other - 1),))

    def exp(self):
        return Value(math.exp(self.data), (self,), (math.exp(self.data),))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1
        for v in reversed(order):
            for child, local in zip(v._children, v._local_grads, strict=True):
                child.grad += local * v.grad


table = [[Value(random.gauss(0, 0.1)) for _ in range(END + 1)] for _ in range(END + 1)]
params = [p for row in table for p in row]
m = [0.0] * len(params)


def softmax(logits):
    largest = max(x.data for x in logits)
    exps = [(x - largest).exp() for x in logits]
    total = sum(exps)
    return [e / total for e in exps]


steps_wanted = 12
for step in range(steps_wanted):
    doc = docs[step % len(docs)]
    tokens = [END, *map(chars.index, doc), END]
    losses = [-softmax(table[a])[b].log() for a, b in zip(tokens, tokens[1:])]  # noqa: B905, RUF007 - as one writes it
    loss = (1 / len(losses)) * sum(losses)
    loss.backward()
    rate = 0.5 * (1 - step / steps_wanted)
    for i, p in enumerate(params):
        m[i] = 0.9 * m[i] + 0.1 * p.grad
        p.data -= rate * m[i]
        p.grad = 0
    print(step, loss.data)

raise SystemExit("what follows the loop is not run")
