"""Copies have one meaning in every engine: a copied leaf is a new one, with the number that its original has now."""

from __future__ import annotations

import copy
import pickle

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import GraphError, TraceError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD

pytest.importorskip("llvmlite")

from .compiler.steps.both_ways import by_eager


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickled}


class Pair(Module):
    """Two modules, of which one stands in two places, and a parameter of its own."""

    def __init__(self):
        self.inner, self.scale = MLP(1, [2, 1], seed=1), Value(0.5, "scale")
        self.parts = {"again": [self.inner], "other": MLP(1, [1], seed=2)}

    def forward(self, x):
        return self.inner(x) * self.scale + self.parts["other"](x) + self.parts["again"][0](x)


def squared(copied, model, x):
    return copied(model.scale * x[0]) * model(x)


PROGRAMS = {
    "a target network": lambda copied, model, x: (model(x) - 0.5 * copied(model)(x) - 1.0) ** 2,
    "a leaf": lambda copied, model, x: model.scale * copied(model.scale) * x[0] + model(x),
    "a copy of a copy": lambda copied, model, x: model(x) * copied(copied(model.scale)),
    "a result": squared,
    "a result of a copy": lambda copied, model, x: copied(copied(model).scale * model.scale) * model(x),
    "a list": lambda copied, model, x: model(copied(x)) * chainrule.sum(copied([model.scale, model.scale * 2.0])),
    "its parameters": lambda copied, model, x: model(x) ** 2 + distance(model.parameters(), copied(model).parameters()),
    "without recording": lambda copied, model, x: model(x) * without_recording(copied, model.scale * x[0]),
    "an answer": lambda copied, model, x: model(x) if copied(model.scale) > 0.4 else 2.0 * model(x),
    "what stands for nothing": lambda copied, model, x: model(x) * (1.0 + len(copied(model).parameters())),
}  # fmt: skip


def distance(some, others):
    return chainrule.sum([(p - q) ** 2 + q * p for p, q in zip(some, others, strict=True)])


def without_recording(copied, y):
    with chainrule.no_grad():
        return copied(y)


def eager(loss, model, rows):
    return by_eager(loss, SGD(model.parameters(), 0.05), [(row,) for row in rows]), model.state_dict()


