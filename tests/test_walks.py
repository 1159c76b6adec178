"""Lists, dicts and objects that hold themselves, or are nested without end: a named error says so, and nothing dies."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

import chainrule
from chainrule import Value, losses, nn, optim
from chainrule.core.trees import leaves, tree_map, unflatten
from chainrule.errors import ArgumentError, ChainruleError, GraphError, OperandError
from chainrule.training import fit

HOLDS_ITSELF = "holds itself, or is nested more than 100 deep"


def loop():
    x = [1.0]
    x.append(x)
    return x


def deep(levels=50_000, x=1.0):
    for _ in range(levels):
        x = [x]
    return x


def dict_loop():
    x = {"a": 1.0}
    x["b"] = x
    return x


def returns(make):
    """A function whose result is such a thing."""
    return lambda x: [x, make()]


class Net(nn.Module):
    """Whatever it is given is its output."""

    def __init__(self, out):
        self.w, self.out = Value(2.0), out

    def forward(self, x):
        return self.out


ENDLESS = [loop, deep, dict_loop]


@pytest.mark.parametrize("make", ENDLESS)
@pytest.mark.parametrize(
    "use",
    [
        leaves,
        lambda x: tree_map(abs, x),
        lambda x: unflatten(x, iter(range(10**6))),
        lambda x: chainrule.grad(lambda v: Value(1.0))(x),
        lambda x: chainrule.jacobian(lambda v: Value(1.0))(x),
        lambda x: chainrule.hessian(lambda v: Value(1.0))(x),
        lambda x: chainrule.jvp(lambda v: Value(1.0), (x,), (x,)),
        lambda x: chainrule.jvp(lambda v: v, (1.0,), (x,)),
        lambda x: chainrule.vjp(lambda v: Value(1.0), x),
        lambda x: chainrule.vjp(lambda v: [v, v], 1.0)[1](x),
        lambda x: chainrule.jacobian(returns(lambda: x))(1.0),
        lambda x: chainrule.check_gradients(lambda v: Value(1.0), [x]),
    ],
)
def test_arguments_and_results_of_transforms(make, use):
    with pytest.raises(OperandError, match=HOLDS_ITSELF):
        use(make())


@pytest.mark.parametrize("make", ENDLESS)
def test_arguments_and_results_of_compiled_functions(make):
    pytest.importorskip("llvmlite")
    model = nn.MLP(1, [1], seed=0)
    step = chainrule.compile_step(lambda x: model([1.0]) ** 2, optim.SGD(model.parameters(), 0.1))
    for use in (
        lambda x: chainrule.compile(lambda v: Value(1.0))(x),
        lambda x: chainrule.compile(chainrule.grad(lambda v: Value(1.0)))(x),
        lambda x: chainrule.compile(returns(lambda: x))(1.0),
        lambda x: chainrule.compile(lambda v: v, in_axes=(x,)),
        step,
    ):
        with pytest.raises(OperandError, match=HOLDS_ITSELF):
            use(make())


@pytest.mark.parametrize(
    "use",
    [
        Value,
        chainrule.exp,
        chainrule.sum,
        nn.softmax,
        lambda x: Value(1.0) + x,
        lambda x: chainrule.weighted_sum(x, [1.0], 0.0),
        lambda x: losses.mean_squared_error(x, x),
        lambda x: losses.cross_entropy(x, [0]),
        lambda x: nn.MLP(1, [1])(x),
        lambda x: nn.MLP(1, x),
        lambda x: nn.MLP(1, [1], activation=[x]),
        lambda x: nn.Embedding(2, 2)(x),
        lambda x: nn.from_config({"type": "MLP", "nin": 1, "nouts": x, "activations": ["relu"]}),
        lambda x: nn.MLP(1, [1]).load_state_dict({"a": x}),
        lambda x: nn.MLP(1, [1]).load_state_dict(x),
        lambda x: optim.SGD(x, 0.1),
        lambda x: optim.SGD([Value(1.0)], x),
        lambda x: optim.Adam([Value(1.0)]).load_state_dict({"type": "Adam", "steps": 1, "mean": x, "square": x}),
        lambda x: fit(nn.MLP(1, [1]), x, [1.0], loss="mean_squared_error"),
        lambda x: fit(nn.MLP(1, [1]), [[x]], [1.0], loss="mean_squared_error"),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [x], loss="mean_squared_error"),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss=x),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss="mean_squared_error", metrics=x),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss="mean_squared_error", callbacks=x),
        lambda x: fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss="mean_squared_error", validation=x),
        lambda x: fit(x, [[1.0]], [1.0], loss="mean_squared_error"),
        lambda x: fit(Net(x), [[1.0]], [1.0], loss="mean_squared_error"),
        lambda x: fit(Net(x), [[1.0]], [1.0], loss=lambda p, t: Value(1.0) * 2.0),
        lambda x: chainrule.draw(x),
        lambda x: chainrule.explain(x),
    ],
)
@pytest.mark.parametrize("make", [loop, deep])
def test_everything_else_says_what_it_was_given(use, make):
    with pytest.raises(ChainruleError) as error:
        use(make())
    assert len(str(error.value)) < 500


def test_what_is_nested_as_numbers_may_be_is_taken():
    x = deep(90, 3.0)
    assert leaves(chainrule.grad(lambda v: leaves(v)[0] ** 2)(x)) == [6.0]


def test_a_layer_that_holds_itself_says_so():
    for model in (nn.Layer(2, 2), nn.MLP(2, [2, 2])):
        parts = model.neurons if isinstance(model, nn.Layer) else model.layers
        parts.append(model)
        assert "..." in repr(model)
        assert len(model.parameters()) in (6, 12)
        for _ in range(2):
            with pytest.raises(ArgumentError, match="forward was reached through 200 others: do its parts hold it"):
                model([1.0, 2.0])
    with pytest.raises(ChainruleError, match="of your own making"):
        model.config()


class Node:
    """Something of one's own that can be drawn."""

    label, op, constant, locals = "", None, False, (1.0,)

    def __init__(self, *operands):
        self.operands = operands

    def peek_data(self):
        return 1.0

    def peek_grad(self):
        return 0.0


