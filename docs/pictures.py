"""Draws the pictures of the README: python docs/pictures.py"""

from __future__ import annotations

from pathlib import Path

from chainrule import draw, fit
from chainrule.data import moons
from chainrule.expression import parse
from chainrule.nn import MLP
from chainrule.plots import training_picture

IMAGES = Path(__file__).parent / "images"


def neuron() -> None:
    """The neuron of the lecture, with its gradients."""
    numbers = {"x1": 2.0, "w1": -3.0, "x2": 0.0, "w2": 1.0, "b": 6.8813735870195432}
    output = parse("tanh(x1*w1 + x2*w2 + b)", numbers).root
    output.label = "o"
    output.backward()
    draw(output).save(IMAGES / "neuron.svg")


def training() -> None:
    """Two moons, told apart."""
    X, y = moons(n=120, noise=0.15, seed=0)
    model = MLP(2, [8, 8, 2], activation="tanh", init="xavier", seed=0)
    history = fit(model, X, y, loss="cross_entropy", epochs=60, validation=0.2, progress=False)
    training_picture(history, model, X, y, path=IMAGES / "moons.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    neuron()
    training()
