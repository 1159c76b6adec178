"""Derivatives by nudging: what a derivative is, before any rule for it.

Take a function, push its input a little, and watch the output. If the output moves three times as far as the input
did, the derivative there is 3. That is all a derivative says: how sensitive the output is to the input, at one point.

    derivative ≈ (f(x + h) - f(x)) / h        for a small nudge h

Two questions come up at once. How small should h be? And what if there are several inputs? Run this file and see.
"""

import chainrule
from chainrule.check import central_difference, forward_difference


def parabola(x):
    return 3 * x**2 - 4 * x + 5


def smaller_and_smaller(x=3.0):
    """The quotient for ever smaller nudges: better at first, then worse.

    The error of the formula falls with h, but the numbers f(x + h) and f(x) become so alike that rounding eats their
    difference. A computer cannot take the limit that the definition asks for.
    """
    exact = 6 * x - 4
    errors = {}
    print(f"f(x) = 3x² - 4x + 5 at x = {x}; exactly, f'(x) = 6x - 4 = {exact}")
    for digits in range(1, 16, 2):
        h = 10.0**-digits
        slope = (parabola(x + h) - parabola(x)) / h
        errors[h] = abs(slope - exact)
        print(f"  h = {h:.0e}   quotient = {slope:<20.16g} error = {errors[h]:.0e}")
    return errors


def signs():
    """Where a function falls, the derivative is negative; at the bottom it is 0."""
    slopes = {x: forward_difference(parabola, [x])[0] for x in (-3.0, 2 / 3, 3.0)}
    for x, slope in slopes.items():
        way = "falls" if slope < -0.01 else "rises" if slope > 0.01 else "is flat"
        print(f"  at x = {x:6.3f} the slope is {slope:8.4f}: the function {way}")
    return slopes


def several_inputs():
    """With several inputs, nudge one at a time: each has a derivative of its own."""

    def d(a, b, c):
        return a * b + c

    slopes = forward_difference(d, [2.0, -3.0, 10.0])
    print("d = a*b + c at a = 2, b = -3, c = 10")
    for name, slope, why in zip("abc", slopes, ["b", "a", "1"], strict=True):
        print(f"  nudging {name} moves d {slope:7.4f} times as far: the derivative is {why}")
    return slopes


def without_nudging(x=3.0):
    """What the rest of these lessons is about: the same derivative, exactly, in one go, however many inputs."""
    nudged = central_difference(parabola, [x])[0]
    exact = chainrule.grad(parabola)(x)
    print(f"nudging to both sides gives {nudged!r}, chainrule.grad gives {exact!r}")
    return nudged, exact


def main():
    errors = smaller_and_smaller()
    print()
    slopes = signs()
    print()
    partial = several_inputs()
    print()
    return errors, slopes, partial, without_nudging()


if __name__ == "__main__":
    main()
