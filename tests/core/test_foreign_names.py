"""Names of other engines: an error says what to write, unless the user has set an attribute of that name."""

from __future__ import annotations

import copy

import pytest

import chainrule
from chainrule import Value
from chainrule.core.foreign_names import FOREIGN_NAMES
from chainrule.errors import MissingAttributeError, OperandError

SAID = {
    "value": "v.data", "gradient": "v.grad", "name": "v.label", "children": "v.operands", "parents": "v.operands",
    "draw_dot": "chainrule.draw(v)", "_forward": "chainrule.compile_step", "forward": "loss.refresh()",
    "_as_value": "Value(2.0)", "_coerce": "2.0 * v", "square": "v**2", "backprop": "v.backward()",
    "step": "chainrule.optim.SGD(parameters, lr=0.1)", "requires_grad": "v.detach()",
    "softmax": "chainrule.logsumexp(xs)", "log_softmax": "chainrule.logsumexp(xs)",
    "topo": "chainrule.topological_order(v)", "clone": "copy.copy(v)", "reset_grad": "v.zero_grad()",
}  # fmt: skip


class Own(Value):
    """A subclass, which has room for attributes."""


@pytest.mark.parametrize("where", [Value(1.0), Own(1.0), Value, Own], ids=["value", "own", "class", "own class"])
@pytest.mark.parametrize("name", SAID)
def test_the_error_says_what_to_write(name, where):
    with pytest.raises(MissingAttributeError) as caught:
        getattr(where, name)
    assert f"a Value has no {name!r}: " in str(caught.value)
    assert SAID[name] in str(caught.value)
    assert not hasattr(where, name)
    assert getattr(where, name, None) is None


def test_no_foreign_name_hides_one_of_ours():
    assert not [name for name in FOREIGN_NAMES if hasattr(Value, name) or name in chainrule.core.operation.TABLE]
    assert not set(FOREIGN_NAMES) & set(dir(Value(1.0)))


@pytest.mark.parametrize("kind", [Value, Own])
@pytest.mark.parametrize("name", [name for name in FOREIGN_NAMES if name not in ("softmax", "topo")])
def test_an_attribute_of_the_user_s_own_may_have_the_name(name, kind):
    v, other = kind(1.0), kind(2.0)
    setattr(v, name, 5)
    assert getattr(v, name) == getattr(copy.copy(v), name) == 5
    assert name in dir(v)
    assert name not in dir(other)
    with pytest.raises(MissingAttributeError, match=f"a Value has no '{name}': "):
        getattr(other, name)
    delattr(v, name)
    with pytest.raises(AttributeError):
        getattr(v, name)


def test_a_method_of_a_subclass_or_an_operation_may_have_the_name():
    class Squared(Value):
        def square(self):
            return self * self

    assert Squared(3.0).square().data == 9.0

    @chainrule.operation(local=lambda x, y: 2.0 * x)
    def squared(x):
        return x * x

    try:
        assert Value(3.0).squared().data == 9.0
    finally:
        chainrule.core.operation.forget("squared")


# ---- operations by another name ------------------------------------------------------------------------------------


def test_operations_have_the_names_of_other_engines():
    v = Value(-3.0)
    assert (v.linear().op, v.swish().op, v.clamp(0.0, 1.0).op) == tuple(
        chainrule.core.operation.find(name) for name in ("identity", "silu", "clip")
    )
    assert [v.clamp(min=-1, max=2).data, v.clip(max=2, min=-1).data, v.clamp(-1, max=0).data] == [-1.0, -1.0, -1.0]
    assert Value.linear(v).data == -3.0
    with pytest.raises(OperandError, match=r"clip\(x, low, high\)"):
        v.clamp(min=0.0)
