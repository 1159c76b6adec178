"""Functions of mathematics as mpmath has them, for the tests of all engines; each test chooses its precision."""

from __future__ import annotations


def exact_maths(mp):
    """The functions by the names of operations; `mp` is a context of mpmath."""
    return {
        "asin": mp.asin,
        "acos": mp.acos,
        "sinh": mp.sinh,
        "cosh": mp.cosh,
        "asinh": mp.asinh,
        "acosh": mp.acosh,
        "atanh": mp.atanh,
        "exp2": lambda x: mp.mpf(2) ** x,
        "log2": lambda x: mp.log(x) / mp.log(2),
        "log10": mp.log10,
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        "silu": lambda x: x / (1 + mp.exp(-x)),
        "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        "norm_logcdf": lambda x: mp.log1p(-mp.ncdf(-x)) if x > 0 else mp.log(mp.ncdf(x)),
        "digamma": lambda x: mp.psi(0, x),
    }
