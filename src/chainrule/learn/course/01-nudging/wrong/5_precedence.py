"""The division comes before the subtraction here: f(x + h) - f(x) / h divides f(x) alone. Put brackets around the
difference."""


def derivative(f, x, h):
    return f(x + h) - f(x) / h
