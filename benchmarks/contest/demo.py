"""The micrograd demo: MLP(2, [16, 16, 1]) on 100 points of two moons, max margin and L2, gradient descent."""

from __future__ import annotations

import importlib.util
import math
import random
import types
from pathlib import Path
from time import perf_counter
from typing import Any

from contest.kits import Chainrule, Kit, MissingError
from contest.repeats import Repeats

OWN, NN = "own neuron", "chainrule.nn"


def moons(count: int = 100) -> tuple[list[list[float]], list[int]]:
    """Two half circles that reach into each other, labelled -1 and 1."""
    rng = random.Random(5)
    points, labels = [], []
    for i in range(count):
        angle, moon = math.pi * rng.random(), i % 2
        x, y = (1 - math.cos(angle), 0.5 - math.sin(angle)) if moon else (math.cos(angle), math.sin(angle))
        points.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        labels.append(2 * moon - 1)
    return points, labels


def micrograds_nn(kit: Kit) -> Any:
    """micrograd's nn.py, executed as published, except for the Value class and the activation that it uses."""
    spec = importlib.util.find_spec("micrograd")
    if spec is None or spec.origin is None:
        raise MissingError("the demo's neurons are micrograd's: pip install micrograd")
    source = Path(spec.origin).with_name("nn.py").read_text(encoding="utf-8")
    source = source.replace("from micrograd.engine import Value", "")
    if not kit.has_relu:
        source = source.replace("act.relu()", "relu(act)")
    module = types.ModuleType("micrograds_nn")
    module.__dict__.update(Value=kit.leaf, relu=kit.relu)
    exec(compile(source, "nn.py", "exec"), module.__dict__)
    return module


class Demo:
    """Trains one model for each kind of neuron that the contestant has.

    Round k measures step k for everybody, and quick contestants repeat that same step from the same weights: later
    steps have fewer points within the margin, and are less work for an engine that passes on no zeros.
    """

    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        self.trainings = {OWN: Training(kit, micrograds_nn(kit).MLP, sizes["seconds"])}
        if isinstance(kit, Chainrule):
            from chainrule.nn import MLP  # noqa: PLC0415

            self.trainings[NN] = Training(kit, MLP, sizes["seconds"])

    def run(self, k: int) -> dict[str, Any]:
        done = {name: training.run(k) for name, training in self.trainings.items()}
        seconds, losses = ({name: pair[i] for name, pair in done.items()} for i in range(2))
        return {"seconds": seconds, "losses": losses}


class Training:
    def __init__(self, kit: Kit, mlp: Any, seconds: float) -> None:
        self.kit, self.repeats = kit, Repeats(seconds, 100)
        self.X, self.y = moons()
        kit.fresh()
        random.seed(1337)
        self.model = mlp(2, [16, 16, 1])

    def run(self, k: int) -> tuple[float, float]:
        """The seconds of step k, and the loss before it."""
        numbers = [self.kit.number(p) for p in self.model.parameters()]
        total = 0.0
        for _ in range(self.repeats.count):
            self.kit.put(self.model, numbers)
            start = perf_counter()
            loss = self.step(k)
            total += perf_counter() - start
        return self.repeats.mean(total), loss

    def step(self, k: int) -> float:
        """As in the demo's notebook. The time includes that of freeing the graph, where a library frees at once."""
        kit, model = self.kit, self.model
        kit.begin()
        total = self.loss()
        loss = kit.number(total)
        if kit.differentiates:
            kit.zero_model(model)
            kit.backward(total)
            del total
            kit.descend(model, 1.0 - 0.9 * k / 100)
        return loss

    def loss(self) -> Any:
        constant, relu = self.kit.constant, self.kit.relu
        inputs = [list(map(constant, row)) for row in self.X]
        scores = list(map(self.model, inputs))
        losses = [relu(1 + -yi * score) for yi, score in zip(self.y, scores)]  # noqa: B905
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in self.model.parameters())
        return data_loss + reg_loss
