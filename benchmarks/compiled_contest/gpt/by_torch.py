"""PyTorch: a loop with Adam as one writes it, each name at its own length; and a step without state, compiled whole.

What is compiled takes names filled up to the same length, so that it is compiled once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.func import grad_and_value
from torch.nn import functional as fn

from compiled_contest.contestants import TORCH, TORCH_COMPILE
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
EARLIER = torch.tril(torch.ones(problem.CONTEXT, problem.CONTEXT, dtype=torch.bool))
Parameters = dict[str, torch.Tensor]


def first() -> Parameters:
    return {name: torch.tensor(matrix) for name, matrix in problem.MATRICES.items()}


def norm(x: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt((x * x).mean(dim=-1, keepdim=True) + 1e-5)


def logits_of(p: Parameters, tokens: torch.Tensor) -> torch.Tensor:
    n = len(tokens)
    x = norm(p["token_embedding"][tokens] + p["position_embedding"][:n])
    y = norm(x)
    q, k, v = (
        (y @ p[name].T).view(n, problem.HEADS, problem.HEAD).transpose(0, 1) for name in ("query", "key", "value")
    )
    fits = (q @ k.transpose(1, 2) * problem.HEAD**-0.5).masked_fill(~EARLIER[:n, :n], -torch.inf)
    attended = (torch.softmax(fits, dim=-1) @ v).transpose(0, 1).reshape(n, problem.WIDTH)
    x = x + attended @ p["output"].T
    x = x + torch.relu(norm(x) @ p["widen"].T) @ p["narrow"].T
    return x @ p["unembedding"].T


class Eager(Entry):
    steps, checked = 50, problem.STEPS

    def __init__(self) -> None:
        self.first = first()
        self.parameters = {name: nn.Parameter(matrix.clone()) for name, matrix in self.first.items()}
        self.sequences = [torch.tensor(tokens) for tokens in problem.SEQUENCES]

    @torch.no_grad()
    def reset(self) -> None:
        for name, matrix in self.first.items():
            self.parameters[name].copy_(matrix)
        self.optimizer = torch.optim.Adam(
            self.parameters.values(), lr=problem.RATE, betas=problem.BETAS, eps=problem.EPS, fused=True
        )
        self.losses: list[torch.Tensor] = []

    def run(self, steps: int) -> None:
        for k in range(steps):
            self.optimizer.param_groups[0]["lr"] = problem.RATE * (1 - k / problem.SCHEDULE)
            tokens = self.sequences[k]
            loss = fn.cross_entropy(logits_of(self.parameters, tokens[:-1]), tokens[1:])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.detach())

    def numbers(self) -> list[float]:
        return [loss.item() for loss in self.losses]


def step(state: Any, seen: torch.Tensor, following: torch.Tensor, rate: torch.Tensor, root: torch.Tensor) -> Any:
    """Positions past the end follow -100, which the loss leaves out; earlier ones do not look at them."""
    p, means, squares = state
    (b1, b2) = problem.BETAS
    grads, loss = grad_and_value(lambda p: fn.cross_entropy(logits_of(p, seen), following))(p)
    means = {name: b1 * means[name] + (1 - b1) * grad for name, grad in grads.items()}
    squares = {name: b2 * squares[name] + (1 - b2) * grad * grad for name, grad in grads.items()}
    p = {name: p[name] - rate * means[name] / (squares[name].sqrt() * root + problem.EPS) for name in p}
    return (p, means, squares), loss


class Compiled(Entry):
    steps, checked = 50, problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = first()
        self.zeros = {name: torch.zeros_like(matrix) for name, matrix in self.first.items()}
        self.seen = torch.tensor([tokens[:-1] + [0] * (17 - len(tokens)) for tokens in problem.SEQUENCES]).unbind()
        self.following = torch.tensor(
            [tokens[1:] + [-100] * (17 - len(tokens)) for tokens in problem.SEQUENCES]
        ).unbind()
        self.rates = torch.tensor([(rate, correction**-0.5) for rate, correction in problem.rates()])

    def build(self) -> None:
        self.step = torch.compile(step)

    def reset(self) -> None:
        self.state, self.losses = (self.first, self.zeros, self.zeros), []

    @torch.no_grad()
    def run(self, steps: int) -> None:
        for k in range(steps):
            self.state, loss = self.step(self.state, self.seen[k], self.following[k], *self.rates[k].unbind())
            self.losses.append(loss)

    def numbers(self) -> list[float]:
        return [loss.item() for loss in self.losses]


ENTRIES = {TORCH: Eager, TORCH_COMPILE: Compiled}
