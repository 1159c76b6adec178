"""Native steps give the results of the eager loop for user-defined optimisers and schedules."""

import pytest

pytest.importorskip("llvmlite")


import chainrule
from chainrule import ops
from chainrule.compiler.steps.step import compile_step
from chainrule.compiler.steps.update_formula import formula_of
from chainrule.optim import SGD, Adam, Optimizer

from .both_ways import STEPS, by_eager, by_run, by_some_runs, by_step, fitted, parameters, same, trained
from .own_optimizers import OPTIMIZERS, SCHEDULES, ByGlobalNorm, Masked


@pytest.mark.parametrize("way", [by_step, by_run, by_some_runs])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_of_ones_own_does_what_it_does_by_hand(name, way):
    same(trained(way, lambda w: OPTIMIZERS[name](w, 0.05)), trained(by_eager, lambda w: OPTIMIZERS[name](w, 0.05)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_of_ones_own_in_fit(name):
    (eager, wanted), (compiled, found) = [fitted(lambda w: OPTIMIZERS[name](w, 0.05), way) for way in (False, True)]
    assert (eager.engine, compiled.engine) == ("eager", "compiled")
    same(found, wanted)


@pytest.mark.parametrize("way", [by_step, by_run, by_some_runs])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_of_ones_own(name, way):
    def optimizer_of(w):
        return Adam(w, SCHEDULES[name]())

    same(trained(way, optimizer_of), trained(by_eager, optimizer_of))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_of_ones_own_in_fit(name):
    found = [fitted(lambda w: SGD(w, SCHEDULES[name](), momentum=0.5), way) for way in (False, True)]
    assert found[1][0].engine == "compiled"
    same(found[1][1], found[0][1])
    assert found[1][0]["lr"] == pytest.approx(found[0][0]["lr"])


@pytest.mark.parametrize("kind", [ByGlobalNorm, OPTIMIZERS["ClippedAdam"], OPTIMIZERS["Lamb"], Masked])
def test_32_bits(kind):
    def by_32(loss, optimizer, some):
        return compile_step(loss, optimizer, dtype="float32").run(some)

    found, wanted = trained(by_32, lambda w: kind(w, 0.05)), trained(by_eager, lambda w: kind(w, 0.05))
    assert found == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 40, 333])
def test_the_norm_of_any_number_of_gradients(count):
    """With few parameters the update has no loops, with many it has."""
    found = []
    for way in (by_eager, by_run):
        w = parameters(count)
        losses = way(
            lambda x, w=w: ops.sum([(v * x - 1.0) ** 2 for v in w]), ByGlobalNorm(w, 0.5), [(0.5,), (2.0,)] * 9
        )
        found.append([*losses, *[v.data for v in w]])
    same(found[1], found[0])


def test_batches_with_clipping_and_other_parameters_besides():
    found = []
    for native in (False, True):
        w, v = parameters(4), parameters(3)
        optimizer = ByGlobalNorm(w, 0.5)

        def loss(x, y, w=w, v=v):
            return (w[0] * x + w[1] * v[0] - y + w[2] * w[3] * v[1]) ** 2

        xs, ys = [0.1 * i for i in range(10)], [0.3 * i for i in range(10)]
        if native:
            compile_step(loss, optimizer, in_axes=0, besides=v).run([(xs, ys)] * STEPS)
        else:
            table = list(zip(xs, ys, strict=True))
            by_eager(lambda rows: sum([loss(*row) for row in rows]) * 0.1, optimizer, [(table,)] * STEPS)
        found.append([p.data for p in [*w, *v]])
    same(found[1], found[0])


def test_what_moves_by_itself_is_the_formula_of_one_parameter():
    w = parameters()
    whole = {name: formula_of(kind(w, 0.05)).whole for name, kind in OPTIMIZERS.items()}
    of_one = {name for name, of_all in whole.items() if not of_all}
    assert of_one == {"ByValue", "AdamWByHand", "Lion", "RMSprop", "Adagrad", "Averaging", "ByGlobal", "ByClass",
                      "ByValueKept", "Lookahead", "NextRate", "ByFunction", "of_itself"}  # fmt: skip


@pytest.fixture
def lesser(own_operations):
    """An operation that has no native code."""

    @chainrule.operation(local=[lambda x, y: 1.0], symbol="lesser", samples=[(0.2,)])
    def lesser(x):
        return sorted([float(x), 0.5])[0]

    return lesser


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_update_without_loops_is_run_from_python_and_counted(dtype, lesser):
    class Lessened(Optimizer):
        slots = ("last",)

        def updated(self, data, grads, lr):
            self.memory["last"] = [lesser(g) for g in grads]
            return [x - lr * g for x, g in zip(data, self.memory["last"], strict=True)]

    found = []
    for native in (False, True):
        w = parameters(3)
        optimizer = Lessened(w, lambda step: 0.1 / (1 + step))

        def loss(x, w=w):
            return (w[0] * x - w[1]) ** 2 + (w[2] * x - 1.0) ** 2

        some = [(0.1 * i,) for i in range(STEPS)]
        step = compile_step(loss, optimizer, dtype=dtype)
        losses = step.run(some) if native else by_eager(loss, optimizer, some)
        found.append([*losses, *[v.data for v in w], *optimizer.memory["last"]])
    assert found[1] == pytest.approx(found[0], **({"rel": 1e-9} if dtype == "float64" else {"abs": 1e-4}))
    told = " ".join(step.explain().split())
    assert "24 steps done one by one from Python, since there are no loops in the update" in told
    assert "the update of all parameters:" in told
