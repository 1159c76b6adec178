"""What the page calculates with is what the library does: templates give the numbers of losses and optimisers."""

from __future__ import annotations

import pytest

from chainrule.cli.goals import SIDES
from chainrule.core.operation import TABLE
from chainrule.engine import Value
from chainrule.see.playground.page import ACTIVATIONS, library
from chainrule.see.playground.templates import OF_ONE_SCORE, OPTIMIZERS, loss_template, optimizer_template
from chainrule.training import LOSSES


def calculated(template, **inputs):
    """The outputs of a template."""
    numbers = []
    places = {template["inputs"][name]: x for name, x in inputs.items()}
    for at, (op, operands, data) in enumerate(template["nodes"]):
        numbers.append(
            places.get(at, data)
            if op is None
            else TABLE[op](*[numbers[k] for k in operands])
            if op != "sum"
            else sum(numbers[k] for k in operands)
        )
    return {name: numbers[at] for name, at in template["outputs"].items()}


@pytest.mark.parametrize("name", OF_ONE_SCORE)
@pytest.mark.parametrize("score", [-3.0, -0.25, 0.0, 0.7, 12.0])
def test_losses(name, score):
    for target in SIDES[name]:
        wanted = LOSSES[name]([Value(score)], [target]).data
        assert calculated(loss_template(name), score=score, target=target) == {"loss": wanted}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    kind, options = OPTIMIZERS[name]
    parameter = Value(0.3)
    optimizer = kind([parameter], lr=0.05, **options)
    template, data, memory = optimizer_template(kind, options), 0.3, dict.fromkeys(kind.slots, 0.0)
    for step in range(1, 30):
        parameter.grad = grad = 0.1 * step - 1.0
        found = calculated(template, data=data, grad=grad, lr=0.05, steps=step, **memory)
        optimizer.step()
        data, memory = found.pop("data"), found
        assert data == pytest.approx(parameter.data, rel=1e-13)
        assert memory == pytest.approx({key: column[0] for key, column in optimizer.memory.items()}, rel=1e-13)


def test_every_activation_is_of_one_operand():
    assert [name for name in ACTIVATIONS if name != "linear" and len(TABLE[name].operand_names) != 1] == []
    assert set(library()["symbols"]) >= set(ACTIVATIONS) - {"linear"}
