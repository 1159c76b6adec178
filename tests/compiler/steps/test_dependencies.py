"""Native steps notice when something changes that an update reads besides its numbers."""

import contextvars
from types import SimpleNamespace

import pytest

pytest.importorskip("llvmlite")


from chainrule import Value
from chainrule.compiler.steps.step import compile_step
from chainrule.optim import SGD, Adam, Optimizer

from . import own_optimizers
from .both_ways import COUNT, batches, by_eager, by_run, changed, eagerly, loss_of, natively, parameters, same, trained
from .own_optimizers import OPTIMIZERS, ByClass, ByGlobal, ByValueKept, Masked

CONFIG = SimpleNamespace(scale=1.0)
TABLE = dict.fromkeys(range(COUNT), 1.0)


class ByObject(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * CONFIG.scale * g for x, g in zip(data, grads, strict=True)]


class ByTable(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * t * g for x, g, t in zip(data, grads, TABLE.values(), strict=True)]


class ByModule(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * own_optimizers.FACTOR * g for x, g in zip(data, grads, strict=True)]


CONTEXT = contextvars.ContextVar("scale", default=1.0)


class ByContext(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * CONTEXT.get() * g for x, g in zip(data, grads, strict=True)]


class Inherited(ByClass):
    def helped(self, g):
        return g * self.strength

    @property
    def strength(self):
        return CONFIG.scale

    def updated(self, data, grads, lr):
        return super().updated(data, [self.helped(g) for g in grads], lr)


def closing_over():
    scale, kept = 1.0, [1.0]

    class Closing(Optimizer):
        def updated(self, data, grads, lr):
            return [x - lr * scale * kept[0] * g for x, g in zip(data, grads, strict=True)]

    def change(optimizer):
        nonlocal scale
        scale = 0.1

    return lambda w: Closing(w, 0.1), change, lambda optimizer: kept.__setitem__(0, 0.1)


def let(owner, name, x):
    def change(monkeypatch):
        return lambda optimizer: monkeypatch.setattr(owner, name, x)

    return change


def replaced_schedule(optimizer):
    optimizer.schedule = lambda step: 0.01


CHANGES = {
    "a global": (ByGlobal, let(own_optimizers, "FACTOR", 3.0)),
    "a global function": (OPTIMIZERS["ByFunction"], let(own_optimizers, "keep", lambda x: 3.0 * x)),
    "a global object": (ByObject, let(CONFIG, "scale", 3.0)),
    "an attribute of a module": (ByModule, let(own_optimizers, "FACTOR", 3.0)),
    "a variable of the context": (ByContext, lambda patch: lambda o: CONTEXT.set(3.0)),
    "a class attribute": (ByClass, let(ByClass, "decay", 2.0)),
    "a class attribute of the class above": (Inherited, let(ByClass, "decay", 2.0)),
    "what a property reads": (Inherited, let(CONFIG, "scale", 3.0)),
    "a method": (Inherited, let(Inherited, "helped", lambda self, g: 2 * g)),
    "updated itself": (ByClass, let(ByClass, "updated", lambda self, data, grads, lr: [x + 1 for x in data])),
    "a table": (ByTable, lambda patch: lambda o: patch.setitem(TABLE, 3, 5.0)),
    "a Value": (ByValueKept, lambda patch: lambda o: setattr(o.strength, "data", 3.0)),
    "another Value": (ByValueKept, lambda patch: lambda o: setattr(o, "strength", Value(2.0))),
    "a mask": (Masked, lambda patch: lambda o: o.mask.__setitem__(0, False)),
    "the schedule": (OPTIMIZERS["NextRate"], lambda patch: replaced_schedule),
    "the schedule of ours": (Adam, lambda patch: replaced_schedule),
    "a setting of ours": (lambda w, lr: SGD(w, lr, momentum=0.9), lambda patch: lambda o: setattr(o, "momentum", 0.1)),
    "decay": (lambda w, lr: SGD(w, lr, weight_decay=0.9), lambda patch: lambda o: setattr(o, "weight_decay", 0.1)),
    "a default": (OPTIMIZERS["AdamWByHand"], lambda patch: lambda o: setattr(o, "beta1", 0.1)),
    "memory": (OPTIMIZERS["Averaging"], lambda patch: lambda o: o.memory["average"].__setitem__(2, 7.0)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_an_update_reads_may_change_between_runs(name):
    kind, change = CHANGES[name]
    found = []
    for way in (eagerly, natively):
        with pytest.MonkeyPatch.context() as patch:
            found.append(contextvars.copy_context().run(changed, way, lambda w: kind(w, 0.05), change(patch)))
    same(found[1], found[0])
    without = changed(eagerly, lambda w: kind(w, 0.05), lambda optimizer: None)
    assert without != pytest.approx(found[0], rel=1e-6)


@pytest.mark.parametrize("which", [1, 2])
def test_what_an_update_closes_over_may_change_between_runs(which):
    found = []
    for way in (eagerly, natively):
        optimizer_of, *changes = closing_over()
        found.append(changed(way, optimizer_of, changes[which - 1]))
    same(found[1], found[0])


def test_parameters_that_are_read_by_name():
    """The code of the update reads two of them by index."""

    def optimizer_of(w):
        class ByFirst(Optimizer):
            def updated(self, data, grads, lr):
                return [x - lr * (g + 0.1 * w[0].data * w[1].grad) for x, g in zip(data, grads, strict=True)]

        return ByFirst(w, 0.05)

    same(trained(by_run, optimizer_of), trained(by_eager, optimizer_of))


def test_a_deep_copy_of_the_settings_leaves_values_what_they_are():
    class Kept(Optimizer):
        def __init__(self, parameters, lr):
            super().__init__(parameters, lr)
            self.by_name = {"first": self.parameters[0]}

        def updated(self, data, grads, lr):
            return [x - lr * g * self.by_name["first"].data for x, g in zip(data, grads, strict=True)]

    same(trained(by_run, lambda w: Kept(w, 0.05)), trained(by_eager, lambda w: Kept(w, 0.05)))


def test_trying_an_update_leaves_parameters_and_gradients_alone():
    w = parameters()
    loss_of(w)(*batches()[0]).backward()
    before = [(x.data, x.peek_grad()) for x in w]
    compile_step(loss_of(w), OPTIMIZERS["ByNormOfGradients"](w, 0.1))
    assert [(x.data, x.peek_grad()) for x in w] == before
