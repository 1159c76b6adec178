"""Training steps with wrong options or arguments raise errors that say so, and the step remains usable."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import Value
from chainrule.errors import AnomalyError, ArgumentError, OperandError
from chainrule.optim import SGD, Adam


def step_of(loss, count=1, **options):
    """Compiles a step; returns it with its parameters. A loss given as text takes these and returns a loss."""
    w = [Value(0.5 + i) for i in range(count)]

    if isinstance(loss, str):
        loss = eval(loss, {"chainrule": chainrule, "math": math})(w)
    return chainrule.compile_step(loss, SGD(w, lr=0.1), **options), w


# ---- after an error ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_axes", [None, 0])
def test_what_cannot_be_traced_says_so_each_time(in_axes):
    step, _ = step_of("lambda w: lambda x: math.exp(w[0] * x)", in_axes=in_axes)
    for _ in range(3):
        with pytest.raises(OperandError, match=r"chainrule\.exp"):
            step([1.0] if in_axes == 0 else 1.0)


@pytest.mark.parametrize("error", [KeyError("gone"), KeyboardInterrupt(), RuntimeError("now and then")])
@pytest.mark.parametrize("batches", [[(1.0,)], [([1.0],), ([1.0, 2.0],), ([1.0, 2.0, 3.0],)]])
def test_a_loss_that_fails_once(error, batches):
    w, failing = Value(0.5), [True, False]

    def loss(x):
        if failing and failing.pop():
            raise error
        return (w * chainrule.ops.sum([chainrule.sin(w * a) for a in x]) if isinstance(x, list) else w * x) ** 2

    step = chainrule.compile_step(loss, SGD([w], lr=0.1))
    failing.reverse()
    with pytest.raises(type(error)):
        step.run(batches)
    assert w.data == 0.5
    losses = step.run(batches)
    v, wanted = Value(0.5), []
    w = v
    for batch in batches:
        v.grad = 0.0
        found = loss(*batch)
        found.backward()
        v.data -= 0.1 * v.grad
        wanted.append(found.data)
    assert losses == pytest.approx(wanted, rel=1e-12)


def test_another_way_that_cannot_be_traced():
    step, w = step_of("lambda w: lambda x: w[0] * x if x > 0 else math.exp(w[0])")
    with pytest.raises(OperandError, match=r"chainrule\.exp"):
        step.run([(1.0,), (-1.0,)])
    assert w[0].data == pytest.approx(0.4)
    with pytest.raises(OperandError, match=r"chainrule\.exp"):
        step(-1.0)
    assert step(1.0) == pytest.approx(0.4)


def test_a_loss_of_no_parameters_that_is_not_finite():
    step, _ = step_of("lambda w: lambda x: x")
    with pytest.raises(AnomalyError, match="the loss is inf"):
        step(math.inf)


# ---- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strict": True}, "compile_step has no option 'strict'.*in_axes, reduce, dtype, threads, max_traces, besides"),
        ({"axes": 0}, "no option 'axes'. Did you mean 'in_axes'"),
        ({"threads": True}, "threads is a whole number, 1 or more, not True"),
        ({"max_traces": "8"}, "max_traces is a whole number, 1 or more, not '8'"),
        ({"memory_limit": 0}, "memory_limit is a whole number"),
        ({"in_axes": "x"}, "in_axes is an axis"),
        ({"in_axes": ({"a": 0},)}, "in_axes is an axis"),
        ({"reduce": None}, "reduce is 'mean' or 'sum'"),
        ({"besides": [3.0]}, "besides are Values"),
        ({"besides": Value(1.0)}, "besides are Values"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ArgumentError, match=message):
        step_of("lambda w: lambda x: w[0] * x", **options)


@pytest.mark.parametrize("optimizer", ["adam", SGD, Adam, None, 0.1])
def test_what_is_no_optimizer(optimizer):
    with pytest.raises(ArgumentError) as caught:
        chainrule.compile_step(lambda x: x, optimizer)
    name = {"adam": "Adam", SGD: "SGD"}.get(optimizer, "Adam")
    assert f"compile_step(loss, {name}(parameters, lr=0.01))" in str(caught.value)


@pytest.mark.parametrize("loss", [3.0, "mse", Value(1.0), SGD([Value(1.0)], lr=0.1)])
def test_what_is_no_loss(loss):
    with pytest.raises(ArgumentError, match=r"compile_step takes a function.*not the"):
        chainrule.compile_step(loss, SGD([Value(1.0)], lr=0.1))


# ---- arguments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "batches"),
    [
        ("x", [[1.0, 2.0], [2.0, 3.0]]),
        ("x", [1.0, 2.0]),
        ("x", 1.0),
        ("x", [{"x": 1.0}]),
        ("x, y", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]),
        ("x, y", ([[1.0, 2.0]] * 64, [1.0] * 64)),
        ("x, y", (np.ones([64, 2]), np.ones(64))),
        ("x, y", np.ones([5, 3])),
        ("x, y=2.0", [(1.0, 2.0, 3.0)]),
    ],
)
@pytest.mark.parametrize("in_axes", [None, 0])
def test_run_takes_a_list_of_tuples(names, batches, in_axes):
    step, _ = step_of(f"lambda w: lambda {names}: w[0] * x", in_axes=in_axes)
    with pytest.raises(ArgumentError) as caught:
        step.run(batches)
    shown = "(x,)" if names == "x" else "(x, y)"
    assert f"run takes a list with one tuple of arguments for each step: step.run([{shown}, ...])" in str(caught.value)


def test_as_many_rows_as_arguments():
    step, _ = step_of("lambda w: lambda x, y: w[0] * x - y", in_axes=0)
    with pytest.raises(ArgumentError, match=r"the argument is the number 1\.0") as caught:
        step.run(([1.0, 2.0], [3.0, 4.0]))
    assert any("step.run([(x, y), ...])" in note for note in caught.value.__notes__)


def test_a_step_of_too_many_or_too_few():
    step, _ = step_of("lambda w: lambda x, y: w[0] * x - y", in_axes=0)
    with pytest.raises(ArgumentError, match=r"the loss takes 2 arguments, x, y, but was given 1$"):
        step([1.0])
    step, _ = step_of("lambda w: lambda x, y=2.0: w[0] * x - y")
    with pytest.raises(ArgumentError, match=r"the loss takes 1 to 2 arguments, x, y, but was given 3$"):
        step(1.0, 2.0, 3.0)
    step, _ = step_of("lambda w: lambda x, *more: w[0] * x")
    with pytest.raises(ArgumentError, match=r"the loss takes 1 or more arguments, x, \*more, but was given 0$"):
        step()
    assert step(1.0, 2.0, 3.0) == 0.5
    step, _ = step_of("lambda w: lambda x, *, y: w[0] * x")
    with pytest.raises(ArgumentError, match="takes y by name alone"):
        step(1.0)


def test_arguments_by_name():
    step, _ = step_of("lambda w: lambda x, y, scale=2.0: (w[0] * x - y) * scale", in_axes=(0, 0))
    assert step(y=[1.0, 2.0], x=[4.0, 4.0]) == 1.0
    step, _ = step_of("lambda w: lambda x, y, scale=2.0: (w[0] * x - y) * scale")
    assert step(4.0, y=1.0) == 2.0
    with pytest.raises(ArgumentError, match="unexpected keyword argument 'z'"):
        step(4.0, 1.0, z=1.0)
    with pytest.raises(ArgumentError, match="missing a required argument: 'x'"):
        step(y=1.0)
    step, _ = step_of("lambda w: lambda x, a=1.0, b=2.0: w[0] * x * b")
    with pytest.raises(ArgumentError, match="give b by position"):
        step(4.0, b=1.0)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (1.0, "is the number 1.0"),
        (["1.5", "2"], "array of <U3: give an array of numbers"),
        ([[1.0], [2.0, 3.0]], "lists of equal lengths"),
        ([Value(1.0)], "plain numbers, not of Values"),
        ([1j], "array of complex128"),
        ({"x": [1.0]}, "the dict .*: give each of its parts as an argument"),
    ],
)
def test_samples_that_are_none(samples, message):
    step, _ = step_of("lambda w: lambda x: w[0] * x", in_axes=0)
    with pytest.raises((ArgumentError, OperandError), match=message):
        step(samples)
    assert step([2.0]) == 1.0


def test_an_axis_that_there_is_not():
    with pytest.raises(ArgumentError, match="in_axes=1, but the argument has 1 axis"):
        step_of("lambda w: lambda x: w[0] * x", in_axes=1)[0]([1.0])


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Value(1.0), "plain numbers, not Values"),
        (np.array(["a"]), "arrays of plain numbers"),
        (np.array([Value(1.0)]), "arrays of plain numbers"),
    ],
)
def test_arguments_that_are_no_numbers(thing, message):
    step, _ = step_of("lambda w: lambda x: w[0]")
    for given in (thing, [thing], {"x": thing}):
        with pytest.raises(OperandError, match=message):
            step(given)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("in_axes", [None, (None, 0)])
def test_what_is_no_number_is_part_of_the_key(first, in_axes):
    step, w = step_of("lambda w: lambda twice, x: w[0] * x * (2.0 if twice else 1.0)", in_axes=in_axes)
    x = 2.0 if in_axes is None else [2.0]
    for twice in (first, not first, first, None, "yes"):
        before = w[0].data
        assert step(twice, x) == pytest.approx(before * (4.0 if twice else 2.0))
    assert step.traces == 4


# ---- integers as indices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, np.array])
def test_samples_that_are_indices_of_lists(kind, training):
    def loss_of(w):
        return lambda i, y: (w[i] * y - 1.0) ** 2

    batches = [(kind([k % 3, k % 2, 2, k % 7]), kind([0.5, 1.0, 2.0, 0.1 * k])) for k in range(5)]
    training.twice(loss_of, lambda w: Adam(w, lr=0.1), batches, in_axes=0)


def test_lists_of_integers_are_taken_in_native_code(training):
    def loss_of(w):
        return lambda ids, y: (sum([chainrule.take(w, i) for i in ids]) - y) ** 2

    batches = [([[k % 7, 3], [2, k % 3]], [0.5, 1.0]) for k in range(5)]
    step = training.twice(loss_of, lambda w: SGD(w, lr=0.1), batches, in_axes=0)
    assert (step.kernels, step.traces) == (1, 1)


def test_floats_are_no_indices():
    step, _ = step_of("lambda w: lambda i: w[i] * 2.0", 3)
    with pytest.raises(TypeError, match=r"a Value is no index.*chainrule\.take"):
        step(1.0)


def test_samples_of_arrays_are_arrays_and_those_of_lists_are_lists():
    step, _ = step_of("lambda w: lambda x: w[0] * (x + x)[-1] + len(x + x)", in_axes=0)
    assert step(np.ones((4, 2))) == pytest.approx(0.5 * 2.0 + 2)
    step, _ = step_of("lambda w: lambda x: w[0] * (x + x)[-1] + len(x + x)", in_axes=0)
    assert step([[1.0, 2.0]] * 4) == pytest.approx(0.5 * 2.0 + 4)


# ---- what is written into the optimiser's memory -------------------------------------------------------------------


def momentum():
    w = [Value(1.0), Value(2.0)]
    optimizer = SGD(w, lr=0.1, momentum=0.5)
    return optimizer, chainrule.compile_step(lambda x: (w[0] * x - w[1]) ** 2, optimizer)


def test_memory_under_a_name_that_is_no_slot_is_refused_with_the_mended_code():
    optimizer, step = momentum()
    step(1.0)
    with pytest.raises(ArgumentError, match=r"slots = \('velocity', 'foo'\)"):
        optimizer.memory["foo"] = [0.0, 0.0]


@pytest.mark.parametrize("first", [True, False])
def test_memory_that_native_steps_would_lose_is_refused_before_anything_moves(first):
    optimizer, step = momentum()
    if not first:
        step(1.0)
    optimizer.memory = {**optimizer.memory, "told": [1.0]}
    before = [p.data for p in optimizer.parameters], optimizer.steps
    with pytest.raises(ArgumentError, match=r"slots = \('velocity', 'told'\)"):
        step(1.0)
    with pytest.raises(ArgumentError, match=r"slots = \('velocity', 'told'\)"):
        step.run([(1.0,)])
    assert ([p.data for p in optimizer.parameters], optimizer.steps, optimizer.memory["told"]) == (*before, [1.0])
    del optimizer.memory["told"]
    step(1.0)


@pytest.mark.parametrize("numbers", [[0.0], [0.0] * 3, []])
def test_memory_that_is_not_one_number_for_each_parameter_is_refused(numbers):
    optimizer, step = momentum()
    optimizer.memory["velocity"] = numbers
    with pytest.raises(ArgumentError, match=f"has {len(numbers)} numbers for 2 parameters"):
        step(1.0)
    optimizer.memory["velocity"] = [0.0, 0.0]
    step(1.0)
    with pytest.raises(ArgumentError, match=f"has {len(numbers)} numbers for 2 parameters"):
        optimizer.memory["velocity"] = numbers
    optimizer.memory["velocity"].append(0.0)
    with pytest.raises(ArgumentError, match="has 3 numbers for 2 parameters"):
        step(1.0)
    optimizer.memory["velocity"].pop()
    step(1.0)
    assert optimizer.steps == 2
