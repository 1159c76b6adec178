"""Nothing comes back: the number is calculated, but derivative has no return."""


def derivative(f, x, h):
    (f(x + h) - f(x)) / h
