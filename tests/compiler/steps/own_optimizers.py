"""Optimisers and schedules as people write them, for the tests."""

import functools
import math

import chainrule
from chainrule import Value, ops
from chainrule.optim import SGD, Adam, Optimizer

FACTOR = 0.5


class ByGlobalNorm(Optimizer):
    def updated(self, data, grads, lr):
        norm = math.sqrt(sum(g * g for g in grads))
        scale = min(1.0, 0.3 / (norm + 1e-12))
        return [x - lr * scale * g for x, g in zip(data, grads, strict=True)]


class ByNormOfGradients(Optimizer):
    """Reads data and gradients from the parameters."""

    def updated(self, data, grads, lr):
        norm = chainrule.sqrt(sum([p.grad**2 for p in self.parameters]))
        scale = chainrule.min(1.0, 0.3 / (norm + 1e-12))
        return [p.data - lr * scale * p.grad for p in self.parameters]


class ClippedAdam(Adam):
    def clipped(self, grads):
        norm = math.hypot(*grads)
        return [g * min(1.0, 0.3 / max(norm, 1e-6)) for g in grads]

    def updated(self, data, grads, lr):
        return super().updated(data, self.clipped(grads), lr)


class ClippedMomentum(SGD):
    def __init__(self, parameters, lr=0.01):
        super().__init__(parameters, lr, momentum=0.9)

    def updated(self, data, grads, lr):
        largest = max([abs(g) for g in grads])
        return super().updated(data, [g / max(1.0, largest) for g in grads], lr)


class ByValue(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * max(-0.1, min(0.1, g)) for x, g in zip(data, grads, strict=True)]


class Layerwise(Optimizer):
    """The base of LARS and LAMB, which take a norm for each layer. The first three weights are one layer here."""

    layers = ((0, 3), (3, None))

    def by_layer(self, data, moves, lr):
        found = []
        for start, end in self.layers:
            size = ops.sqrt(ops.sum([x * x for x in data[start:end]]))
            length = ops.sqrt(ops.sum([m * m for m in moves[start:end]]))
            trust = ops.select(ops.gt(length, 0.0), size / (length + 1e-12), 1.0)
            found += [x - lr * trust * m for x, m in zip(data[start:end], moves[start:end], strict=True)]
        return found


class Lars(Layerwise):
    def updated(self, data, grads, lr):
        return self.by_layer(data, [g + 0.01 * x for x, g in zip(data, grads, strict=True)], lr)


class Lamb(Layerwise):
    slots = ("mean", "square")

    def updated(self, data, grads, lr):
        t = self.steps
        self.memory["mean"] = [0.9 * m + 0.1 * g for m, g in zip(self.memory["mean"], grads, strict=True)]
        self.memory["square"] = [0.99 * s + 0.01 * g**2 for s, g in zip(self.memory["square"], grads, strict=True)]
        rows = zip(data, self.memory["mean"], self.memory["square"], strict=True)
        moves = [m / (1 - 0.9**t) / (math.sqrt(s / (1 - 0.99**t)) + 1e-6) + 0.01 * x for x, m, s in rows]
        return self.by_layer(data, moves, lr)


class AdamWByHand(Optimizer):
    slots = ("m", "v")
    beta1, beta2 = 0.9, 0.99

    def updated(self, data, grads, lr):
        new, m, v = [], [], []
        for i, (x, g) in enumerate(zip(data, grads, strict=True)):
            m.append(self.beta1 * self.memory["m"][i] + (1 - self.beta1) * g)
            v.append(self.beta2 * self.memory["v"][i] + (1 - self.beta2) * g * g)
            up = m[i] / (1 - self.beta1**self.steps)
            down = math.sqrt(v[i] / (1 - self.beta2**self.steps)) + 1e-8
            new.append(x - lr * (up / down + 0.01 * x))
        self.memory["m"], self.memory["v"] = m, v
        return new


class Lion(Optimizer):
    slots = ("mean",)

    def updated(self, data, grads, lr):
        mean = self.memory["mean"]
        moves = [math.copysign(1.0, 0.9 * m + 0.1 * g) for m, g in zip(mean, grads, strict=True)]
        self.memory["mean"] = [0.99 * m + 0.01 * g for m, g in zip(mean, grads, strict=True)]
        return [x - lr * (u + 0.01 * x) for x, u in zip(data, moves, strict=True)]


