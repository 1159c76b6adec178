"""Nothing comes back: slopes has no return at its end."""


def slopes(f, xs, h):
    before = f(xs)
    found = []
    for i in range(len(xs)):
        nudged = list(xs)
        nudged[i] += h
        found.append((f(nudged) - before) / h)
