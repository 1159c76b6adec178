"""One copy serves for all, and nudges add up in it: it is xs with the first number nudged, then with the first two. Make
a new copy for each number."""


def slopes(f, xs, h):
    before = f(xs)
    nudged = list(xs)
    found = []
    for i in range(len(xs)):
        nudged[i] += h
        found.append((f(nudged) - before) / h)
    return found
