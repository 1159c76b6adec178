"""The numbers are right, but f(xs) is calculated again for every number. It is always the same: calculate it once, before
the loop."""


def slopes(f, xs, h):
    found = []
    for i in range(len(xs)):
        nudged = list(xs)
        nudged[i] += h
        found.append((f(nudged) - f(xs)) / h)
    return found
