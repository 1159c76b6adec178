"""CasADi: matrices (MX); a function for each length of name, with Adam in it, compiled by the system's C compiler.

Letters come as rows with a single 1.
"""

from __future__ import annotations

import casadi
import numpy as np
from casadi import MX

from compiled_contest.casadi_jit import compiled_by_system
from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem

LETTERS = np.eye(problem.TOKENS)


def rows(x: MX) -> MX:
    """A column with the sum of each row, as wide as x."""
    return casadi.repmat(casadi.sum2(x), 1, x.shape[1])


def norm(x: MX) -> MX:
    return x / casadi.sqrt(rows(x * x) / problem.WIDTH + 1e-5)


def softmax(x: MX) -> MX:
    powers = casadi.exp(x - casadi.repmat(casadi.mmax(x), *x.shape))
    return powers / rows(powers)


def loss_of(p: MX, seen: MX, following: MX) -> MX:
    n, at, w = seen.shape[0], 0, {}
    for name, (height, width) in problem.SHAPES.items():
        w[name] = casadi.reshape(p[at : at + height * width], width, height).T  # CasADi goes by columns
        at += height * width
    x = norm(seen @ w["token_embedding"] + w["position_embedding"][:n, :])
    y = norm(x)
    q, k, v = (casadi.horzsplit(y @ w[name].T, problem.HEAD) for name in ("query", "key", "value"))
    later = casadi.DM(np.triu(np.full((n, n), -600.0), k=1))
    attended = [softmax(qh @ kh.T * problem.HEAD**-0.5 + later) @ vh for qh, kh, vh in zip(q, k, v, strict=True)]
    x = x + casadi.horzcat(*attended) @ w["output"].T
    x = x + casadi.fmax(norm(x) @ w["widen"].T, 0) @ w["narrow"].T
    return -casadi.sum1(casadi.log(casadi.sum2(softmax(x @ w["unembedding"].T) * following))) / n


def step_of(length: int) -> casadi.Function:
    count = len(problem.parameters())
    p, mean, square = (MX.sym(name, count) for name in ("p", "mean", "square"))
    seen, following = (MX.sym(name, length, problem.TOKENS) for name in ("seen", "following"))
    rate, root = MX.sym("rate"), MX.sym("root")
    loss, (b1, b2) = loss_of(p, seen, following), problem.BETAS
    grad = casadi.gradient(loss, p)
    mean_, square_ = b1 * mean + (1 - b1) * grad, b2 * square + (1 - b2) * grad * grad
    moved = p - rate * mean_ / (casadi.sqrt(square_) * root + problem.EPS)
    inputs, outputs = [p, mean, square, seen, following, rate, root], [moved, mean_, square_, loss]
    return casadi.Function("step", inputs, outputs, compiled_by_system())


class Matrices(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first, self.zeros = casadi.DM(problem.parameters()), casadi.DM.zeros(len(problem.parameters()))
        self.names = [tuple(casadi.DM(LETTERS[part]) for part in (s[:-1], s[1:])) for s in problem.SEQUENCES]
        self.rates = [(rate, correction**-0.5) for rate, correction in problem.rates()]

    def build(self) -> None:
        self.by_length = {length: step_of(length) for length in {len(s) - 1 for s in problem.SEQUENCES}}

    def reset(self) -> None:
        self.state, self.losses = (self.first, self.zeros, self.zeros), []

    def run(self, steps: int) -> None:
        for k in range(steps):
            step = self.by_length[len(problem.SEQUENCES[k]) - 1]
            *self.state, loss = step(*self.state, *self.names[k], *self.rates[k])
            self.losses.append(loss)

    def numbers(self) -> list[float]:
        return [float(loss) for loss in self.losses]


ENTRIES = {CASADI: Matrices}
