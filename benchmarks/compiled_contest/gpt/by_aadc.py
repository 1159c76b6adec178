"""AADC: the loss recorded on scalars for each length of name, compiled for one lane.

The rows of the letters are inputs, and which letter follows is a row with a single 1; Adam is in NumPy.
"""

from __future__ import annotations

from typing import Any

import aadc
import numpy as np

from compiled_contest.contestants import AADC
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem

Vector = list[Any]
exp, log, largest = aadc.math.exp, aadc.math.log, aadc.math.max
LETTERS = np.eye(problem.TOKENS)
EMBEDDING = problem.TOKENS * problem.WIDTH


def dot(a: Vector, b: Vector) -> Any:
    return sum((x * y for x, y in zip(a[1:], b[1:], strict=True)), a[0] * b[0])


def times(matrix: list[Vector], x: Vector) -> Vector:
    return [dot(row, x) for row in matrix]


def plus(a: Vector, b: Vector) -> Vector:
    return [x + y for x, y in zip(a, b, strict=True)]


def norm(x: Vector) -> Vector:
    scale = (dot(x, x) * (1 / len(x)) + 1e-5) ** -0.5
    return [each * scale for each in x]


def softmax(xs: Vector) -> Vector:
    top = xs[0]
    for x in xs[1:]:
        top = largest(top, x)
    powers = [exp(x - top) for x in xs]
    total = sum(powers[1:], powers[0])
    return [power / total for power in powers]


def attend(w: dict[str, list[Vector]], x: Vector, keys: list[Vector], values: list[Vector]) -> Vector:
    query, attended = times(w["query"], x), []
    keys.append(times(w["key"], x))
    values.append(times(w["value"], x))
    for h in range(0, problem.WIDTH, problem.HEAD):
        part = slice(h, h + problem.HEAD)
        weights = softmax([dot(query[part], key[part]) * problem.HEAD**-0.5 for key in keys])
        attended += [dot(weights, [value[i] for value in values]) for i in range(h, h + problem.HEAD)]
    return times(w["output"], attended)


def loss_of(w: dict[str, list[Vector]], letters: list[Vector], following: list[Vector]) -> Any:
    keys: list[Vector] = []
    values: list[Vector] = []
    losses = []
    for letter, position, row in zip(letters, w["position_embedding"], following, strict=False):
        x = norm(plus(letter, position))
        x = plus(x, attend(w, norm(x), keys, values))
        hidden = [largest(h, 0.0) for h in times(w["widen"], norm(x))]
        x = plus(x, times(w["narrow"], hidden))
        losses.append(log(dot(softmax(times(w["unembedding"], x)), row)))
    return sum(losses[1:], losses[0]) * (-1 / len(losses))


class Kernel:
    """The program for names of one length."""

    def __init__(self, length: int) -> None:
        kernel = aadc.Functions()
        kernel.start_recording()
        w, self.parameters = {}, []
        for name, (height, width) in list(problem.SHAPES.items())[1:]:
            w[name], arguments = _inputs(height, width)
            self.parameters += arguments
        letters, self.letters = _inputs(length, problem.WIDTH)
        following, self.following = _inputs(length, problem.TOKENS)
        self.loss = loss_of(w, letters, following).mark_as_output()
        kernel.stop_recording()
        kernel.compile("scalar")
        self.workspace = kernel.create_workspace(kind="scalar")

    def gradient(self, p: np.ndarray, tokens: list[int], grad: np.ndarray) -> float:
        ws, seen, following = self.workspace, tokens[:-1], tokens[1:]
        embedding, dembedding = (v[:EMBEDDING].reshape(problem.TOKENS, -1) for v in (p, grad))
        for arguments, numbers in (
            (self.parameters, p[EMBEDDING:]),
            (self.letters, embedding[seen].ravel()),
            (self.following, LETTERS[following].ravel()),
        ):
            for argument, number in zip(arguments, numbers.tolist(), strict=True):
                ws.set_val(argument, number)
        ws.forward()
        ws.set_diff(self.loss, 1.0)
        ws.reverse()
        grad[EMBEDDING:] = [ws.diff(argument) for argument in self.parameters]
        dembedding[...] = 0
        np.add.at(dembedding, seen, np.reshape([ws.diff(argument) for argument in self.letters], (len(seen), -1)))
        return ws.val(self.loss)


def _inputs(height: int, width: int) -> tuple[list[Vector], list[Any]]:
    matrix = [[aadc.idouble(0.1) for _ in range(width)] for _ in range(height)]
    return matrix, [x.mark_as_input() for row in matrix for x in row]


class Recorded(Entry):
    steps, checked = 50, problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = np.array(problem.parameters())

    def build(self) -> None:
        self.by_length = {length: Kernel(length) for length in {len(s) - 1 for s in problem.SEQUENCES}}

    def reset(self) -> None:
        self.p, self.losses = self.first.copy(), []
        self.mean, self.square, self.grad = (np.zeros_like(self.p) for _ in range(3))

    def run(self, steps: int) -> None:
        (b1, b2), rates = problem.BETAS, problem.rates()
        for k in range(steps):
            tokens = problem.SEQUENCES[k]
            self.losses.append(self.by_length[len(tokens) - 1].gradient(self.p, tokens, self.grad))
            rate, correction = rates[k]
            self.mean = b1 * self.mean + (1 - b1) * self.grad
            self.square = b2 * self.square + (1 - b2) * self.grad**2
            self.p -= rate * self.mean / (np.sqrt(self.square / correction) + problem.EPS)

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {AADC: Recorded}
