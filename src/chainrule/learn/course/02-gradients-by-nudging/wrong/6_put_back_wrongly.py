"""A number is not what it was when the next one is nudged: after xs[i] + h, it must be xs[i] again. Nudge a copy,
list(xs), and there is nothing to put back."""


def slopes(f, xs, h):
    before = f(xs)
    found = []
    for i, x in enumerate(xs):
        xs[i] = x + h
        found.append((f(xs) - before) / h)
        xs[i] = x - h
    return found
