"""NumPy, the derivatives by hand: all positions of a name at once. All parameters are one array."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from compiled_contest.contestants import NUMPY
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem

QKV = 3 * problem.WIDTH
SHAPES = [(27, 16), (16, 16), (27, 16), (QKV, 16), (16, 16), (64, 16), (16, 64)]  # query, key and value are one matrix
LETTERS = np.eye(problem.TOKENS)
LATER = np.triu(np.full((problem.CONTEXT, problem.CONTEXT), -np.inf), k=1)


def norm(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x / sqrt(mean(x²) + 1e-5), and the factor."""
    scale = 1 / np.sqrt(np.vecdot(x, x)[:, None] / problem.WIDTH + 1e-5)
    return x * scale, scale


def norm_back(y: np.ndarray, dy: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return (dy - y * (np.vecdot(y, dy)[:, None] / problem.WIDTH)) * scale


def softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


def heads(x: np.ndarray) -> np.ndarray:
    """From (positions, 16) to (4, positions, 4)."""
    return x.reshape(len(x), problem.HEADS, problem.HEAD).transpose(1, 0, 2)


def joined(x: np.ndarray) -> np.ndarray:
    return x.transpose(1, 0, 2).reshape(x.shape[1], problem.WIDTH)


class ByHand(Entry):
    steps = checked = problem.STEPS

    def __init__(self) -> None:
        self.first, self.sequences = np.array(problem.parameters()), [np.array(s) for s in problem.SEQUENCES]
        self.p, self.grad = self.first.copy(), np.empty_like(self.first)
        self.mean, self.square = np.zeros_like(self.first), np.zeros_like(self.first)
        parts = list(zip(pairwise([0, *accumulate(n * m for n, m in SHAPES)]), SHAPES, strict=True))
        self.weights, self.grads = ([v[a:b].reshape(shape) for (a, b), shape in parts] for v in (self.p, self.grad))
        self.rates = problem.rates()

    def reset(self) -> None:
        self.p[:], self.mean[:], self.square[:], self.losses = self.first, 0, 0, []

    def run(self, steps: int) -> None:
        for k in range(steps):
            self.losses.append(self.gradient(self.sequences[k]))
            self.adam(*self.rates[k])

    def gradient(self, tokens: np.ndarray) -> float:
        seen, following, n = tokens[:-1], tokens[1:], len(tokens) - 1
        letters, positions = self.weights[:2]
        x0, scale0 = norm(letters[seen] + positions[:n])
        loss, dx0 = self.layer(x0, following)
        dx = norm_back(x0, dx0, scale0)
        dletters, dpositions = self.grads[:2]
        np.matmul(LETTERS[seen].T, dx, out=dletters)
        dpositions[:n], dpositions[n:] = dx, 0
        return loss

    def layer(self, x0: np.ndarray, following: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss, and its gradient in x0; those of the matrices go to their places."""
        n = len(x0)
        _, _, unembedding, wqkv, wo, widen, narrow = self.weights
        _, _, dunembedding, dwqkv, dwo, dwiden, dnarrow = self.grads
        y1, scale1 = norm(x0)
        qkv = y1 @ wqkv.T
        q, k, v = heads(qkv[:, :16]), heads(qkv[:, 16:32]), heads(qkv[:, 32:])
        weights = softmax(q @ k.transpose(0, 2, 1) * problem.HEAD**-0.5 + LATER[:n, :n])
        attended = joined(weights @ v)
        x1 = x0 + attended @ wo.T
        y2, scale2 = norm(x1)
        hidden = np.maximum(y2 @ widen.T, 0)
        x2 = x1 + hidden @ narrow.T
        chances, each = softmax(x2 @ unembedding.T), np.arange(n)
        loss = -np.log(chances[each, following]).mean()

        chances[each, following] -= 1
        chances /= n
        np.matmul(chances.T, x2, out=dunembedding)
        dx2 = chances @ unembedding
        np.matmul(dx2.T, hidden, out=dnarrow)
        dhidden = (dx2 @ narrow) * (hidden > 0)
        np.matmul(dhidden.T, y2, out=dwiden)
        dx1 = dx2 + norm_back(y2, dhidden @ widen, scale2)
        np.matmul(dx1.T, attended, out=dwo)
        dattended = heads(dx1 @ wo)
        dweights = dattended @ v.transpose(0, 2, 1)
        dfits = weights * (dweights - np.vecdot(weights, dweights)[:, :, None])
        dfits *= problem.HEAD**-0.5
        dv = weights.transpose(0, 2, 1) @ dattended
        dqkv = np.concatenate([joined(dfits @ k), joined(dfits.transpose(0, 2, 1) @ q), joined(dv)], axis=1)
        np.matmul(dqkv.T, y1, out=dwqkv)
        return loss, dx1 + norm_back(y1, dqkv @ wqkv, scale1)

    def adam(self, rate: float, correction: float) -> None:
        (b1, b2), grad = problem.BETAS, self.grad
        self.mean *= b1
        self.mean += (1 - b1) * grad
        self.square *= b2
        grad *= grad
        grad *= 1 - b2
        self.square += grad
        np.sqrt(self.square, out=grad)
        grad *= correction**-0.5
        grad += problem.EPS
        np.divide(self.mean, grad, out=grad)
        grad *= rate
        self.p -= grad

    def numbers(self) -> list[float]:
        return [float(loss) for loss in self.losses]


ENTRIES = {NUMPY: ByHand}