ROWS = [[1.5], [-0.5], [0.75]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_training_with_copies_in_the_loss(name, way):
    model, program, copied = Pair(), PROGRAMS[name], WAYS[way]
    wanted = eager(lambda x: program(copied, model, x), model, ROWS)
    for run in (lambda step: step.run([(row,) for row in ROWS]), lambda step: [step(row) for row in ROWS]):
        model = Pair()
        step = chainrule.compile_step(lambda x, model=model: program(copied, model, x), SGD(model.parameters(), 0.05))
        assert (run(step), model.state_dict()) == (pytest.approx(wanted[0]), pytest.approx(wanted[1]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_functions_that_copy_what_they_close_over(name, way):
    model, program, copied = Pair(), PROGRAMS[name], WAYS[way]

    def f(x):
        return program(copied, model, [x])

    compiled = chainrule.compile(f)
    for scale in (0.5, -0.25):
        model.scale.data = scale
        if name == "a list" and way != "copy":  # which copies the argument
            assert compiled(2.0) == pytest.approx(f(Value(2.0)).data)
            continue
        if name in ("a result", "without recording") and way != "copy":  # what is copied is made of the argument
            assert compiled(2.0) == pytest.approx(f(Value(2.0)).data)
            for transform in (chainrule.grad(f), compiled.grad):
                with pytest.raises(GraphError, match=r"new leaf.*x\.detach\(\)"):
                    transform(2.0)
            continue
        assert compiled.value_and_grad(2.0) == pytest.approx(chainrule.value_and_grad(f)(2.0))
        x = Value(2.0)
        y = f(x)
        y.backward()
        assert (y.data, x.grad) == pytest.approx(compiled.value_and_grad(2.0))


def test_fit_with_a_target_network():
    histories = []
    for compile in (False, True):
        model = Pair()

        def loss(predictions, targets, model=model):
            target = copy.deepcopy(model)
            return chainrule.sum(
                [(p - 0.5 * target([1.0]) - t) ** 2 for p, t in zip(predictions, targets, strict=True)]
            )

        chainrule.fit(
            model, ROWS, [1.0, 2.0, 3.0], loss=loss, epochs=3, optimizer=SGD(model.parameters(), 0.01), compile=compile
        )
        histories.append(model.state_dict())
    assert histories[0] == pytest.approx(histories[1])


TRANSFORMS = {
    "grad": lambda f: chainrule.grad(f),
    "jacobian": lambda f: chainrule.jacobian(f),
    "hessian": lambda f: chainrule.hessian(f),
    "jvp": lambda f: lambda x: chainrule.jvp(f, (x,), (1.0,)),
    "vjp": lambda f: lambda x: chainrule.vjp(f, x),
    "grad of Values": lambda f: lambda x: chainrule.grad(f)(Value(x)),
    "compiled grad": lambda f: chainrule.compile(f).grad,
    "compiled hessian": lambda f: chainrule.compile(f).hessian,
    "grad within a compiled function": lambda f: chainrule.compile(lambda x: chainrule.grad(f)(x)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("way", WAYS)
def test_a_copied_argument_that_is_differentiated_is_no_silent_zero(way, transform):
    with pytest.raises(GraphError, match=r"a copy .* new leaf.*\[list\(row\) for row in rows\].*x\.detach\(\)"):
        TRANSFORMS[transform](lambda x: x * WAYS[way](x))(3.0)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_nor_is_a_deep_copy_of_what_is_made_of_it(way, transform):
    with pytest.raises(GraphError, match="new leaf"):
        TRANSFORMS[transform](lambda x: x * WAYS[way](x * 2.0))(3.0)


def test_a_shallow_copy_of_a_result_shares_its_leaves():
    def f(x):
        return x * copy.copy(x * x)

    assert chainrule.grad(f)(3.0) == chainrule.compile(f).grad(3.0) == 27.0
    assert chainrule.hessian(f)(3.0) == chainrule.compile(f).hessian(3.0) == 18.0


def test_what_is_not_differentiated_may_be_copied():
    def f(x, rows):
        return x * copy.deepcopy(rows)[0][0]

    assert chainrule.grad(f)(3.0, [[5.0]]) == chainrule.compile(f).grad(3.0, [[5.0]]) == 5.0
    with pytest.raises(GraphError, match="f: a copy"):
        chainrule.compile(f).grad(3.0, [[5.0]], argnums=1)


def test_integers_are_copied_as_integers():
    f = chainrule.compile(lambda x, n: x * [1.0, 2.0, 3.0][copy.copy(n)] + copy.deepcopy([n])[0] + pickled(n))
    assert [f(1.0, 1), f(1.0, 2)] == [4.0, 7.0]


def test_a_module_that_is_differentiated_as_an_argument():
    f, model = chainrule.compile(lambda model, x: model(x) * copy.deepcopy(model)(x)), Pair()
    assert f(model, [2.0]) == pytest.approx(model([2.0]).data ** 2)
    with pytest.raises(GraphError, match="a copy"):
        f.grad(model, [2.0])


def test_a_pickle_of_one_run_is_not_read_in_another():
    kept = []

    def f(x):
        kept.append(pickle.dumps(x))
        return pickle.loads(kept[0]) * x

    with pytest.raises(TraceError, match="read in the same run alone"):
        chainrule.compile(f)(3.0)


def test_the_data_of_a_copy_is_not_written_in_a_compiled_function():
    model = Pair()

    def loss(x):
        target = copy.deepcopy(model)
        target.scale.data = 2.0
        return target(x)

    with pytest.raises(TraceError, match=r"cannot write \.data"):
        chainrule.compile(loss)([1.0])
