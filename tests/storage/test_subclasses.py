"""Results of operations on a subclass of Value are of the subclass: its methods and operators work on them."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest

import chainrule
from chainrule import Value, engine, ops, topological_order
from chainrule.nn import MLP, Module


class Own(Value):
    """Has attributes, a method, and an operator of its own."""

    def __init__(self, data, note=""):
        super().__init__(data)
        self.note = note

    def twice(self):
        return self * 2.0

    def __matmul__(self, other):
        return self * other + 1.0


class Further(Own):
    __slots__ = ("mark",)


class Other(Value):
    __slots__ = ()


def own(*numbers):
    return [Own(x) for x in numbers]


CALLS = [
    lambda s, v: 1 - s,
    lambda s, v: s * v,
    lambda s, v: v - s,
    lambda s, v: v / s,
    lambda s, v: 2.0**s,
    lambda s, v: -s,
    lambda s, v: abs(s),
    lambda s, v: s % 2.0,
    lambda s, v: v // s,
    lambda s, v: v > s,
    lambda s, v: chainrule.tanh(s),
    lambda s, v: s.relu(),
    lambda s, v: ops.select(v, v, s),
    lambda s, v: ops.clip(v, s, 5.0),
    lambda s, v: chainrule.sum([s, s, s, s]),
    lambda s, v: chainrule.sum([v, 1.0, v, s]),
    lambda s, v: sum([v, s]),
    lambda s, v: ops.logsumexp([v, v, s]),
    lambda s, v: ops.weighted_sum([v, v], [1.0, s], 0.5),
    lambda s, v: MLP(2, [3, 1], seed=0)([v, s]),
    lambda s, v: (s * v).detach(),
    lambda s, v: copy.copy(s),
    lambda s, v: copy.deepcopy(s * v),
    lambda s, v: copy.deepcopy(chainrule.sum([v, v, s])),
    lambda s, v: pickle.loads(pickle.dumps(chainrule.sum([v, v, s]) * v)),
    lambda s, v: s.twice().twice(),
    lambda s, v: s @ v,
]


@pytest.mark.parametrize("call", CALLS)
def test_a_result_is_of_the_subclass(call):
    (s,) = own(3.0)
    y = call(s, Value(2.0))
    assert type(y) is Own
    assert y.twice().data == 2.0 * y.data


def test_of_two_subclasses_the_most_derived_and_of_unrelated_ones_the_first():
    s, t, u, v = Own(1.0), Further(2.0), Other(3.0), Value(4.0)
    assert [type(y) for y in (s * t, t * s, v * t, s * u, u * s)] == [Further, Further, Further, Own, Other]
    assert type(chainrule.sum([v, s, t])) is type(chainrule.sum([t, u, s])) is Further
    assert type(chainrule.sum([v, v, u, s])) is Other
    assert type(v * v) is Value


def program(xs):
    a, b, c = xs
    total = chainrule.sum([a * b, b * c, a, 2.0])
    return (ops.logsumexp([total, a, b]) + ops.clip(total, 0.0, 3.0) * c.tanh()) / (1.0 + a * a)


def test_numbers_and_gradients_are_those_of_plain_values_to_the_bit():
    plain, ours = [Value(x) for x in (0.3, -1.2, 2.0)], own(0.3, -1.2, 2.0)
    roots = program(plain), program(ours)
    for y in roots:
        y.backward()
        y.backward(0.5)
    assert roots[0].data == roots[1].data
    assert [x.grad for x in plain] == [x.grad for x in ours]
    orders = [topological_order(y) for y in roots]
    assert [(n.op, n.data, n.grad, n.locals, len(n.operands)) for n in orders[0]] == [
        (n.op, n.data, n.grad, n.locals, len(n.operands)) for n in orders[1]
    ]
    plain[1].data = ours[1].data = 0.7
    for y in roots:
        y.refresh().backward()
    assert roots[0].data == roots[1].data
    assert [x.grad for x in plain] == [x.grad for x in ours]


def test_how_a_result_of_many_operands_was_made_is_seen():
    s, a, b = Own(1.0), Value(2.0), Value(3.0)
    y = chainrule.sum([s, a, b])
    assert (y.op, y.operands, y.locals, y._op) == (ops.sum, (s, a, b), (1.0, 1.0, 1.0), "Σ")
    assert topological_order(y) == [s, a, b, y]
    y.backward()
    y.zero_grad()
    y.grad = 2.0
    y._backward()
    assert [x.grad for x in (s, a, b)] == [2.0, 2.0, 2.0]
    assert "Σ" in str(chainrule.repr_svg(y))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_classes_and_attributes(copied):
    s, t = Own(1.0, note="first"), Further(2.0)
    t.mark, t.free = 5, 6
    y = chainrule.sum([s, t, Value(3.0)]) * s
    y.note = "root"
    z = copied(y)
    leaves = [x for x in topological_order(z) if x.is_leaf()]
    assert [type(x) for x in leaves] == [Own, Further, Value]
    assert (type(z), z.note, leaves[0].note, leaves[1].mark, leaves[1].free) == (Further, "root", "first", 5, 6)
    z.backward()
    y.backward()
    assert [x.grad for x in leaves[:2]] == [s.grad, t.grad]


def test_transforms_give_functions_what_their_arguments_are():
    seen = []

    def f(x):
        seen.append(type(x))
        return x.twice() * x if isinstance(x, Own) else x * x

    slope = chainrule.grad(f)(Own(3.0))
    assert (seen, type(slope), slope.data) == ([Own], Own, 12.0)
    assert chainrule.grad(chainrule.grad(f))(Own(3.0)).data == 4.0


def test_no_grad_and_detect_anomaly_keep_the_class():
    s, v = Own(2.0), Value(3.0)
    with chainrule.no_grad():
        assert [type(y) for y in (s * v, chainrule.sum([v, v, s]))] == [Own, Own]
    with chainrule.detect_anomaly():
        y = chainrule.sum([v, s, s]) * s
        y.backward()
    assert (y.data, s.grad) == (14.0, 11.0)
    with chainrule.detect_anomaly(), pytest.raises(chainrule.errors.AnomalyError, match="logsumexp"):
        ops.logsumexp([s, v, Value(float("nan"))])


def test_a_parameter_of_a_subclass_trains():
    class Model(Module):
        def __init__(self):
            self.w = [Own(0.5), Further(-0.5)]

        def forward(self, xs):
            return chainrule.sum([(w @ x).twice() for w, x in zip(self.w, xs, strict=True)])

    model = Model()
    y = model([1.0, 2.0])
    y.backward()
    assert (type(y), [p.grad for p in model.parameters()]) == (Further, [2.0, 4.0])


@pytest.mark.parametrize("kind", [Own, Further, Other])
def test_long_graphs_of_a_subclass_come_and_go_without_recursion(kind):
    y = kind(0.5)
    for i in range(100_000 if engine.is_compiled() else 20_000):
        y = y * 1.0 if i % 2 else chainrule.sum([y, 0.0, 0.0])
    y.backward()
    assert y.data == 0.5
    del y


def test_results_of_a_subclass_are_freed_with_what_they_are_made_of():
    s, v = Further(2.0), Value(3.0)
    before = sys.getrefcount(v), sys.getrefcount(s), sys.getrefcount(Further)
    for _ in range(100):
        chainrule.sum([s, v, v]) * v
    assert (sys.getrefcount(v), sys.getrefcount(s), sys.getrefcount(Further)) == before


def test_a_new_of_the_class_s_own_is_not_called_for_results():
    class Counted(Value):
        made = 0

        def __new__(cls, data, extra):
            Counted.made += 1
            return super().__new__(cls)

        def __init__(self, data, extra):
            super().__init__(data)

    s = Counted(2.0, "extra")
    assert type(chainrule.sum([s, s, 1.0]) * s) is type(copy.copy(s)) is Counted
    assert Counted.made == 1