class RMSprop(Optimizer):
    slots = ("square",)

    def updated(self, data, grads, lr):
        square = self.memory["square"] = [
            0.9 * s + 0.1 * g * g for s, g in zip(self.memory["square"], grads, strict=True)
        ]
        return [x - lr * g / (s**0.5 + 1e-8) for x, g, s in zip(data, grads, square, strict=True)]


class Adagrad(Optimizer):
    slots = ("sum",)

    def updated(self, data, grads, lr):
        for i, g in enumerate(grads):
            self.memory["sum"][i] = self.memory["sum"][i] + g * g
        return [x - lr * g / math.sqrt(s + 1e-8) for x, g, s in zip(data, grads, self.memory["sum"], strict=True)]


class Averaging(SGD):
    """An exponential moving average of the weights, for use after training."""

    slots = ("velocity", "average")

    def updated(self, data, grads, lr):
        new = super().updated(data, grads, lr)
        start = ops.eq(self.steps, 1)
        rows = zip(self.memory["average"], new, strict=True)
        self.memory["average"] = [ops.select(start, x, 0.9 * a + 0.1 * x) for a, x in rows]
        return new


class Polyak(Optimizer):
    """The mean of all weights since the beginning, and the last ones."""

    slots = ("mean", "last")

    def updated(self, data, grads, lr):
        self.memory["last"] = data
        self.memory["mean"] = [m + (x - m) / self.steps for m, x in zip(self.memory["mean"], data, strict=True)]
        return [x - lr * g for x, g in zip(data, grads, strict=True)]


class ByGlobal(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * FACTOR * g for x, g in zip(data, grads, strict=True)]


class ByClass(Optimizer):
    decay = 0.1

    def updated(self, data, grads, lr):
        return [x - lr * (g + type(self).decay * x) for x, g in zip(data, grads, strict=True)]


class ByValueKept(Optimizer):
    """Its strength is a Value, which may change between steps."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.strength = Value(0.3)

    def updated(self, data, grads, lr):
        return [x - lr * (g + self.strength.data * x) for x, g in zip(data, grads, strict=True)]


class Centred(Optimizer):
    def updated(self, data, grads, lr):
        mean = sum(grads) / len(grads)
        return [x - lr * (g - mean) for x, g in zip(data, grads, strict=True)]


class Masked(Optimizer):
    """Weight decay on some parameters alone."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.mask = [i % 3 != 2 for i in range(len(self.parameters))]

    def updated(self, data, grads, lr):
        return [x - lr * (g + 0.1 * x if own else g) for x, g, own in zip(data, grads, self.mask, strict=True)]


class Groups(Optimizer):
    """A rate of its own for the parameters of a set."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.slow = set(self.parameters[:2])

    def updated(self, data, grads, lr):
        rates = [0.1 * lr if p in self.slow else lr for p in self.parameters]
        return [x - r * g for x, g, r in zip(data, grads, rates, strict=True)]


class Lookahead(Optimizer):
    slots = ("slow", "count")

    def updated(self, data, grads, lr):
        fast = [x - lr * g for x, g in zip(data, grads, strict=True)]
        slow = [ops.select(ops.eq(self.steps, 1), x, s) for x, s in zip(data, self.memory["slow"], strict=True)]
        count = [c + 1.0 for c in self.memory["count"]]
        now = [ops.ge(c, 5.0) for c in count]
        self.memory["count"] = [ops.select(n, 0.0, c) for n, c in zip(now, count, strict=True)]
        self.memory["slow"] = [ops.select(n, s + 0.5 * (x - s), s) for n, s, x in zip(now, slow, fast, strict=True)]
        return [ops.select(n, s, x) for n, s, x in zip(now, self.memory["slow"], fast, strict=True)]


class NextRate(Optimizer):
    """Reads the rate of the next step."""

    def updated(self, data, grads, lr):
        return [x - 0.5 * (lr + self.lr) * g for x, g in zip(data, grads, strict=True)]


class Halved(ByGlobalNorm):
    """Gives half of each gradient to the base class."""

    def updated(self, data, grads, lr):
        return super().updated(data, [0.5 * g for g in grads], lr)


class InPlace(Optimizer):
    slots = ("now", "again", "zero", "step")

    def updated(self, data, grads, lr):
        scale = 1.0 / (1e-3 + math.fsum(g * g for g in grads) ** 0.5)
        for i, g in enumerate(grads):
            data[i] -= lr * scale * g
        self.memory = {"now": data, "again": data, "zero": [0.0] * len(data), "step": [self.steps] * len(data)}
        return (x for x in data)


def keep(x):
    return 0.9 * x


class ByFunction(Optimizer):
    """Calls a function of the module, and one that is an attribute."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.squeeze = chainrule.tanh

    def updated(self, data, grads, lr):
        return [x - lr * keep(self.squeeze(g)) for x, g in zip(data, grads, strict=True)]