def test_a_drawing_of_what_is_made_of_itself():
    a, b = Node(), Node()
    a.operands, b.operands = (b,), (a,)
    with pytest.raises(GraphError, match="is made of itself"):
        chainrule.draw(a)
    leaf = Node()
    leaf.locals = ()
    with pytest.raises(GraphError, match="has 2 operands but 1 local derivatives"):
        chainrule.draw(Node(leaf, leaf))


@pytest.mark.slow
def test_a_high_limit_of_recursion_kills_nothing():
    """People raise it for a recursive `backward` of their own; Python's C code then recurses until the process dies."""
    program = """
        import sys
        sys.setrecursionlimit(10**6)
        import chainrule
        from chainrule import nn, Value
        def deep(x):
            for _ in range(200_000):
                x = [x]
            return x
        class Thing: pass
        thing = Thing()
        thing.part = deep(1.0)
        calls = [lambda: chainrule.grad(lambda v: Value(1.0))(deep(1.0)), lambda: Value(deep(1.0))]
        try:
            import llvmlite
            calls += [lambda: chainrule.compile(lambda v: Value(1.0))(deep(1.0))]
            calls += [lambda: chainrule.compile(lambda v, t: v * 2)(1.0, thing)]
        except ImportError:
            pass
        layer = nn.Layer(2, 2)
        layer.neurons.append(layer)
        repr(layer)
        calls += [lambda: layer([1.0, 2.0])]
        for call in calls:
            try:
                call()
            except (chainrule.errors.OperandError, chainrule.errors.ArgumentError):
                print("refused")
        print(len(calls), "calls")
    """
    ended = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    *refused, calls = ended.stdout.splitlines()
    assert calls == f"{len(refused)} calls"


def test_parameters_in_a_set_are_refused_by_fit():
    model = Net(1.0)
    model.more = {Value(1.0)}
    with pytest.raises(ArgumentError, match="Net would miss the parameter in more"):
        fit(model, [[1.0]], [1.0], loss="mean_squared_error")
