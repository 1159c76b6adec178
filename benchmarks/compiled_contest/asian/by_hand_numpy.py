"""NumPy, the derivatives by hand; 128 paths at a time, which stay in the second-level cache."""

from __future__ import annotations

import math

import numpy as np

from compiled_contest.asian import problem
from compiled_contest.contestants import NUMPY
from compiled_contest.entry import Entry

BLOCK = 128


class ByHand(Entry):
    def __init__(self) -> None:
        self.times = np.arange(1, problem.STEPS + 1) / problem.STEPS
        self.ones = np.ones(problem.STEPS)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            blocks = range(0, problem.PATHS, BLOCK)
            total = sum(self.some(problem.NORMALS[:, at : at + BLOCK]) for at in blocks)
            price, ds0, dvol, drate = total / problem.PATHS
            self.out = [price, ds0, dvol, drate]

    def some(self, z: np.ndarray) -> np.ndarray:
        """The sums of the payoffs of these paths and of their derivatives.

        s[i] = s0 · exp(drift · (i + 1) + scale · w[i]) with w the running sum of z, so its derivatives are s[i] times
        1 / s0, the time times r's or vol's share in the drift, and w[i] · √dt.
        """
        s0, vol, r = problem.S0, problem.VOL, problem.R
        root = 1 / math.sqrt(problem.STEPS)
        w = np.cumsum(z, axis=0)
        s = w * (vol * root)
        s += ((r - 0.5 * vol * vol) * self.times)[:, None]
        np.exp(s, out=s)
        mean = (self.ones @ s) * (s0 / problem.STEPS)
        discount = math.exp(-r)
        payoff = np.maximum(mean - problem.STRIKE, 0) * discount
        paid = (payoff > 0) * (discount / problem.STEPS)
        by_time = (self.times @ s) * s0
        s *= w
        by_w = (self.ones @ s) * s0
        ds0, dtime, dw = mean * problem.STEPS / s0 @ paid, by_time @ paid, by_w @ paid
        return np.array([payoff.sum(), ds0, root * dw - vol * dtime, dtime - payoff.sum()])

    def numbers(self) -> list[float]:
        return self.out


ENTRIES = {NUMPY: ByHand}
