"""Programs of lists and loops over them, drawn at random: each must give the same at every stage of the compiler."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops

PROGRAMS = {}
"""By name, what draws a program: a function of a `Draw` that gives a function of Values and its arguments."""

WRONG: dict[tuple[str, int, str], str] = {}
"""What is known to go wrong, and why: by name, seed and mode."""


def program(maker):
    """Adds to `PROGRAMS`."""
    PROGRAMS[maker.__name__] = maker
    return maker


def dot(a, b, bias=0.0):
    return sum([x * y for x, y in zip(a, b, strict=True)], bias)


def test_every_stage_gives_what_the_eager_engine_gives(name, seed, mode, same_at_every_stage):
    same_at_every_stage(PROGRAMS[name], seed, mode)


@program
def dots(draw):
    n, m = draw.size(17), draw.size(17)
    rows, bias, f = draw.matrix(n, m), draw.weights(n), draw.bend()
    return lambda x: [f(dot(row, x, b)) for row, b in zip(rows, bias, strict=True)], [draw.row(m)]


@program
def network(draw):
    widths = [draw.size(8) for _ in range(draw.random.choice([2, 3, 4]))]
    layers = [(draw.matrix(n, m), draw.weights(n)) for m, n in pairwise(widths)]
    f, samples = draw.bend(), draw.size(9)
    targets = [draw.data(widths[-1]) for _ in range(samples)]

    def loss(xs):
        total = 0.0
        for row, target in zip(xs, targets, strict=True):
            made = row
            for weights, bias in layers:
                made = [f(dot(w, made) + b) for w, b in zip(weights, bias, strict=True)]
            total += sum([(a - t) ** 2 for a, t in zip(made, target, strict=True)])
        return total / samples

    return loss, [[draw.data(widths[0]) for _ in range(samples)]]


@program
def data_inside(draw):
    n, m = draw.size(65), draw.size(9)
    xs, ys = [draw.data(m) for _ in range(n)], draw.data(n)
    w, f = draw.weights(m), draw.bend()
    return lambda b: sum([f(y - dot(w, x) - b) for x, y in zip(xs, ys, strict=True)]) / n, [draw.random.random()]


@program
def causal(draw):
    n, d = draw.size(17), draw.size(4)
    ks, vs, f = draw.matrix(n, d), draw.matrix(n, d), draw.bend()

    def attention(qs):
        out = []
        for i in range(n):
            scores = [ops.exp(dot(qs[i], ks[j]) / d) for j in range(i + 1)]
            total = sum(scores)
            out += [f(sum([s * v[c] for s, v in zip(scores, vs, strict=False)]) / total) for c in range(d)]
        return sum(out)

    return attention, [[draw.row(d) for _ in range(n)]]


@program
def pairs(draw):
    n = draw.size(17, 2)
    f, w = draw.bend(), draw.weights(n)
    return lambda x: sum([f(x[i] - x[j]) * w[j] for i in range(n) for j in range(i)]), [draw.row(n)]


@program
def choices(draw):
    n, w = draw.size(65), draw.weights(draw.size(4))
    k = len(w)

    def run(xs):
        parts = [ops.select(x > 0.1, x * w[i % k], ops.exp(x) - w[i % k]) for i, x in enumerate(xs)]
        return [ops.largest(parts), ops.sum(parts), ops.logsumexp(parts), *parts[:3]]

    return run, [draw.row(n)]


@program
def windows(draw):
    n, k = draw.size(33), draw.size(5)
    w, f, stride = draw.weights(k), draw.bend(), draw.random.choice([1, 1, 2, 3])

    def run(x):
        return [f(dot(w, x[i : i + k])) for i in range(0, n, stride)]

    return run, [draw.row(n + k)]


@program
def matrices(draw):
    n, m, k = draw.size(9), draw.size(9), draw.size(9)
    b = draw.matrix(m, k)
    again = draw.random.random() < 0.5

    def run(a):
        c = [[sum([a[i][p] * b[p][j] for p in range(m)]) for j in range(k)] for i in range(n)]
        if again:
            return sum([c[i][j] * c[p][j] for i in range(n) for p in range(n) for j in range(k)])
        return c

    return run, [[draw.row(m) for _ in range(n)]]


@program
def softmax(draw):
    n, k, d = draw.size(9), draw.size(5, 2), draw.size(4)
    rows, targets = draw.matrix(k, d), [draw.random.randrange(k) for _ in range(n)]
    xs = [draw.row(d) for _ in range(n)]

    def run(bias):
        total = 0.0
        for x, t in zip(xs, targets, strict=True):
            logits = [dot(row, x, b) for row, b in zip(rows, bias, strict=True)]
            total = total + ops.logsumexp(logits) - logits[t]
        return total / n

    return run, [draw.row(k)]


@program
def looked_up(draw):
    n, k = draw.size(17), draw.size(5, 2)
    table, f = draw.weights(k), draw.bend()
    rows = [draw.random.randrange(k) for _ in range(n)]
    turned = draw.random.random() < 0.5

    def run(scale):
        made = [f(w * scale) for w in table]
        made = made[::-1] if turned else made
        return [ops.take(made, i * (scale * 0.0 + 1.0)) * made[i] for i in rows]

    return run, [draw.random.random()]


@program
def prefixes(draw):
    n, f, w = draw.size(33), draw.bend(), draw.weights(1)[0]

    def run(xs):
        total, out = 0.0, []
        for x in xs:
            total = total + f(x * w)
            out.append(total)
        return out if n < 5 else [sum([f(x) for x in out]), out[-1]]

    return run, [draw.row(n)]


@program
def halves(draw):
    n, f = draw.size(65), draw.bend()
    w = draw.weights(n)

    def run(xs):
        row = [f(x * v) for x, v in zip(xs, w, strict=True)]
        while len(row) > 1:
            row = [a + 0.5 * b for a, b in zip(row[::2], row[1::2], strict=False)] + row[len(row) // 2 * 2 :]
        return row[0]

    return run, [draw.row(n)]


@program
def mixture(draw):
    """Lists through random functions of lists, one after the other."""
    choose = draw.random
    lists = [draw.size(9) for _ in range(2)]
    recipe = [(choose.randrange(12), choose.randrange(10**6), draw.bend()) for _ in range(choose.choice([3, 4, 5]))]
    pool, data = draw.weights(20), draw.data(40)

    def run(xs, ys):
        row, other = xs, ys
        for kind, number, f in recipe:
            row, other = _mixed(kind, number, f, row, other, pool, data)
            row = [0.3 * x for x in row] if kind in (1, 5, 6) else row
        return [sum([f(x) for x in row]), row[-1], other[0]]

    return run, [draw.row(n) for n in lists]


def _mixed(kind, number, f, row, other, pool, data):
    """The lists after one of twelve steps."""
    n, shift = len(row), number % len(row)
    steps = [
        lambda: ([f(x) for x in row], other),
        lambda: ([dot(row, pool[i % 3 :: 2][:1] * n, pool[i]) for i in range(number % 9 + 1)], row),
        lambda: ([x * y for x, y in zip(row, other, strict=False)], row),
        lambda: (row[::-1], other),
        lambda: (row[shift:] + row[:shift], row),
        lambda: ((row + other)[:65], row),
        lambda: (_carried(row, f, pool[0]), other),
        lambda: ([ops.exp(x - ops.largest(row)) for x in row], row),
        lambda: ([x / ops.sum([1.0 + y * y for y in row]) for x in row], other),
        lambda: ([x * c + p for x, c, p in zip(row, data[number % 3 :] * 3, pool * 4, strict=False)], row),
        lambda: (row[number % 2 :: 2] or row, other),
        lambda: ([ops.sum(row[: i + 1]) for i in range(n)] if n < 20 else row, row),
    ]
    return steps[kind]()


def _carried(row, f, state):
    out = []
    for x in row:
        state = state * 0.5 + f(x)
        out.append(state)
    return out
