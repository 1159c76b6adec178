"""Steps in several threads are all counted, a write of others is never lost silently, and a forked process works."""

from __future__ import annotations

import os
import threading

import pytest

pytest.importorskip("llvmlite")

from chainrule import Value
from chainrule.compiler.native import llvm, uninterrupted
from chainrule.compiler.steps import exclusive
from chainrule.compiler.steps.step import compile_step
from chainrule.errors import GraphError, TraceError
from chainrule.optim import SGD, Adam

# ---- taking turns --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda w: SGD(w, lr=1e-3, momentum=0.5), lambda w: Adam(w, lr=1e-3)])
def test_steps_of_four_threads_all_count(make, in_threads):
    def trained(works):
        w = Value(1.0)
        optimizer = make([w])
        step = compile_step(lambda x: (w * x - 2) ** 2, optimizer)
        works(step)
        return w.data, optimizer.steps, dict(optimizer.memory)

    one_by_one = trained(lambda step: [step(1.0) for _ in range(400)])
    assert trained(lambda step: in_threads([lambda: [step(1.0) for _ in range(100)]] * 4)) == one_by_one
    assert trained(lambda step: in_threads([lambda: step.run([(1.0,)] * 100)] * 4)) == one_by_one


def test_two_steps_of_one_optimizer_take_turns(in_threads):
    w = Value(1.0)
    optimizer = Adam([w], lr=1e-3)
    steps = [compile_step(lambda x: (w * x - 2) ** 2, optimizer), compile_step(lambda x: (w * x - 2) ** 2, optimizer)]
    assert steps[0].turn is steps[1].turn
    in_threads([lambda step=step: [step(1.0) for _ in range(100)] for step in steps])
    v = Value(1.0)
    alone = compile_step(lambda x: (v * x - 2) ** 2, Adam([v], lr=1e-3))
    alone.run([(1.0,)] * 200)
    assert (w.data, optimizer.steps) == (v.data, 200)


def test_steps_of_different_optimizers_do_not_wait_for_each_other(in_threads):
    """Each step waits in its schedule until the other has come to its own."""
    meeting = threading.Barrier(2, timeout=20)

    def schedule(_):
        meeting.wait()
        return 0.1

    steps = []
    for start in (1.0, 2.0):
        w = Value(start)
        steps.append(compile_step(lambda w=w: (w * w) ** 2, SGD([w], lr=schedule)))
    in_threads(list(steps))


def test_gradients_are_those_of_a_whole_run(in_threads):
    w = [Value(float(i)) for i in range(50)]
    step = compile_step(lambda x: sum([(v * x) ** 2 for v in w]), SGD(w, lr=0.0))
    step(1.0)
    wanted = step.gradients

    def look():
        for _ in range(200):
            assert step.gradients == wanted
            assert step.finite

    in_threads([look, lambda: [step.run([(1.0,)] * 50) for _ in range(40)]])


def test_a_step_inside_of_a_step_is_refused_and_the_next_one_is_right():
    w, inside = Value(1.0), [True]

    def schedule(_):
        if inside:
            step(1.0)
        return 0.1

    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=schedule))
    with pytest.raises(TraceError, match="call it after that one"):
        step(1.0)
    assert w.data == 1.0
    inside.clear()
    step(1.0)
    assert w.data == pytest.approx(0.8)


def test_a_step_that_failed_leaves_its_turn_to_others(in_threads):
    w = Value(1.0)
    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=0.1))
    with pytest.raises(TypeError):
        step("one")
    in_threads([lambda: step(1.0)])
    assert w.data == pytest.approx(0.8)


# ---- what others write ---------------------------------------------------------------------------------------------


def test_a_parameter_that_is_written_while_a_step_runs_is_named():
    v, w = Value(1.0), Value(1.0, label="w")
    writing = [True]

    def schedule(_):
        if writing:
            w.data = 5.0
        return 0.1

    step = compile_step(lambda x: (v * x + w) ** 2, SGD([v, w], lr=schedule))
    with pytest.raises(GraphError, match="the parameter w was written while a step ran"):
        step(1.0)
    assert v.data == w.data == pytest.approx(0.6)
    writing.clear()
    step(1.0)  # continues from those numbers
    assert w.data == pytest.approx(0.36)


