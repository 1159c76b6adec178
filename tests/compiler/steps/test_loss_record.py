"""The places of parameters in the rows of the update, and the copies between the rows and the kernel."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value, ops
from chainrule.compiler.native.llvm import BoundsError
from chainrule.compiler.steps.loss_record import places_in_rows, record_of, stretches
from chainrule.compiler.steps.step import compile_step
from chainrule.optim import Adam


def path_with(parameters, gradients):
    """A path with only what the record needs: the places of the parameters, of the loss, and of the gradients."""
    return SimpleNamespace(parameters=np.array(parameters), kernel=SimpleNamespace(places=np.array([99, *gradients])))


def pieces(path, positions):
    """Counts the stretches and single numbers that are copied."""
    order = np.argsort(positions)
    into = path.parameters[order]
    out_of = path.kernel.places[1:][order]
    copies = [*stretches(np.arange(len(order)), into), *stretches(out_of, np.arange(len(order)))]
    return sum(len(table) for table in copies)


TURNED = np.arange(60).reshape(5, 12).T.ravel()


@pytest.mark.parametrize(("parameters", "gradients", "fewest"), [
    (range(60), range(100, 160), 2),
    (TURNED, 100 + TURNED, 2),
    (TURNED, range(100, 160), 61),
    (range(60, 0, -1), range(160, 100, -1), 2),
])  # fmt: skip
def test_most_parameters_are_copied_in_long_stretches(parameters, gradients, fewest):
    path = path_with(parameters, gradients)
    positions = places_in_rows(path, 60)
    assert sorted(positions.tolist()) == list(range(60))
    assert pieces(path, positions) == fewest


@pytest.mark.parametrize("seed", range(20))
def test_stretches_copy_what_they_should(seed):
    draw = random.Random(seed)
    cuts = sorted(draw.sample(range(1, 100), draw.randrange(30)))
    parts = [list(range(a, b)) for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    draw.shuffle(parts)
    target = np.array([place for part in parts for place in part])
    found, numbers = np.full(100, -1), np.arange(100) ** 2
    long, alone = stretches(np.arange(100), target)
    for source, to, count in long:
        found[to : to + count] = numbers[source : source + count]
    found[alone[:, 1]] = numbers[alone[:, 0]]
    assert found[target].tolist() == numbers.tolist()
    assert all(count >= 8 for _, _, count in long)


def test_a_kernel_with_its_parameters_in_another_order(training):
    columns, letters = 5, 12

    def made():
        draw = random.Random(5)
        return [[Value(draw.uniform(-1, 1)) for _ in range(columns)] for _ in range(letters)]

    def loss_of(table):
        def loss(ids):
            seen = [[ops.take([row[j] for row in table], i) for j in range(columns)] for i in ids]
            return ops.sum([ops.tanh(x * y) for row in seen for x, y in itertools.pairwise(row)])

        return loss

    batches = [([(i * i + 3 * k) % letters for i in range(6)],) for k in range(8)]
    eager, own = made(), made()
    weights = [w for row in eager for w in row]
    optimizers = [Adam([w for row in table for w in row], lr=0.01) for table in (eager, own)]
    wanted = training.eager(loss_of(eager), optimizers[0], batches[:4])
    step = compile_step(loss_of(own), optimizers[1])
    assert step.run(batches[:4]) == pytest.approx(wanted, abs=1e-12)
    assert step.update.own_positions.tolist() != list(range(columns * letters))
    assert step.gradients == pytest.approx([w.grad for w in weights], abs=1e-12)
    for optimizer in optimizers:
        optimizer.betas = (0.5, 0.9)  # the update is compiled anew, the kernel is kept
    wanted = training.eager(loss_of(eager), optimizers[0], batches[4:])
    assert step.run(batches[4:]) == pytest.approx(wanted, abs=1e-12)
    for slot in ("mean", "square"):
        assert optimizers[1].memory[slot] == pytest.approx(optimizers[0].memory[slot], abs=1e-12)
    assert [w.data for row in own for w in row] == pytest.approx([w.data for w in weights], abs=1e-12)


@pytest.mark.parametrize("name", ["parameters", "places", "constant_places"])
@pytest.mark.parametrize("place", [-1, 10**6])
def test_a_place_that_is_none_is_refused_before_the_driver_goes_there(name, place):
    w = Value(0.5)
    step = compile_step(lambda x: sum([(w * a - 1) ** 2 for a in x]), Adam([w]))
    step([0.1 * i for i in range(40)])
    (record,) = step.records.values()
    (path,) = {path for path, _ in step.records}
    spoilt = replace(path, **{name: np.array([place], dtype=np.intp)})
    with pytest.raises(BoundsError, match=f"place {place} of"):
        record_of(spoilt, record.bound, step.update.positions)
