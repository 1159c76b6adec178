"""This divides by another h than it nudges by: an h of its own stands there. Use the h that is given, in both places."""


def derivative(f, x, h):
    return (f(x + 0.001) - f(x)) / h
