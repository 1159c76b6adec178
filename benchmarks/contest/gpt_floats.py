"""examples/gpt.py on plain floats: the floor of the GPT benchmark.

The same model and the same Adam, line by line, with plain Python in place of chainrule's functions. What is left out is
what a float cannot have: gradients. Adam does its arithmetic with zeros in their place.
"""

from __future__ import annotations

import math

WIDTH, HEADS, CONTEXT = 16, 4, 16
HEAD = WIDTH // HEADS


def matrix(rows, columns, rng):
    return [[rng.gauss(0, 0.08) for _ in range(columns)] for _ in range(rows)]


def dot(row, x):
    return sum(w * v for w, v in zip(row, x))  # noqa: B905 - the line as one writes it


def times(weights, x):
    return [sum(w * v for w, v in zip(row, x)) for row in weights]  # noqa: B905


def plus(a, b):
    return [x + y for x, y in zip(a, b, strict=True)]


def relu(x):
    return x if x > 0 else 0.0


def softmax(xs):
    largest = max(xs)
    exps = [math.exp(x - largest) for x in xs]
    total = sum(exps)
    return [e / total for e in exps]


def rms_norm(xs, eps=1e-5):
    scale = 1.0 / math.sqrt(sum(x * x for x in xs) * (1.0 / len(xs)) + eps)
    return [x * scale for x in xs]


def cross_entropy(logits, targets):
    losses = []
    for row, target in zip(logits, targets, strict=True):
        largest = max(row)
        losses.append(largest + math.log(sum(math.exp(x - largest) for x in row)) - row[target])
    return sum(losses) * (1.0 / len(losses))


class GPT:
    def __init__(self, tokens, rng):
        self.token_embedding = matrix(tokens, WIDTH, rng)
        self.position_embedding = matrix(CONTEXT, WIDTH, rng)
        self.unembedding = matrix(tokens, WIDTH, rng)
        self.query, self.key, self.value, self.output = [matrix(WIDTH, WIDTH, rng) for _ in range(4)]
        self.widen = matrix(4 * WIDTH, WIDTH, rng)
        self.narrow = matrix(WIDTH, 4 * WIDTH, rng)

    def logits(self, token, position, keys, values):
        x = rms_norm(plus(self.token_embedding[token], self.position_embedding[position]))
        x = plus(x, self.attend(rms_norm(x), keys, values))
        x = plus(x, times(self.narrow, [relu(h) for h in times(self.widen, rms_norm(x))]))
        return times(self.unembedding, x)

    def attend(self, x, keys, values):
        query = times(self.query, x)
        keys.append(times(self.key, x))
        values.append(times(self.value, x))
        heads = []
        for h in range(0, WIDTH, HEAD):
            fits = [dot(query[h : h + HEAD], key[h : h + HEAD]) * HEAD**-0.5 for key in keys]
            weights = softmax(fits)
            heads += [dot(weights, [value[i] for value in values]) for i in range(h, h + HEAD)]
        return times(self.output, heads)


def loss_of(model, tokens):
    keys, values = [], []
    seen, following = tokens[:-1][:CONTEXT], tokens[1:][:CONTEXT]
    logits = [model.logits(token, position, keys, values) for position, token in enumerate(seen)]
    return cross_entropy(logits, following)


class Adam:
    """chainrule.optim.Adam for rows of floats."""

    def __init__(self, model, lr=0.01, betas=(0.85, 0.99), eps=1e-8):
        tables = [table for table in vars(model).values() if isinstance(table, list)]
        self.rows = [row for table in tables for row in table]
        self.lr, self.betas, self.eps, self.steps = lr, betas, eps, 0
        count = sum(len(row) for row in self.rows)
        self.mean, self.square, self.grads = [0.0] * count, [0.0] * count, [0.0] * count

    def step(self):
        self.steps += 1
        (b1, b2), eps, lr, sqrt = self.betas, self.eps, self.lr, math.sqrt
        data = [x for row in self.rows for x in row]
        mean = [b1 * m + (1 - b1) * g for m, g in zip(self.mean, self.grads, strict=True)]
        square = [b2 * s + (1 - b2) * g * g for s, g in zip(self.square, self.grads, strict=True)]
        self.mean, self.square = mean, square
        c1, c2 = 1 - b1**self.steps, 1 - b2**self.steps
        moved = iter([x - lr * (m / c1) / (sqrt(s / c2) + eps) for x, m, s in zip(data, mean, square, strict=True)])
        for row in self.rows:
            row[:] = [next(moved) for _ in row]
