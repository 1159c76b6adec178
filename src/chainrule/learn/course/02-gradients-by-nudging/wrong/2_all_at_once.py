"""All numbers are nudged at once, so that every slope is that of all together. Nudge one, and leave the others."""


def slopes(f, xs, h):
    before = f(xs)
    nudged = [x + h for x in xs]
    return [(f(nudged) - before) / h for _ in xs]
