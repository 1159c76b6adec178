"""Calculates the coefficients of `src/chainrule/core/coefficients.py`, for machine code and JavaScript alike.

    python tools/coefficients.py > src/chainrule/core/coefficients.py

Each polynomial is the best approximation of its degree (see `remez.py`) to what its comment says. The exponent of two
in the comment is that of the largest error, relative to the function's value.
"""

from __future__ import annotations

from mpmath import mp, mpf
from remez import Function, minimax

mp.dps = 60
LN2, PI = mp.log(2), mp.pi

HEADER = '''"""Numbers that the mathematics is made of. Made by tools/coefficients.py; changes belong there."""
'''


def show(name: str, comment: str, numbers: list[mpf]) -> None:
    """Prints numbers as a tuple of floats."""
    print(f"\n# {comment}")
    print(f"{name} = (")
    for x in numbers:
        print(f"    {float(x)!r},")
    print(")")


def polynomial(name: str, comment: str, interval: tuple, powers: range, *functions: Function) -> list[mpf]:
    """Prints the best polynomial for a function, with an optional weight of the error; returns its coefficients."""
    coefficients, error = minimax(functions[0], *interval, list(powers), *functions[1:])
    show(name, f"{comment}: 2^{float(mp.log(error, 2)):.1f}", coefficients)
    return coefficients


def parts(x: mpf, digits: list[int]) -> list[mpf]:
    """Splits x into a sum of numbers with so many binary digits."""
    terms = []
    for n in digits:
        unit = mpf(2) ** (mp.floor(mp.log(abs(x), 2)) + 1 - n)
        terms.append(mp.nint(x / unit) * unit)
        x -= terms[-1]
    return terms


def exponentials() -> None:
    """exp, and functions that are made with it."""

    def near(r: mpf) -> mpf:
        return 1 / mp.sqrt(r * r + mpf("0.01"))

    def rest(r: mpf) -> mpf:
        return mp.expm1(r) - r

    show(
        "LN2", "log 2 as a sum, the first so short that its product with a whole number is exact", parts(LN2, [36, 53])
    )
    show("LN2_SHORT", "the same of floats of 32 bits", parts(LN2, [15, 24]))
    show("INV_LN2", "1 / log 2 as a sum", parts(1 / LN2, [53, 53]))
    show("INV_LN10", "1 / log 10 as a sum", parts(1 / mp.log(10), [53, 53]))
    powers = [mpf(2) ** (mpf(i) / 16) for i in range(16)]
    show("SIXTEENTHS", "2^(i/16)", powers)
    show("SIXTEENTHS_ERRORS", "what these lack, relatively", [(x - float(x)) / float(x) for x in powers])
    polynomial("EXP_NEAR", "(exp r - 1 - r) / r^2, |r| < log 2 / 32", (-LN2 / 32, LN2 / 31), range(2, 7), rest)
    polynomial("EXP", "the same, |r| < log 2 / 2", (-LN2 / 2, LN2 / 1.999), range(2, 12), rest)
    polynomial("EXPM1", "the same, where the result is small", (-LN2 / 2, LN2 / 1.999), range(2, 13), rest, near)
    polynomial("EXP_SHORT", "the same, for 32 bits", (-LN2 / 2, LN2 / 1.999), range(2, 8), rest, near)


def logarithms() -> None:
    """log, by the series of log((1 + s) / (1 - s)) = 2s + s^3 (2/3 + 2/5 s^2 + …)."""

    def rest(z: mpf) -> mpf:
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) - 2 * s) / (s * z)

    def later(z: mpf) -> mpf:
        return (rest(z) - mpf(2) / 3) / z

    largest = (3 - 2 * mp.sqrt(2)) ** 2
    polynomial("LOG", "(2 atanh s - 2 s) / s^3 in s^2", (mpf(10) ** -9, largest), range(7), rest, lambda z: z / 2)
    show("TWO_THIRDS", "the first of these as a sum, for pow", parts(mpf(2) / 3, [53, 53]))
    polynomial("LOG_LATER", "the rest of them", (mpf(10) ** -6, largest), range(7), later, lambda z: z * z / 2)
    polynomial("LOG_SHORT", "the same, for 32 bits", (mpf(10) ** -9, largest), range(4), rest, lambda z: z / 2)


def circle() -> None:
    """sin, cos and atan, by their odd and even series in z = r^2."""
    tiny, corner, bend = mpf(10) ** -9, (PI / 4) ** 2, (mp.sqrt(2) - 1) ** 2
    show("HALF_PI", "pi / 2 as a sum", parts(PI / 2, [53, 53, 53]))
    show(
        "HALF_PI_SHORT",
        "the same of parts so short that products with whole numbers are exact",
        parts(PI / 2, [33, 33, 33, 53]),
    )
    show("QUARTER_PI", "pi / 4 as a sum, three times the first of which is exact", parts(PI / 4, [51, 53]))

    def sine(z: mpf) -> mpf:
        r = mp.sqrt(z)
        return (mp.sin(r) - r) / (z * r)

    def cosine(z: mpf) -> mpf:
        return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2

    def arc(z: mpf) -> mpf:
        t = mp.sqrt(z)
        return (mp.atan(t) - t) / (z * t)

    polynomial("SIN", "(sin r - r) / r^3 in r^2, r < pi / 4", (tiny, corner), range(6), sine, lambda z: z)
    polynomial("COS", "(cos r - 1 + r^2 / 2) / r^4 in r^2", (tiny, corner), range(6), cosine, lambda z: z * z)
    polynomial("SIN_SHORT", "sine for 32 bits", (tiny, corner), range(3), sine, lambda z: z)
    polynomial("COS_SHORT", "cosine for 32 bits", (tiny, corner), range(3), cosine, lambda z: z * z)
    polynomial("ATAN", "(atan t - t) / t^3 in t^2, t < tan(pi / 8)", (tiny, bend), range(11), arc, lambda z: z)
    polynomial("ATAN_SHORT", "the same, for 32 bits", (tiny, bend), range(5), arc, lambda z: z)


def errors() -> None:
    """erf near 0 by its series, and erfc(x) farther out as exp(-x^2) · P(t) / (x + 3) with t = (x - 3) / (x + 3)."""

    def near(z: mpf) -> mpf:
        return mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1

    def tail(t: mpf) -> mpf:
        x = 3 * (1 + t) / (1 - t)
        return (x + 3) * mp.exp(x * x) * mp.erfc(x)

    def size(t: mpf) -> mpf:
        return 1 / tail(t)

    low, high = (mpf("0.5") - 3) / (mpf("0.5") + 3), (mpf(28) - 3) / (mpf(28) + 3)
    bend = mpf("0.84375") ** 2 * mpf("1.001")
    polynomial("ERF", "erf(x) / x - 1 in x^2, x < 0.84375", (mpf(10) ** -9, bend), range(11), near)
    polynomial("ERF_SHORT", "the same, for 32 bits", (mpf(10) ** -9, bend), range(6), near)
    exact = polynomial("ERFC", "(x + 3) exp(x^2) erfc(x) in t, 0.5 < x < 28", (low, high), range(23), tail, size)
    show("ERFC_RESTS", "what the first of these lack", [x - float(x) for x in exact[:3]])
    polynomial("ERFC_SHORT", "the same, for 32 bits", (low, high), range(12), tail, size)
    show("SQRT_HALF", "1 / sqrt 2 as a sum", parts(mp.sqrt(mpf(1) / 2), [53, 53]))


def main() -> None:
    """Prints the module."""
    print(HEADER.rstrip())
    exponentials()
    logarithms()
    circle()
    errors()


if __name__ == "__main__":
    main()
