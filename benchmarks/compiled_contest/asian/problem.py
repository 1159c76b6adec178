"""The data of all contestants."""

from __future__ import annotations

import numpy as np

STEPS, PATHS = 252, 10_240
S0, VOL, R, STRIKE = 100.0, 0.2, 0.03, 100.0
NORMALS = np.random.default_rng(2).standard_normal((STEPS, PATHS))
"""A row for each step; paths are the fast axis, as in floors/asian.c."""
