"""Three problems of NIST's Statistical Reference Datasets for nonlinear regression, with their certified values.

Misra1a is of lower difficulty, Thurber and MGH09 of higher; all begin at the first, far starting point.
(https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Dataset(NamedTuple):
    """A dataset.

    Attributes:
        model: predicts y from the parameters b and one x, or an array of them; its third argument has `exp`.
        start: NIST's first starting point.
        certified, errors: the parameters and their standard deviations, to 11 digits.
        squares: the residual sum of squares.
    """

    name: str
    model: Callable[[Any, Any, Any], Any]
    x: tuple[float, ...]
    y: tuple[float, ...]
    start: tuple[float, ...]
    certified: tuple[float, ...]
    errors: tuple[float, ...]
    squares: float


MISRA1A = Dataset(
    name="Misra1a",
    model=lambda b, x, m: b[0] * (1 - m.exp(-b[1] * x)),
    x=(77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0),
    y=(10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78),
    start=(500.0, 1e-4),
    certified=(2.3894212918e02, 5.5015643181e-04),
    errors=(2.7070075241e00, 7.2668688436e-06),
    squares=1.2455138894e-01,
)

THURBER = Dataset(
    name="Thurber",
    model=lambda b, x, m: (
        (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)
    ),
    x=(
        -3.067, -2.981, -2.921, -2.912, -2.840, -2.797, -2.702, -2.699, -2.633, -2.481, -2.363, -2.322, -1.501, -1.460,
        -1.274, -1.212, -1.100, -1.046, -0.915, -0.714, -0.566, -0.545, -0.400, -0.309, -0.109, -0.103, 0.010, 0.119,
        0.377, 0.790, 0.963, 1.006, 1.115, 1.572, 1.841, 2.047, 2.200,
    ),
    y=(
        80.574, 84.248, 87.264, 87.195, 89.076, 89.608, 89.868, 90.101, 92.405, 95.854, 100.696, 101.060, 401.672,
        390.724, 567.534, 635.316, 733.054, 759.087, 894.206, 990.785, 1090.109, 1080.914, 1122.643, 1178.351, 1260.531,
        1273.514, 1288.339, 1327.543, 1353.863, 1414.509, 1425.208, 1421.384, 1442.962, 1464.350, 1468.705, 1447.894,
        1457.628,
    ),
    start=(1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03),
    certified=(
        1.2881396800e03, 1.4910792535e03, 5.8323836877e02, 7.5416644291e01, 9.6629502864e-01, 3.9797285797e-01,
        4.9727297349e-02,
    ),
    errors=(
        4.6647963344e00, 3.9571156086e01, 2.8698696102e01, 5.5675370270e00, 3.1333340687e-02, 1.4984928198e-02,
        6.5842344623e-03,
    ),
    squares=5.6427082397e03,
)  # fmt: skip

MGH09 = Dataset(
    name="MGH09",
    model=lambda b, x, m: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    x=(4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625),
    y=(0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246),
    start=(25.0, 39.0, 41.5, 39.0),
    certified=(1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01),
    errors=(1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02),
    squares=3.0750560385e-04,
)

DATASETS = (MISRA1A, THURBER, MGH09)
TIGHT = {"method": "lm", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 2000}
"""Options of `least_squares`, by which it goes on to the last digits."""