def test_an_optimizer_of_another_thread_that_moves_the_same_parameter_is_noticed():
    w, inside, go_on = Value(1.0), threading.Event(), threading.Event()

    def schedule(_):
        inside.set()
        assert go_on.wait(20)
        return 0.1

    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=schedule))
    found = []

    def run():
        with pytest.raises(GraphError, match="parameter 0 of the optimizer was written"):
            step(1.0)
        found.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    inside.wait(20)
    compile_step(lambda x: (w * x) ** 2, SGD([w], lr=0.25))(1.0)
    go_on.set()
    thread.join(20)
    assert found == [True]


def test_what_is_not_finite_counts_as_unchanged():
    v, w = Value(1.0), Value(float("nan"))
    step = compile_step(lambda x: (v * x) ** 2, SGD([v, w], lr=0.1))
    step.run([(1.0,)] * 3)
    assert v.data == pytest.approx(0.512)


# ---- forks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_slot", [False, True])
def test_a_child_forked_while_another_thread_runs_a_step(in_child, by_slot):
    """It has the parameters from before that step; reading the optimiser's memory, which is lost, raises an error."""
    w, inside, go_on, waiting = Value(1.0), threading.Event(), threading.Event(), []

    def schedule(_):
        if waiting:
            inside.set()
            go_on.wait(20)
        return 0.1

    optimizer = SGD([w], lr=schedule, momentum=0.5)
    step = compile_step(lambda x: (w * x) ** 2, optimizer)
    step(1.0)
    before, state = w.data, optimizer.state_dict()
    step(1.0)
    after = w.data
    w.data = before
    optimizer.load_state_dict(state)
    step(1.0)
    assert w.data == after
    waiting.append(True)
    thread = threading.Thread(target=step, args=(1.0,))
    thread.start()
    inside.wait(20)

    def child():
        waiting.clear()
        assert (w.data, optimizer.steps) == (after, 2)
        for use in (lambda: step(1.0), lambda: optimizer.memory["velocity"], optimizer.state_dict):
            with pytest.raises(GraphError, match="load_state_dict"):
                use()
        w.data = before
        if by_slot:
            optimizer.memory["velocity"] = state["velocity"]
        else:
            optimizer.load_state_dict(state)
        step(1.0)
        assert w.data == after

    try:
        assert in_child(child) == 0
    finally:
        go_on.set()
        thread.join()


def test_native_code_may_be_freed_while_a_turn_is_made_and_another_thread_forks(in_child, monkeypatch):
    """The cyclic collector may free an old step wherever Python runs, which takes the locks of LLVM."""
    inside, forking, found = threading.Event(), threading.Event(), []

    class Slow(exclusive.Turn):
        def __init__(self):
            super().__init__()
            inside.set()
            forking.wait(0.3)  # by then the other thread is in fork(); there is no event to wait for
            for lock in (uninterrupted._lock, llvm._of_llvmlite):
                found.append(lock.acquire(timeout=10))
                lock.release()

    monkeypatch.setattr(exclusive, "Turn", Slow)
    thread = threading.Thread(target=exclusive.turn_of, args=(SGD([Value(1.0)], 0.1),))
    thread.start()
    inside.wait(20)
    assert in_child(lambda: None) == 0
    thread.join(30)
    assert found == [True, True]


def test_a_child_forked_between_steps_goes_on(in_child):
    w = Value(1.0)
    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=0.1, momentum=0.5))
    step.run([(1.0,)] * 2)

    def child():
        step.run([(1.0,)] * 2)
        os.write(writer, repr(w.data).encode())

    reader, writer = os.pipe()
    assert in_child(child) == 0
    step.run([(1.0,)] * 2)
    assert os.read(reader, 100).decode() == repr(w.data)


def test_a_step_can_be_forked_from_inside(in_child, in_threads):
    """By its own schedule, in its own thread: both processes end it."""
    w, found = Value(1.0), []

    def schedule(_):
        if not found:
            found.append(True)
            found.append(in_child(lambda: None))
        return 0.1

    step = compile_step(lambda x: (w * x) ** 2, SGD([w], lr=schedule))
    step(1.0)
    assert found == [True, 0]
    in_threads([lambda: step(1.0)])
    assert w.data == pytest.approx(0.64)
