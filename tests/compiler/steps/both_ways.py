"""The same training by the eager loop, by native steps, and by `fit`, with optimisers of one's own."""

import math
import random

import pytest

import chainrule
from chainrule import Value, ops
from chainrule.compiler.steps.step import compile_step
from chainrule.nn import MLP
from chainrule.training import fit

COUNT, STEPS = 7, 24


def loss_of(w):
    def loss(xs, y):
        return (chainrule.tanh(ops.sum([a * x for a, x in zip(w[:-1], xs, strict=True)]) + w[-1]) - y) ** 2 * 4.0

    return loss


def parameters(count=COUNT):
    draw = random.Random(3)
    return [Value(draw.uniform(-1, 1)) for _ in range(count)]


def batches(steps=STEPS):
    draw = random.Random(7)
    return [([draw.uniform(-2, 2) for _ in range(COUNT - 1)], draw.uniform(-1, 1)) for _ in range(steps)]


def by_eager(loss, optimizer, some, in_axes=None, reduce="mean"):
    """Trains by the eager loop; returns the losses."""
    losses = []
    for batch in some:
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


def by_step(loss, optimizer, some):
    step = compile_step(loss, optimizer)
    return [step(*batch) for batch in some]


def by_run(loss, optimizer, some):
    return compile_step(loss, optimizer).run(some)


def by_some_runs(loss, optimizer, some):
    step = compile_step(loss, optimizer)
    return [*step.run(some[:7]), *step.run(some[7:8]), *step.run(some[8:])]


def trained(way, optimizer_of, some=None):
    """Trains in one of these ways; returns losses, parameters, memory and the count of steps."""
    w = parameters()
    optimizer = optimizer_of(w)
    losses = way(loss_of(w), optimizer, some or batches())
    memory = [x for column in optimizer.memory.values() for x in column]
    return [*losses, *[x.data for x in w], *memory, optimizer.steps]


def same(found, wanted, tolerance=1e-9):
    assert found == pytest.approx(wanted, rel=tolerance, abs=tolerance / 100)


def train_twice(loss_of, optimizer_of, batches, *, tolerance=1e-9, **options):
    """Asserts that native steps give the losses, parameters and memory of the eager loop; returns the step."""
    found, count = [], options.pop("parameters", COUNT)
    in_axes, reduce = options.pop("in_axes", None), options.pop("reduce", "mean")
    for native in (False, True):
        weights = parameters(count)
        loss, optimizer = loss_of(weights), optimizer_of(weights)
        if native:
            step = compile_step(loss, optimizer, in_axes=in_axes, reduce=reduce, **options)
            losses = step.run(batches)
        else:
            step, losses = None, by_eager(loss, optimizer, batches, in_axes, reduce)
        state = optimizer.state_dict()
        memory = [x for slot in optimizer.slots for x in state[slot]]
        found.append(([*losses, *[w.data for w in weights], *memory], state["steps"], step))
    (wanted, steps, _), (own, own_steps, step) = found
    same(own, wanted, tolerance)
    assert steps == own_steps
    return step


X = [[math.sin(3 * i), math.cos(5 * i)] for i in range(12)]
Y = [math.sin(i) for i in range(12)]


def fitted(optimizer_of, compile):
    """Trains a model by `fit`; returns the history, and its losses with the parameters and the memory."""
    model = MLP(2, [3, 1], activation="tanh", seed=4)
    optimizer = optimizer_of(model.parameters())
    history = fit(
        model, X, Y, loss="mean_squared_error", optimizer=optimizer, epochs=8, batch_size=4, seed=2, compile=compile
    )
    memory = [x for column in optimizer.memory.values() for x in column]
    return history, [*history.loss, *[p.data for p in model.parameters()], *memory]


def changed(way_of, optimizer_of, change):
    """Applies `change` to the optimiser after some steps of a training; returns losses, parameters and memory."""
    w = parameters()
    optimizer = optimizer_of(w)
    run, some = way_of(loss_of(w), optimizer), batches()
    losses = run(some[:8])
    change(optimizer)
    return [*losses, *run(some[8:]), *[x.data for x in w], *[x for row in optimizer.memory.values() for x in row]]


def natively(loss, optimizer):
    return compile_step(loss, optimizer).run


def eagerly(loss, optimizer):
    return lambda some: by_eager(loss, optimizer, some)
