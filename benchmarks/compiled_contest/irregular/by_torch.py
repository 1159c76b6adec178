"""PyTorch: a tensor of no dimension for each number."""

from __future__ import annotations

import torch

from compiled_contest.contestants import TORCH
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import graph

torch.set_num_threads(1)


class Eager(Entry):
    rounds = 3

    def __init__(self, family: str) -> None:
        self.graph = graph(family)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            inputs = torch.tensor(self.graph.inputs, dtype=torch.float64, requires_grad=True)
            value = self.graph.value(list(inputs.unbind()), torch.sin, torch.tanh)
            value.backward()
            self.out = [value.item(), *inputs.grad.tolist()]

    def numbers(self) -> list[float]:
        return self.out


ENTRIES = {TORCH: Eager}
