"""What the recorder keeps: each event, in the engine's own order and with the engine's own numbers."""

from __future__ import annotations

import random
import threading

import pytest

import chainrule
from chainrule import Value, nn, optim
from chainrule.errors import AnomalyError, ArgumentError
from chainrule.see.recording import replay
from chainrule.see.recording.events import (
    AddedBack,
    Aside,
    Asked,
    Began,
    Deposit,
    Ended,
    Made,
    Nothing,
    Refreshed,
    SetGrad,
    Wrote,
)


def of_kind(story, kind):
    return [event for event in story.events if isinstance(event, kind)]


def random_graph(rng, leaves):
    """A number that is made of others at random; each may be used several times."""
    values = list(leaves)
    for _ in range(rng.randint(1, 25)):
        a, b = rng.choice(values), rng.choice(values)
        values.append(rng.choice([
            lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - 0.5 * b, lambda a, b: a.tanh(),
            lambda a, b: a.relu() + b, lambda a, b: chainrule.sum([a, b, a]), lambda a, b: a.sin() / 2,
            lambda a, b: chainrule.select(a > b, a, b), lambda a, b: chainrule.logsumexp([a, b]),
        ])(a, b))  # fmt: skip
    return values[-1] + values[-2]


@pytest.mark.parametrize("seed", range(60))
def test_a_recording_is_proved_by_replay_and_has_the_gradients_of_the_engine(seed):
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-2, 2)) for _ in range(3)]
    leaves[0].grad = 0.25  # from before the recording
    with chainrule.recording(passes=10) as story:
        for _ in range(rng.randint(1, 3)):
            y = random_graph(rng, leaves)
            y.backward(rng.choice([1.0, -0.5]))
            if rng.random() < 0.5:
                leaves[1].data -= 0.1 * leaves[1].grad
                leaves[1].grad = 0.0
    assert replay(story) == []
    now = [node.grad or 0.0 for node in story.nodes]
    for event in story.events:
        match event:
            case Deposit(into=into, after=after):
                now[into] = after
            case AddedBack(node=node, after=after) | SetGrad(node=node, after=after):
                now[node] = after
            case Aside(node=node):
                now[node] = 0.0
    known = {i: x for i, node in enumerate(story.nodes) for x in leaves if node.place is None and node.data == x.data}
    assert [now[i] for i, x in known.items()] == [x.grad for x in known.values()]
    assert story.nodes[-1].data == y.data


def test_the_events_of_a_sum_with_itself():
    with chainrule.recording() as story:
        a = Value(3.0, label="a")
        b = a + a
        b.backward()
    assert [type(event) for event in story.events] == [Made, Made, Began, Deposit, Deposit, Ended]
    assert story.nodes[1].operands == (0, 0)
    assert [(x.position, x.before, x.after) for x in story.deposits()] == [(0, 0.0, 1.0), (1, 1.0, 2.0)]


def test_earlier_gradients_are_set_aside_and_added_back():
    with chainrule.recording() as story:
        a = Value(3.0)
        y = a * 2
        y.backward()
        y.backward()
    assert [x.before for x in of_kind(story, Aside)] == [2.0]
    assert [tuple(x) for x in of_kind(story, AddedBack)] == [(0, 2.0, 2.0, 4.0)]
    assert a.grad == 4.0


def test_backward_on_a_leaf():
    with chainrule.recording() as story:
        x = Value(2.0)
        x.backward()
        x.backward(3.0)
    assert [tuple(event) for event in of_kind(story, AddedBack)] == [(0, 1.0, 3.0, 4.0)]
    assert replay(story) == []


def test_why_nothing_is_deposited():
    with chainrule.recording() as story:
        x, w = Value(0.0), Value(5.0)
        y = (x * w + (w > 1) * w).relu() + chainrule.select(x > 1, w.sqrt(), x)
        y.backward()
    whys = {(story.name_of(event.giver), event.why) for event in of_kind(story, Nothing)}
    assert ("mul", "zero local") in whys  # x is 0, so w gets nothing by x * w
    assert ("gt", "no flow") in whys or ("gt", "zero upstream") in whys
    assert ("sqrt", "zero upstream") in whys
    assert replay(story) == []


def test_writes_and_what_python_asks_for():
    with chainrule.recording() as story:
        x = Value(2.0, label="x")
        if x > 1:
            y = x * x
        y.backward()
        x.data -= 0.5 * x.grad
        x.grad = 0
        y.zero_grad()
    asked = [(story.name_of(event.node), event.what, event.answer) for event in of_kind(story, Asked)]
    assert asked == [("gt", "truth", 1.0), ("x", "data", 2.0)]
    assert [(event.before, event.after) for event in of_kind(story, Wrote)] == [(2.0, 0.0)]
    assert [(event.node, event.before, event.after) for event in of_kind(story, SetGrad)][:1] == [(0, 4.0, 0.0)]
    line = of_kind(story, Wrote)[0].place.line
    assert "x.data -= 0.5 * x.grad" in story.sources[0].text.splitlines()[line - story.sources[0].first]


def test_what_an_optimiser_reads_is_no_question_of_the_program():
    model = nn.MLP(2, [2, 1], seed=0)
    step = optim.SGD(model.parameters(), lr=0.1)
    with chainrule.recording() as story:
        loss = model([1.0, 2.0]) ** 2
        step.zero_grad()
        loss.backward()
        step.step()
    assert of_kind(story, Asked) == []
    assert len(of_kind(story, Wrote)) == len(model.parameters())


