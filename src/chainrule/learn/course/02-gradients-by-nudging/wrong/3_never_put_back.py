"""The first nudge is still there when the second comes: nudged is the list xs itself, so nudges add up. Make a copy for
each, list(xs), or put the number back."""


def slopes(f, xs, h):
    before = f(xs)
    found = []
    for i in range(len(xs)):
        nudged = xs
        nudged[i] += h
        found.append((f(nudged) - before) / h)
    return found
