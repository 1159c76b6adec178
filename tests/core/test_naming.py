"""The names of parameters and inputs, in pictures and explanations, without anybody having been told them."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest

from chainrule import Value, draw, explain
from chainrule.core import naming
from chainrule.core.naming import names_in
from chainrule.engine import topological_order
from chainrule.losses import mean_squared_error
from chainrule.nn import MLP, Frozen, Linear, Module
from chainrule.ops import weighted_sum


@pytest.fixture(autouse=True)
def none_known(monkeypatch):
    """Each test begins without models; those that others left behind are none of its own."""
    gc.collect()
    monkeypatch.setattr(naming, "known", naming.known)
    before = dict(naming.known)
    naming.known.clear()
    yield
    naming.known.update(before)


def named(root):
    """The names of a graph's leaves, in order."""
    order = topological_order(root)
    names = names_in(order)
    return [names[id(node)] for node in order if id(node) in names]


def of(model, root):
    """The names that the model has for the parameters in a graph."""
    present = {id(node) for node in topological_order(root)}
    return {name for name, parameter in model.named_parameters() if id(parameter) in present}


def test_parameters_have_the_names_that_the_model_has_for_them():
    model = MLP(2, [2, 1], seed=1)
    out = model([2.0, 3.0])
    assert {name for name in named(out) if not name.startswith("x")} == of(model, out)
    assert "layers.0.neurons.1.w.0" in str(draw(out))
    assert "layers.0.neurons.1.w.0" in draw(out).svg
    assert set(explain(out).derivatives) == of(model, out)


def test_in_any_copy():
    model = MLP(2, [2, 1], seed=1)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        out = other([2.0, 3.0])
        assert set(explain(out).derivatives) == of(other, out)


def test_a_label_of_the_user_s_own_goes_before():
    model = MLP(1, [1], seed=1)
    model.layers[0].neurons[0].w[0].label = "slope"
    out = model([2.0])
    assert set(explain(out).derivatives) == {"slope", "layers.0.neurons.0.b"}
    assert "slope" in draw(out).text


class Outer(Module):
    def __init__(self, inner):
        self.first, self.second = inner, Linear(1, 1)

    def forward(self, x):
        return self.second(self.first.forward(x)[:1])[0]


def test_a_part_has_its_name_in_the_whole():
    inner = MLP(2, [2, 2], seed=1)
    inner([1.0, 2.0])  # noted before the whole
    whole = Outer(inner)
    assert all(name.startswith(("first.layers.", "second.", "x[")) for name in named(whole([1.0, 2.0])))


def test_parts_that_hold_one_another_have_names():
    model, part = Linear(1, 1), Linear(1, 1)
    model.part, part.whole = part, model
    assert {"w.0.0", "b.0"} <= set(named(model([1.0])[0]))


def test_parameters_of_two_models_are_told_apart():
    teacher, student = MLP(1, [1], seed=1), MLP(1, [1], seed=2)
    loss = mean_squared_error(student([1.0]), teacher([1.0]))
    names = list(explain(loss).derivatives)
    assert sorted(names) == sorted(f"MLP{i}.layers.0.neurons.0.{part}" for i in (1, 2) for part in ("w.0", "b"))
    assert len(set(names)) == 4


def test_models_of_other_names_need_no_more():
    first, second = Linear(1, 1), MLP(1, [1], seed=1)
    out = second(first([1.0]))
    assert {"w.0.0", "b.0", "layers.0.neurons.0.w.0"} <= set(named(out))


def test_what_is_frozen_has_the_name_in_its_own_model():
    model, other = MLP(1, [1], seed=1), Linear(1, 1)
    model.other = Frozen(other)
    assert {"w.0.0", "layers.0.neurons.0.b"} <= set(named(model(other([2.0]))))


def test_inputs_are_counted_for_each_sample():
    model = MLP(3, [2, 1], seed=1)
    assert {name for name in named(model([1.0, 2.0, 3.0])) if name[0] == "x"} == {"x[0]", "x[1]", "x[2]"}
    loss = mean_squared_error(model([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), [1.0, 1.0])
    names = [name for name in named(loss) if name[0] == "x"]
    assert set(names) == {f"x{sample}[{i}]" for sample in range(2) for i in range(3)}
    assert "3 inputs, 2 samples" in draw(loss, fold=True).text


def test_inputs_that_are_values_have_names_as_well():
    x = [Value(1.0), Value(2.0, "time")]
    model = MLP(2, [3], seed=1)
    out = model(x)[0]
    assert {"x[0]", "time"} <= set(explain(out).derivatives)


def test_hidden_results_are_no_inputs():
    model = MLP(1, [1, 1], seed=1)
    assert [name for name in named(model([2.0])) if name[0] == "x"] == ["x[0]"]


def test_what_no_model_has_stays_without_a_name():
    w = Value(2.0)
    out = weighted_sum([w], [3.0], 1.0)
    assert named(out) == []
    assert set(explain(out).derivatives) == {"v1"}


def test_a_model_is_not_kept_alive():
    model = MLP(1, [1], seed=1)
    out = model([1.0])
    assert len(naming.known) == 1
    del model
    gc.collect()
    assert naming.known == {}
    assert named(out) == []