def test_refresh_is_an_event_of_each_result():
    with chainrule.recording() as story:
        x = Value(2.0)
        y = x * x
        x.data = 3.0
        y.refresh()
        y.backward()
    assert [tuple(event) for event in of_kind(story, Refreshed)] == [(1, 9.0, (3.0, 3.0))]
    assert replay(story) == []


def test_one_step_by_hand():
    with chainrule.recording() as story:
        x = Value(2.0)
        y = x * x
        y.grad = 1.0
        y._backward()
    assert [(event.before, event.after) for event in story.deposits()] == [(0.0, 2.0), (2.0, 4.0)]
    assert of_kind(story, Began) == []
    assert replay(story) == []


def test_results_of_a_subclass_deposit_once():
    class Named(Value):
        pass

    with chainrule.recording() as story:
        x = Named(2.0)
        y = x * 3 + x
        y.backward()
        y._backward()
    assert [story.operations[node.op].name for node in story.nodes if node.op >= 0] == ["mul", "add"]
    assert len(story.deposits()) == 5
    assert replay(story) == []


def test_within_no_grad_results_are_leaves():
    x = Value(2.0)
    with chainrule.recording() as story, chainrule.no_grad():
        x * x
    assert [(node.op, node.data) for node in story.nodes] == [(-1, 4.0)]


def test_a_detached_number_is_a_leaf_of_its_own():
    with chainrule.recording() as story:
        x = Value(2.0)
        y = (x * x).detach() * x
        y.backward()
    assert [node.op for node in story.nodes] == [-1, 0, -1, 0]
    assert all(node.place is not None for node in story.nodes)


def test_a_pass_that_an_error_broke_off_says_so():
    x = Value(0.0)
    y = x.sqrt() * 1.0
    with chainrule.recording() as story:
        with chainrule.detect_anomaly(), pytest.raises(AnomalyError):
            y.backward()
        x * 2
    assert [event.whole for event in of_kind(story, Ended)] == [0]
    assert story.events[-1] == Made(len(story.nodes) - 1)


def test_an_exception_in_the_block_leaves_the_recording_and_no_mode():
    def fails():
        Value(1.0) + 1
        raise KeyError

    with pytest.raises(KeyError), chainrule.recording() as story:
        fails()
    assert len(story.nodes) == 3
    Value(1.0) + 1
    assert len(story.nodes) == 3


def test_another_thread_is_not_recorded():
    with chainrule.recording() as story:
        thread = threading.Thread(target=lambda: Value(1.0) * 2)
        thread.start()
        thread.join()
    assert story.nodes == []


def test_recordings_within_each_other_are_each_their_own():
    with chainrule.recording() as outer:
        Value(1.0)
        with chainrule.recording() as inner:
            Value(2.0)
    assert [node.data for node in inner.nodes] == [2.0]
    assert [node.data for node in outer.nodes] == [1.0]


# ---- limits ----------------------------------------------------------------------------------------------------------


def trained(steps, **limits):
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    with chainrule.recording(**limits) as story:
        for _ in range(steps):
            loss = (w * x - 1.0) ** 2
            w.grad = 0.0
            loss.backward()
            w.data -= 0.1 * w.grad
    return story, w


def test_the_last_passes_are_kept_and_what_was_dropped_is_counted():
    story, _ = trained(10)
    assert [event.number for event in of_kind(story, Began)] == [8, 9, 10]
    assert (story.dropped.passes, story.dropped.nodes, story.dropped.compiled_steps) == (7, 7 * 5, 0)
    assert "7 earlier backward passes" in str(story.dropped)
    assert "7 earlier backward passes" in repr(story)
    assert replay(story) == []


def test_what_is_kept_begins_with_the_numbers_of_that_moment():
    whole, _ = trained(10, passes=10)
    part, _ = trained(10)
    assert [event.after for event in whole.deposits()][-len(part.deposits()) :] == [x.after for x in part.deposits()]
    assert len(of_kind(whole, Began)) == 10
    assert replay(whole) == []


def test_a_graph_of_a_dropped_pass_that_is_used_later_stays_whole():
    a = Value(2.0)
    with chainrule.recording(passes=1) as story:
        square = a * a
        for _ in range(3):
            (square * 2).backward()
    assert replay(story) == []
    assert {story.name_of(i) for i, node in enumerate(story.nodes) if node.op >= 0} == {"mul", "square"}


def test_nodes_beyond_the_limit_are_counted_and_passes_over_them_left_out():
    with chainrule.recording(nodes=10) as story:
        x = Value(1.0)
        for _ in range(20):
            x = x * x
        x.backward()
        Value(2.0).backward()
    assert len(story.nodes) == 10
    assert story.dropped.nodes >= 11
    assert story.dropped.passes >= 1
    assert replay(story) == []


def test_memory_is_bounded_over_many_steps():
    with chainrule.recording(passes=2) as story:
        w = Value(1.0)
        for _ in range(2000):
            (w * 1.5).backward()
    assert len(story.nodes) <= 2 * 2 + 1
    assert story.dropped.passes == 1998


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"nodes": 0}, {"nodes": 2_000_000}, {"passes": 1.5}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))), chainrule.recording(**wrong):
        pass


def test_compiled_steps_are_named_as_not_recorded():
    pytest.importorskip("llvmlite")
    w = Value(1.0)
    step = chainrule.compile_step(lambda x: (w * x - 1.0) ** 2, optim.SGD([w], lr=0.1))
    with chainrule.recording() as story:
        step.run([(1.0,), (2.0,), (0.5,)])
        step(1.0)
    assert story.dropped.compiled_steps == 4
    assert "4 training steps ran in native code" in str(story.dropped)
    assert story.nodes == []
