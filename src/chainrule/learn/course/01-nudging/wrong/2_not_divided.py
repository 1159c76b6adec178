"""That is how much f changed. A derivative is how much it changed per unit of the nudge: divide by h."""


def derivative(f, x, h):
    return f(x + h) - f(x)
