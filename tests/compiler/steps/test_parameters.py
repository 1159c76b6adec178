"""Each parameter of a step counts once."""

import pytest

pytest.importorskip("llvmlite")


import chainrule
from chainrule import Value
from chainrule.compiler.steps.step import compile_step
from chainrule.errors import TraceError
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam

from .both_ways import (
    batches,
    by_eager,
    eagerly,
    loss_of,
    natively,
    parameters,
    same,
)


def test_besides_may_repeat_parameters():
    w = Value(1.0)
    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=0.1), besides=[w, w])
    step.run([(1.0,)] * 5)
    assert w.data == pytest.approx(0.8**5)
    assert step.gradients == pytest.approx([2 * 0.8**4] * 3)


def test_besides_may_be_all_parameters_of_a_model():
    found = []
    for native in (False, True):
        model = MLP(2, [2, 1], seed=0)
        optimizer = SGD(model.parameters()[:3], lr=0.1)

        def loss(x, y, model=model):
            return (model(x) - y) ** 2

        some = [([1.0, 2.0], 1.0), ([0.5, -1.0], 0.0)] * 3
        if native:
            step = compile_step(loss, optimizer, besides=model.parameters())
            losses = step.run(some)
            gradients = step.gradients
            assert gradients[:3] == gradients[3:6]
            gradients = gradients[3:]
        else:
            losses = []
            for batch in some:
                model.zero_grad()
                losses += by_eager(loss, optimizer, [batch])
            gradients = [p.peek_grad() for p in model.parameters()]
        found.append([*losses, *gradients, *[p.data for p in model.parameters()]])
    same(found[1], found[0])


def test_one_parameter_in_two_steps():
    found = []
    for way in (eagerly, natively):
        w = parameters()
        one, other = SGD(w, lr=0.1, momentum=0.9), Adam(w[2:5], lr=0.1)
        first, second = way(loss_of(w), one), way(loss_of(w), other)
        some = batches()
        losses = [x for i in range(0, 24, 4) for x in [*first(some[i : i + 2]), *second(some[i + 2 : i + 4])]]
        found.append([*losses, *[x.data for x in w]])
    same(found[1], found[0])


def test_parameters_that_are_added_after_compiling_are_seen():
    w = parameters()
    optimizer = SGD(w[:-1], lr=0.1)
    step = compile_step(loss_of(w), optimizer)
    step(*batches()[0])
    optimizer.parameters.append(w[-1])
    with pytest.raises(TraceError, match="has other parameters than when its step was compiled"):
        step(*batches()[0])


def test_an_optimizer_whose_parameters_were_repeated_later_is_refused():
    optimizer = SGD(parameters(), lr=0.1)
    optimizer.parameters.append(optimizer.parameters[0])
    with pytest.raises(chainrule.errors.ArgumentError, match="the parameters 0 and 7 are the same"):
        compile_step(loss_of(optimizer.parameters[:8]), optimizer)


@pytest.mark.parametrize("besides", [Value(1.0) * 2.0, (3.0 * Value(1.0)).operands[0]])
def test_what_is_no_parameter_is_refused_besides(besides):
    w = Value(1.0)
    with pytest.raises(chainrule.errors.ArgumentError, match="besides are Values made by hand"):
        compile_step(lambda x: w * x, SGD([w], lr=0.1), besides=[besides])
