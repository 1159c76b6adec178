"""The first mistake of another engine is found and named: a family of broken classes, each beside right ones."""

from __future__ import annotations

import math
import operator as op
import random

import pytest

import chainrule
from chainrule.see.recording import replay
from chainrule.see.recording.events import Began, Deposit, Ended, Made
from chainrule.see.recording.mistakes import first_mistake

from .broken import FAMILY, broken, mistake_of, recorded
from .engines import ENGINES, GRAPHS, backward, lecture, microgpt, squash


# ---- right engines ----
def twice_with_zero_grad(V):
    a, b = V(0.75), V(1.25)
    c = a * b
    y = squash(c) + c
    for _ in range(3):
        backward(y)
        name = "grad" if hasattr(a, "grad") else "gradient"
        for x in every_number(y):
            setattr(x, name, 0.0)


def every_number(y):
    """A result and all that it is made of, in each of the engines."""
    found, todo = {}, [y]
    while todo:
        x = todo.pop()
        if id(x) not in found:
            found[id(x)] = x
            held = next(getattr(x, name) for name in ("_prev", "_children", "children", "parents") if hasattr(x, name))
            todo += [each[0] if isinstance(each, tuple) else each for each in held]
    return list(found.values())


def training(V):
    w, b = V(0.5), V(-0.25)
    data, grad = ("data", "grad") if hasattr(w, "data") else ("value", "gradient")
    for _ in range(3):
        loss = sum((squash(w * x + b) - t) ** 2 for x, t in ((1.0, 0.5), (2.0, -0.5)))
        for p in (w, b):
            setattr(p, grad, 0.0)
        backward(loss)
        for p in (w, b):
            setattr(p, data, getattr(p, data) - 0.1 * getattr(p, grad))


def accumulation(V):
    """Gradients of two losses in one leaf, on purpose."""
    w = V(0.5)
    for x in (1.0, 2.0):
        backward(squash(w * x))


