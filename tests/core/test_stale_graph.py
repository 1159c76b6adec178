"""A graph made once, outside of the loop: what is warned about, once and with its own line, and what never is.

As in test_stale.py each loop stands in a function of its own, and the line that must be named ends in `# warned`.
"""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from array import array

import pytest

from chainrule import Value, draw, nn, no_grad, operation, ops, optim
from chainrule.compiler.calling import leaves
from chainrule.errors import StaleGradientWarning
from chainrule.losses import mean_squared_error

XS, YS = [[2.0, 3.0], [3.0, -1.0]], [1.0, -1.0]
STEPS, RATE = 4, 0.01


def model():
    return nn.MLP(2, [3, 1], activation="tanh", seed=0)


# ---- graphs that follow numbers which are gone ---------------------------------------------------------------------


def a_loss_before_the_loop():
    w = Value(5.0, label="w")
    loss = (w - 1) ** 2
    for _ in range(STEPS):
        w.grad = 0.0
        loss.backward()  # warned
        w.data -= 0.1 * w.grad


def zeroed_through_the_loss():
    w = Value(5.0)
    loss = (w - 1) ** 2
    for _ in range(STEPS):
        loss.zero_grad()
        loss.backward()  # warned
        w.data -= 0.1 * w.grad


def a_model_and_an_optimizer():
    net = model()
    optimizer = optim.SGD(net.parameters(), lr=RATE)
    loss = mean_squared_error([net(x) for x in XS], YS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss.backward()  # warned
        optimizer.step()


def predictions_before_the_loop():
    net = model()
    predictions = [net(x) for x in XS]
    for _ in range(STEPS):
        loss = mean_squared_error(predictions, YS)
        net.zero_grad()
        loss.backward()  # warned
        for p in net.parameters():
            p.data -= RATE * p.grad


def a_penalty_before_the_loop():
    w = Value(5.0)
    penalty = 0.1 * w**2
    for _ in range(STEPS):
        w.grad = 0.0
        ((w - 1) ** 2 + penalty).backward()  # warned
        w.data -= 0.1 * w.grad


def two_losses_in_turn():
    w = Value(5.0)
    first, second = (w - 1) ** 2, (w + 1) ** 2
    for _ in range(STEPS):
        w.grad = 0.0
        first.backward()  # warned
        w.data -= 0.1 * w.grad
        w.grad = 0.0
        second.backward()  # warned
        w.data -= 0.1 * w.grad


def refreshed_once_but_not_in_the_loop():
    w = Value(5.0)
    loss = ((w - 1) ** 2).refresh()
    for _ in range(STEPS):
        w.grad = 0.0
        loss.backward()  # warned
        w.data -= 0.1 * w.grad


def an_input_that_changes():
    w, x = Value(0.1), Value(0.0)
    loss = (w * x - 1.0) ** 2
    for row in XS:
        x.data = row[0]
        w.grad = 0.0
        loss.backward()  # warned


def only_the_slope_is_another():
    w = Value(3.0)
    loss = w**2
    loss.backward()
    w.data = -3.0
    loss.backward()  # warned


def numbers_written_all_at_once():
    w = Value(3.0)
    loss = w**2
    loss.backward()
    leaves.write_data([w], array("d", [4.0]), array("d", [3.0]))
    loss.backward()  # warned


def a_copy_of_a_graph():
    w = Value(3.0)
    loss = w**2
    loss.backward()
    loss = copy.copy(loss)
    w.data = 4.0
    loss.backward()  # warned


def a_root_that_lies_where_another_lay():
    w = Value(5.0)
    part = w * w
    part.backward()
    w.data = 4.0
    other = w + w
    other.backward()
    del other
    loss = part + part  # whose id is that of the loss before
    loss.backward()  # warned


def looked_at_between():
    w = Value(5.0)
    loss = (w - 1) ** 2
    loss.backward()
    w.data = 4.0
    draw(loss)
    loss.zero_grad()
    loss.backward()  # warned


def a_part_of_it_passed_between():
    w, v = Value(5.0), Value(1.0)
    part = w * w
    loss = part + v
    loss.backward()
    w.data = 4.0
    (v * v).backward()
    loss.backward()  # warned


def a_pickled_graph_of_earlier_numbers():
    w = Value(5.0)
    loss = (w - 1) ** 2
    loss.backward()
    w.data = 4.0
    loss = pickle.loads(pickle.dumps(loss))
    loss.backward()  # warned


STALE = [
    a_root_that_lies_where_another_lay,
    looked_at_between,
    a_part_of_it_passed_between,
    a_pickled_graph_of_earlier_numbers,
    a_loss_before_the_loop,
    zeroed_through_the_loss,
    a_model_and_an_optimizer,
    predictions_before_the_loop,
    a_penalty_before_the_loop,
    two_losses_in_turn,
    refreshed_once_but_not_in_the_loop,
    an_input_that_changes,
    only_the_slope_is_another,
    numbers_written_all_at_once,
    a_copy_of_a_graph,
]


# ---- graphs that are right -----------------------------------------------------------------------------------------


def a_loss_in_the_loop():
    w = Value(5.0)
    for _ in range(STEPS):
        loss = (w - 1) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.1 * w.grad


def a_loss_that_is_refreshed():
    w, x = Value(0.1), Value(0.0)
    loss = (w * x - 1.0) ** 2
    for row in XS * 2:
        x.data = row[0]
        w.grad = 0.0
        loss.refresh()
        loss.backward()
        w.data -= RATE * w.grad


def a_part_that_is_refreshed_with_the_whole():
    w = Value(5.0)
    part = (w - 1) ** 2
    whole = part * 2
    for _ in range(STEPS):
        w.grad = 0.0
        whole.refresh().backward()
        part.backward()
        w.data -= RATE


def a_first_backward_after_a_write():
    w = Value(5.0)
    loss = (w - 1) ** 2
    w.data = 3.0
    loss.backward()
    assert w.grad == 8.0


def twice_without_a_write():
    w = Value(5.0)
    w.data = 4.0
    loss = (w - 1) ** 2
    other = w * w
    for _ in range(STEPS):
        loss.backward()
        other.backward()


def a_write_elsewhere():
    w, v = Value(5.0), Value(1.0)
    loss = (w - 1) ** 2
    for _ in range(STEPS):
        loss.backward()
        v.data += 1.0
        (w * v).backward()


def nudged_and_put_back():
    x = Value(3.0)
    y = x * x
    y.backward()
    for h in (0.1, 0.01):
        x.data += h
        assert (x * x).data > y.data
        x.data = 3.0
    y.backward()
    assert x.grad == 12.0


def the_same_number_written_again():
    x = Value(float("nan"))
    y = x * x
    for _ in range(STEPS):
        y.backward()
        x.data = float("nan")


def several_losses_of_one_forward_pass():
    net = model()
    for _ in range(STEPS):
        net.zero_grad()
        for prediction, y in zip([net(x) for x in XS], YS, strict=True):
            ((prediction - y) ** 2).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad


def inputs_prepared_before_the_loop():
    w = Value(0.1)
    inputs = [Value(x) * 0.5 for x, _ in XS]
    for _ in range(STEPS):
        w.grad = 0.0
        ops.sum([(w * x - 1.0) ** 2 for x in inputs]).backward()
        w.data -= RATE * w.grad


def a_number_that_is_not_recorded():
    w = Value(5.0)
    with no_grad():
        scale = w * 2
    for _ in range(STEPS):
        w.grad = 0.0
        (w * scale).backward()
        w.data -= RATE * w.grad


def a_pickled_graph_goes_on():
    w = Value(5.0)
    loss = (w - 1) ** 2
    loss.backward()
    w.data = 4.0
    again = pickle.loads(pickle.dumps(loss.refresh()))
    again.backward()


def a_copy_with_a_slope_of_negative_zero():
    w = Value(2.0)
    loss = w * Value(-0.0)
    loss.backward()
    loss = copy.copy(loss)
    w.data = 3.0
    w.data = 2.0
    (loss * 1.0).backward()
    (loss * 2.0).backward()


RIGHT = [
    a_copy_with_a_slope_of_negative_zero,
    a_loss_in_the_loop,
    a_loss_that_is_refreshed,
    a_part_that_is_refreshed_with_the_whole,
    a_first_backward_after_a_write,
    twice_without_a_write,
    a_write_elsewhere,
    nudged_and_put_back,
    the_same_number_written_again,
    several_losses_of_one_forward_pass,
    inputs_prepared_before_the_loop,
    a_number_that_is_not_recorded,
    a_pickled_graph_goes_on,
]


@pytest.mark.parametrize("loop", STALE)
def test_a_graph_of_numbers_that_are_gone_is_warned_about_once_a_line(loop, warned_lines, marked_lines):
    marked = marked_lines(loop)
    assert marked
    assert sorted(warned_lines(loop)) == marked
    assert warned_lines(loop) == [], "a place is named once, however often it runs"


@pytest.mark.parametrize("loop", RIGHT)
def test_a_graph_that_is_right_is_never_warned_about(loop, warned_lines, marked_lines):
    assert not marked_lines(loop)
    assert warned_lines(loop) == []


def test_every_loop_of_this_file_is_run(loops_of):
    assert loops_of(model) == {*STALE, *RIGHT}


def test_the_warning_names_the_leaf_and_the_remedy():
    w, x = Value(5.0, label="w"), Value(2.0)

    def run():
        loss = w * x
        loss.backward()
        w.data = 4.0
        loss.backward()

    with pytest.warns(StaleGradientWarning) as caught:
        run()
    message = str(caught[0].message)
    assert f"line {run.__code__.co_firstlineno + 4} of {__file__}" in message
    assert "older than the data of w:" in message
    assert "inside the loop, or call refresh()" in message


def test_a_leaf_without_a_label_is_named_by_its_place():
    a, b = Value(5.0), Value(2.0)
    loss = a * b
    loss.backward()
    b.data = 3.0
    with pytest.warns(StaleGradientWarning, match=r"the data of operand 2 of mul\(5.0, 3.0\)"):
        loss.backward()


def test_as_an_error_it_leaves_the_gradients_of_leaves_alone():
    w = Value(5.0)
    loss = (w - 1) ** 2
    loss.backward()
    w.data = 4.0
    with pytest.raises(StaleGradientWarning):  # as in every test here, warnings are errors
        loss.backward()
    assert w.grad == 8.0


def test_an_operation_that_refuses_the_new_number_counts_as_another_number(own_operations, warned_lines, marked_lines):
    @operation(local=lambda x, y: 1.0)
    def positive(x):
        if x <= 0:
            raise ValueError("not positive")
        return x

    w = Value(1.0)
    loss = positive(w)

    def run():
        loss.backward()
        w.data = -1.0
        loss.backward()  # warned

    assert warned_lines(run) == marked_lines(run)


def test_nothing_is_calculated_again_of_a_graph_that_was_made_since_the_last_write(own_operations):
    called = []

    @operation(local=lambda x, y: 2 * x)
    def counted(x):
        called.append(x)
        return x * x

    w, v = Value(1.0), Value(1.0)
    for _ in range(STEPS):
        w.data -= RATE
        v.data -= RATE
        part = counted(w)
        made = len(called)
        for loss in (part + v, part * v, part * 2.0):
            loss.backward()
        assert len(called) == made


def test_what_is_calculated_again_and_warned_about_may_wait_for_another_backward(own_operations, monkeypatch):
    done = []

    def elsewhere(*_, **__):
        v = Value(3.0)
        thread = threading.Thread(target=(v * v).backward, daemon=True)
        thread.start()
        thread.join(60)
        done.append(v.grad == 6.0)

    @operation(local=lambda x, y: 2 * x)
    def waits(x):
        elsewhere()
        return x * x

    w = Value(1.0)
    loss = waits(w)
    loss.backward()
    w.data = 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", elsewhere)
        loss.backward()
    assert done == [True] * 3
    assert w.grad == 4.0


def test_pictures_mark_the_leaves_that_were_written():
    w, x = Value(5.0, label="w"), Value(2.0, label="x")
    loss = (w * x - 1) ** 2
    loss.backward()
    assert "written since" not in str(draw(loss)) + draw(loss).svg
    w.data = 4.0
    picture = draw(loss)
    assert "w, written since" in str(picture)
    assert "x, written since" not in str(picture)
    assert "written since: the results are of an earlier number" in picture.svg
    assert "written since" in picture.dot
    assert "written since" not in str(draw(loss.refresh()))


def test_folded_and_expanded_pictures_mark_them_too():
    net = nn.MLP(4, [8, 8, 1], seed=0)
    loss = mean_squared_error([net([1.0, 2.0, 3.0, float(i)]) for i in range(9)], [0.0] * 9)
    loss.backward()
    assert "written since" not in str(draw(loss))
    net.parameters()[3].data += 1.0
    assert "written since" in str(draw(loss, fold=True))
    neuron = ops.weighted_sum([w := Value(1.0, "w"), Value(2.0)], [3.0, 4.0], 0.0)
    w.data = 5.0
    assert "w, written since" in str(draw(neuron, expand=True))
