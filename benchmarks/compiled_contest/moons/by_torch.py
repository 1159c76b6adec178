"""PyTorch: modules and backward() as a tutorial has them; and a step without state, compiled whole."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import grad_and_value

from compiled_contest.contestants import TORCH, TORCH_COMPILE
from compiled_contest.entry import Entry
from compiled_contest.moons import problem

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
POINTS, LABELS = torch.tensor(problem.POINTS), torch.tensor(problem.LABELS, dtype=torch.float64)


class Eager(Entry):
    steps = checked = problem.STEPS

    def __init__(self) -> None:
        layers = [nn.Linear(nin, nout) for nin, nout in problem.SIZES]
        self.model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        self.parameters = list(self.model.parameters())
        self.first = [torch.tensor(p) for p in problem.arrays()]

    def reset(self) -> None:
        self.losses: list[torch.Tensor] = []
        with torch.no_grad():
            for p, first in zip(self.parameters, self.first, strict=True):
                p.copy_(first)

    def loss(self) -> torch.Tensor:
        margins = torch.relu(1 - LABELS * self.model(POINTS)[:, 0])
        return margins.mean() + problem.ALPHA * sum((p * p).sum() for p in self.parameters)

    def run(self, steps: int) -> None:
        for k in range(steps):
            loss = self.loss()
            loss.backward()
            with torch.no_grad():
                for p in self.parameters:
                    p.sub_(p.grad, alpha=problem.RATES[k])
                    p.grad = None
            self.losses.append(loss.detach())

    def numbers(self) -> list[float]:
        return [loss.item() for loss in self.losses]


def loss_of(parameters: list[torch.Tensor]) -> torch.Tensor:
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = torch.relu(POINTS @ w1.T + b1)
    hidden = torch.relu(hidden @ w2.T + b2)
    margins = torch.relu(1 - LABELS * (hidden @ w3.T + b3)[:, 0])
    return margins.mean() + problem.ALPHA * sum((p * p).sum() for p in parameters)


def step(parameters: list[torch.Tensor], rate: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    grads, loss = grad_and_value(loss_of)(parameters)
    return [p - rate * grad for p, grad in zip(parameters, grads, strict=True)], loss


class Compiled(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = [torch.tensor(p) for p in problem.arrays()]
        self.rates = torch.tensor(problem.RATES).unbind()  # tensors, or it would compile anew for each rate

    def build(self) -> None:
        self.step = torch.compile(step)

    def reset(self) -> None:
        self.parameters, self.losses = [p.clone() for p in self.first], []

    @torch.no_grad()
    def run(self, steps: int) -> None:
        for k in range(steps):
            self.parameters, loss = self.step(self.parameters, self.rates[k])
            self.losses.append(loss)

    def numbers(self) -> list[float]:
        return [loss.item() for loss in self.losses]


ENTRIES = {TORCH: Eager, TORCH_COMPILE: Compiled}