PROGRAMS = {
    **{name: lambda V, f=formula: backward(f(V(0.75), V(1.25))) for name, formula in GRAPHS.items()},
    "at a kink": lambda V: backward(squash(V(0.0) * 2.0) * 3.0),
    "backward() again": twice_with_zero_grad,
    "training": training,
    "accumulation": accumulation,
    "of a leaf": lambda V: backward(V(2.0)),
    "not a number": lambda V: backward(V(math.nan) * V(2.0) + V(math.inf)),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_right_engine_makes_no_mistake(engine, program):
    story = recorded(ENGINES[engine](), PROGRAMS[program])
    assert first_mistake(story) is None
    assert [event for event in story.events if isinstance(event, Ended)]


@pytest.mark.parametrize("engine", ENGINES)
def test_random_graphs_of_right_engines(engine):
    Value = ENGINES[engine]()
    for seed in range(25):
        rng = random.Random(seed)

        def program(V, rng=rng):
            numbers = [V(rng.uniform(-2, 2)) for _ in range(3)]
            for _ in range(12):
                x, y = rng.choice(numbers[-5:]), rng.choice(numbers)
                make = rng.choice((op.add, op.mul, op.sub, lambda x, _: squash(x), lambda x, _: x**2))
                numbers.append(make(x, y))
            backward(sum(numbers))

        story = recorded(Value, program)
        assert first_mistake(story) is None, seed
        assert len(story.deposits()) > 20


def test_our_own_engine_makes_no_mistake():
    with chainrule.recording() as story:
        a = chainrule.Value(2.0)
        for _ in range(2):
            y = (a * a).tanh() + a * 3 + chainrule.relu(a * 0.0)
            y.backward()
            y.backward()
            a.data = 1.5
    assert first_mistake(story) is None
    assert len([event for event in story.events if isinstance(event, Began)]) == 3


def test_a_net_of_micrograds_is_trained_without_a_mistake_and_with_one():
    engine, nn = pytest.importorskip("micrograd.engine"), pytest.importorskip("micrograd.nn")
    samples = [([2.0, 3.0, -1.0], 1.0), ([3.0, -1.0, 0.5], -1.0), ([0.5, 1.0, 1.0], -1.0)]

    def train(zero_grad, steps=3):
        random.seed(1)
        net = nn.MLP(3, [3, 1])
        with chainrule.recording(Value=engine.Value) as story:
            for _ in range(steps):
                loss = sum((net(x) - y) ** 2 for x, y in samples)
                if zero_grad:
                    net.zero_grad()
                loss.backward()
                for p in net.parameters():
                    p.data -= 0.05 * p.grad
        return story

    story = train(zero_grad=True)
    assert first_mistake(story) is None
    assert all(x.recorded == x.right == 0 for x in replay(story))  # its relu gives the integer 0, which has no sign
    assert len(story.training.parameters) == 16
    assert story.training.losses[0] > story.training.losses[-1]
    assert {operation.name for operation in story.operations} == {"add", "mul", "pow", "relu"}
    assert first_mistake(train(zero_grad=False)).kind == "zero_grad"


# ---- broken ones ----
@pytest.mark.parametrize("name", FAMILY)
def test_a_broken_rule_is_named(name):
    methods, program, kind, operation = FAMILY[name]
    found, event, giver = mistake_of(broken(**methods), program)
    assert (found.kind, giver) == (kind, operation)
    assert isinstance(event, {"number": Made, "missing": Ended}.get(kind, Deposit))
    if isinstance(event, Deposit):
        assert (found.node, found.found) == (event.into, event.after)
        assert found.expected == pytest.approx(event.before + event.product)


def test_a_plain_assignment_in_add():
    class Value:
        """The lecture's class as it stands when the lecture shows the bug."""

        def __init__(self, data, _children=(), _op="", label=""):
            self.data = data
            self.grad = 0.0
            self._backward = lambda: None
            self._prev = set(_children)
            self._op = _op
            self.label = label

        def __add__(self, other):
            out = Value(self.data + other.data, (self, other), "+")

            def _backward():
                self.grad = 1.0 * out.grad
                other.grad = 1.0 * out.grad

            out._backward = _backward
            return out

        def backward(self):
            self.grad = 1.0
            self._backward()

    with chainrule.recording(Value=Value) as story:
        a = Value(3.0, label="a")
        b = a + a
        b.backward()
    found = first_mistake(story)
    event = story.events[found.event]
    assert (found.kind, found.expected, found.found, found.node) == ("=", 2.0, 1.0, 0)
    assert (event.position, event.before, event.after) == (1, 1.0, 1.0)
    assert "a gets 1, and should get 1 + local 1 × upstream 1 = 2" in found.words
    assert "as = does where += is meant" in found.words


def a_random_program(seed):
    rng = random.Random(seed)
    steps = [(rng.randrange(5), rng.randrange(3, 6), rng.randrange(3)) for _ in range(8)]
    numbers = [rng.uniform(-2, 2) for _ in range(3)]

    def program(V):
        leaves = [V(x) for x in numbers]
        made = list(leaves)
        makers = (op.add, op.mul, op.sub, lambda x, _: x.tanh(), lambda x, _: x**2)
        for k, back, other in steps:
            made.append(makers[k](made[-min(back, len(made))], made[other]))
        sum(made[3:], made[-1] * made[-2]).backward()
        return [x.grad for x in leaves]

    return program


@pytest.mark.parametrize("name", FAMILY)
def test_gradients_without_a_mistake_are_right(name):
    differ = 0
    for seed in range(40):
        program, Value = a_random_program(seed), broken(**FAMILY[name][0])
        right = program(lecture())
        with chainrule.recording(Value=Value) as story:
            found = program(Value)
        if found != pytest.approx(right, rel=1e-9, abs=1e-12):
            differ += 1
            assert first_mistake(story) is not None, seed
    assert differ > 5


# ---- engines that keep their local derivatives ----
LOCALS = {
    "other operand": lambda a, b: (a, b),
    "sign": lambda a, b: (-b, a),
    "rule": lambda a, b: (b + 1.0, a),
}


@pytest.mark.parametrize("kind", LOCALS)
def test_a_wrong_local_derivative_is_found_where_it_is_made(kind):
    Value = microgpt()

    def mul(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), LOCALS[kind](self.data, other.data))

    Value.__mul__ = mul
    found, event, _ = mistake_of(Value, lambda V: (V(2.0) * V(5.0)).backward())
    assert (found.kind, found.expected) == (kind, 5.0)
    assert isinstance(event, Made)
    assert "the local derivative of mul" in found.words


def test_a_wrong_local_derivative_from_before_the_recording_is_found_where_it_is_used():
    Value = microgpt()
    Value.tanh = lambda self: Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data),))
    y = Value(0.5).tanh()
    y._children[0].grad = 0
    found, event, _ = mistake_of(Value, lambda V: y.backward())
    assert found is None  # without a name and without a call nobody knows which operation it is
    found, event, _ = mistake_of(Value, lambda V: Value(0.5).tanh().backward())
    assert found.kind == "rule"
    assert isinstance(event, Made)


def test_a_loop_that_assigns_is_found():
    Value = microgpt()

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                topo.append(v)

        build(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local in zip(v._children, v._local_grads, strict=True):
                child.grad = local * v.grad

    Value.backward = backward
    found, event, _ = mistake_of(Value, lambda V: ((a := V(3.0)) * a).backward())
    assert (found.kind, found.expected, found.found) == ("=", 6.0, 3.0)
    assert (event.position, event.rule) == (1, 0)


def test_where_nobody_is_seen_to_give_the_end_is_judged():
    class Value:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __mul__(self, other):
            return Value(self.data * other.data, ((self, other.data), (other, self.data)))

        def backward(self, upstream=1.0):
            self.grad = upstream
            for parent, local in self.parents:
                parent.backward(upstream * local)

    found, event, _ = mistake_of(Value, lambda V: ((a := V(3.0)) * a).backward())
    assert (found.kind, found.expected, found.found) == ("gradient", 6.0, 3.0)
    assert isinstance(event, Ended)

    class Right(Value):
        def __mul__(self, other):
            return Right(self.data * other.data, ((self, other.data), (other, self.data)))

        def backward(self, upstream=1.0):
            self.grad += upstream
            for parent, local in self.parents:
                parent.backward(upstream * local)

    assert first_mistake(recorded(Right, lambda V: ((a := V(3.0)) * a * a).backward())) is None
