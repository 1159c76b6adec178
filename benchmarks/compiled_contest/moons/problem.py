"""The data of all contestants: the points, the first parameters, and the learning rates."""

from __future__ import annotations

import random

from contest.demo import moons

STEPS, SAMPLES, ALPHA = 100, 100, 1e-4
SIZES = [(2, 16), (16, 16), (16, 1)]
POINTS, LABELS = moons(SAMPLES)
RATES = [1.0 - 0.9 * k / 100 for k in range(STEPS)]


def neurons() -> list[list[list[float]]]:
    """For each layer its neurons, for each neuron its weights and then its bias: the order of `MLP.parameters()`."""
    rng = random.Random(1337)
    return [[[rng.uniform(-1, 1) for _ in range(nin)] + [0.0] for _ in range(nout)] for nin, nout in SIZES]


def parameters() -> list[float]:
    return [number for layer in neurons() for neuron in layer for number in neuron]


def arrays() -> list:
    """For each layer a matrix, one row a neuron, and a vector of biases."""
    import numpy as np  # noqa: PLC0415 - not for those who live without

    layers = [np.array(layer) for layer in neurons()]
    return [part for layer in layers for part in (layer[:, :-1].copy(), layer[:, -1].copy())]
