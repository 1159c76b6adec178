"""PyTorch, eager and compiled: all paths in one tensor, the steps a running sum."""

from __future__ import annotations

import torch

from compiled_contest.asian import problem
from compiled_contest.contestants import TORCH, TORCH_COMPILE
from compiled_contest.entry import Entry

torch.set_num_threads(1)
NORMALS = torch.from_numpy(problem.NORMALS)


def price(s0: torch.Tensor, vol: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
    dt = 1 / problem.STEPS
    steps = (r - 0.5 * vol * vol) * dt + vol * dt**0.5 * NORMALS
    s = s0 * torch.exp(torch.cumsum(steps, dim=0))
    return (torch.relu(s.mean(dim=0) - problem.STRIKE) * torch.exp(-r)).mean()


class Eager(Entry):
    def __init__(self) -> None:
        market = (problem.S0, problem.VOL, problem.R)
        self.market = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in market]
        self.price = price

    def run(self, steps: int) -> None:
        for _ in range(steps):
            price = self.price(*self.market)
            self.out = [price, *torch.autograd.grad(price, self.market)]

    def numbers(self) -> list[float]:
        return [x.item() for x in self.out]


class Compiled(Eager):
    compiles = True

    def build(self) -> None:
        self.price = torch.compile(price)


ENTRIES = {TORCH: Eager, TORCH_COMPILE: Compiled}
