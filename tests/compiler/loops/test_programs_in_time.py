"""Programs of steps in time, drawn at random: each must give the same at every stage of the compiler."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops

PROGRAMS = {}
"""By name, what draws a program: a function of a `Draw` that gives a function of Values and its arguments."""

SLOW = ["vector_steps"]

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
def scalar_steps(draw):
    n, a, f = draw.size(), draw.weights(1)[0], draw.bend()
    begin, noise = draw.start(), draw.data(n)

    def run(b):
        s, path = begin(), 0.0
        for z in noise:
            s = s * a + f(s) * 0.1 + b * z
            path = path + s
        return path / n + s * s

    return run, [draw.random.random()]


@program
def vector_steps(draw):
    d, n = draw.size(4, 2), draw.size(9)
    matrix, f = draw.matrix(d, d, 0.5), draw.bend()
    begin = [draw.start() for _ in range(d)]
    with_inputs = draw.random.random() < 0.5
    xs = [draw.row(d) for _ in range(n)]

    def run(b):
        s, total = [one() for one in begin], 0.0
        for x in xs:
            s = [f(dot(row, s) + (y * c if with_inputs else c)) for row, y, c in zip(matrix, x, b, strict=True)]
            total = total + s[0] * s[-1]
        return [total, *s]

    return run, [draw.row(d)]


@program
def lags(draw):
    n, (a, b, c) = draw.size(65), draw.weights(3, -0.5, 0.5)
    f, first, second, third = draw.bend(), draw.start(), draw.start(), draw.start()

    def run(x):
        s, before, other = first(), second(), third()
        out = []
        for _ in range(n):
            s, before, other = f(a * s + b * before + x), s, other * c + before
            out.append(other)
        return [s * other, sum(out)]

    return run, [draw.random.random()]


@program
def memory_of_two(draw):
    n, (a, b), back = draw.size(33), draw.weights(2, -0.5, 0.5), draw.random.choice([2, 3, 4])
    f, begin = draw.bend(), [draw.start() for _ in range(4)]

    def run(x):
        row = [one() for one in begin]
        for _ in range(n):
            row.append(f(a * row[-1] + b * row[-back] + x))
        return sum(row[4:])

    return run, [draw.random.random()]


@program
def running_extremes(draw):
    n, w, f = draw.size(65), draw.weights(1)[0], draw.bend()
    steps = draw.row(n)

    def run(x):
        s, top, low = x, x, x
        for z in steps:
            s = s + f(w * z) * z
            top, low = ops.max(top, s), ops.min(low, s)
        return [top - low, ops.largest([s, top * 0.5, low])]

    return run, [draw.random.random()]


@program
def heat(draw):
    n, d, a = draw.size(9), draw.size(9, 3), draw.weights(1, 0.1, 0.3)[0]
    f, ring = draw.bend(), draw.random.random() < 0.5

    def run(u):
        for _ in range(n):
            inner = [u[i] + a * (u[i - 1] - 2.0 * u[i] + u[i + 1]) for i in range(1, d - 1)]
            first, last = u[0], u[-1]
            if ring:
                first, last = first + a * (last - 2.0 * first + u[1]), last + a * (u[-2] - 2.0 * last + first)
            u = [first, *inner, last]
        return sum([f(x) for x in u])

    return run, [draw.row(d)]


@program
def sequences(draw):
    """A recurrent network over sequences of different lengths."""
    d, count = draw.size(3), draw.size(9)
    rows, into, f = draw.matrix(d, d, 0.5), draw.weights(d), draw.bend()
    longest = draw.size(9)
    lengths = [draw.random.randint(1, longest) for _ in range(count)]
    xs = [draw.data(n) for n in lengths]

    def run(out):
        total = 0.0
        for sequence in xs:
            h = [0.0] * d
            for x in sequence:
                h = [f(dot(row, h) + w * x) for row, w in zip(rows, into, strict=True)]
            total = total + dot(h, out)
        return total

    return run, [draw.row(d)]


@program
def many_paths(draw):
    """Time steps of several paths side by side."""
    paths, n, (a, b) = draw.size(17), draw.size(17), draw.weights(2, 0.0, 0.5)
    noise, begin = [draw.row(n) for _ in range(paths)], draw.start()

    def run(strike):
        total = 0.0
        for row in noise:
            s, mean = begin(), 0.0
            for z in row:
                s = s * ops.exp(a * 0.1 + b * z * 0.3) + 0.1
                mean = mean + s
            total = total + ops.relu(mean / n - strike)
        return total / paths

    return run, [draw.random.random()]


@program
def edits(draw):
    """A table of two dimensions, each entry made of three neighbours."""
    n, m = draw.size(5), draw.size(7)
    a, b = draw.weights(n), draw.row(m)

    def run(cost):
        row = [cost * j for j in range(m + 1)]
        for i in range(n):
            new = [cost * (i + 1)]
            for j in range(m):
                new.append(ops.softplus(row[j] + ops.abs(a[i] - b[j])) + 0.1 * row[j + 1] * new[-1])
            row = [0.3 * x for x in new]
        return row[-1]

    return run, [draw.random.random()]
