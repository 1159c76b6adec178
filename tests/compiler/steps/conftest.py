"""The same training twice: by the eager loop, and by native steps."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value
from chainrule.compiler.steps.step import compile_step

PARAMETERS = 7


def train(loss, optimizer, batches, in_axes=None, reduce="mean"):
    """The eager loop; gives the losses."""
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        if in_axes is None:
            found = loss(*batch)
        else:
            axes = in_axes if isinstance(in_axes, list | tuple) else [in_axes] * len(batch)
            count = next(len(x) for x, axis in zip(batch, axes, strict=True) if axis is not None)
            rows = [
                loss(*[x if axis is None else x[i] for x, axis in zip(batch, axes, strict=True)]) for i in range(count)
            ]
            found = sum(rows) * (1.0 / count if reduce == "mean" else 1.0)
        found.backward()
        optimizer.step()
        losses.append(found.data)
    return losses


def parameters(count=PARAMETERS):
    draw = random.Random(3)
    return [Value(draw.uniform(-1, 1)) for _ in range(count)]


def train_twice(loss_of, optimizer_of, batches, *, tolerance=1e-9, **options):
    """Asserts that native steps give the losses, parameters and memory of the eager loop; gives the compiled step."""
    found, count = [], options.pop("parameters", PARAMETERS)
    in_axes, reduce = options.pop("in_axes", None), options.pop("reduce", "mean")
    for native in (False, True):
        weights = parameters(count)
        loss, optimizer = loss_of(weights), optimizer_of(weights)
        if native:
            step = compile_step(loss, optimizer, in_axes=in_axes, reduce=reduce, **options)
            losses = step.run(batches)
        else:
            step, losses = None, train(loss, optimizer, batches, in_axes, reduce)
        state = optimizer.state_dict()
        memory = [x for slot in optimizer.slots for x in state[slot]]
        found.append((np.array([*losses, *[w.data for w in weights], *memory]), state["steps"], step))
    (eager, steps, _), (own, own_steps, step) = found
    assert np.abs(eager - own).max() < tolerance
    assert steps == own_steps
    return step


@pytest.fixture(scope="session")
def training():
    """What tests of steps need: `twice`, `eager`, and `parameters`."""
    return SimpleNamespace(twice=train_twice, eager=train, parameters=parameters)


@pytest.fixture
def rows():
    """Draws lists of numbers."""
    draw = random.Random(1)
    return lambda n: [draw.uniform(-1, 1) for _ in range(n)]
