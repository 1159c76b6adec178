"""The sign is the other way round: what f is after the nudge comes first, f(x + h) - f(x)."""


def derivative(f, x, h):
    return (f(x) - f(x + h)) / h