class AboveByName(ClippedMomentum):
    def updated(self, data, grads, lr):
        return super(AboveByName, self).updated(data, [min(g, 0.2) for g in grads], lr)  # noqa: UP008


def of_itself(parameters, lr):
    """An optimiser whose `updated` is an attribute of its own."""
    one = SGD(parameters, lr)
    one.updated = lambda data, grads, lr: [x - lr * min(g, 0.2) for x, g in zip(data, grads, strict=True)]
    return one


class ByManyFunctions(Optimizer):
    """Has functions of floats wherever a class can have functions."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.clipped = lambda g: max(-0.2, g)
        self.least = min
        self.at_most = functools.partial(min, 0.1)

    @staticmethod
    def norm(xs, root=math.sqrt, *, sum=math.fsum):
        return root(sum([x * x for x in xs]))

    @classmethod
    def scale(cls, norm):
        return min(1.0, cls.norm([0.3, 0.0]) / (norm + 1e-9))

    @property
    def warm(self):
        return min(1.0, self.steps / 5)

    def __call__(self, g):
        return self.at_most(self.least(0.25, self.clipped(g)))

    def updated(self, data, grads, lr):
        factor = self.warm * self.scale(self.norm(grads))
        return [x - lr * factor * self(g) for x, g in zip(data, grads, strict=True)]


OPTIMIZERS = {
    kind.__name__: kind
    for kind in (
        *(ByGlobalNorm, ByNormOfGradients, ClippedAdam, ClippedMomentum, ByValue, Lars, Lamb, AdamWByHand, Lion),
        *(Adagrad, Averaging, Polyak, ByGlobal, ByClass, ByValueKept, Centred, Masked, Groups, Lookahead, NextRate),
        *(RMSprop, ByFunction, Halved, InPlace, AboveByName, of_itself, ByManyFunctions),
    )
}


# ---- schedules -------------------------------------------------------------------------------------------------------


def restarts(start, end, every):
    """A cosine schedule with warm restarts."""
    return lambda step: end + 0.5 * (start - end) * (1 + math.cos(math.pi * (step % every) / every))


def warm_up(lr, steps):
    def rate(step):
        return lr * (step + 1) / steps if step < steps else lr

    return rate


class OneCycle:
    def __init__(self, most, steps):
        self.most, self.steps = most, steps

    def __call__(self, step):
        half = self.steps / 2
        return self.most * (step / half if step < half else max(0.0, 2 - step / half)) + 1e-3


def of_table(rates):
    return lambda step: rates[min(step, len(rates) - 1)]


class Warmed:
    """A warm-up of five steps in front of another schedule."""

    def __init__(self, then):
        self.then = then

    def __call__(self, step):
        return self.then(step) * min(1.0, (step + 1) / 5)


SCHEDULES = {
    "restarts": lambda: restarts(0.1, 0.01, 7),
    "warm-up": lambda: warm_up(0.1, 5),
    "one cycle": lambda: OneCycle(0.1, 20),
    "step decay": lambda: lambda step: 0.1 * 0.5 ** (step // 4),
    "exponential": lambda: lambda step: 0.1 * math.exp(-0.1 * step),
    "cyclic": lambda: lambda step: 0.02 + 0.02 * abs((step % 8) - 4),
    "inverse square root": lambda: lambda step: 0.1 * min((step + 1) ** -0.5, (step + 1) * 5**-1.5),
    "a table": lambda: of_table([0.1, 0.05, 0.05, 0.01]),
    "two in a row": lambda: Warmed(restarts(0.1, 0.0, 5)),
    "ours": lambda: chainrule.optim.cosine(0.1, 0.0, 15),
}
