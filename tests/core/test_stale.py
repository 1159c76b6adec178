"""The forgotten zero_grad: the loops that are warned about, once and with their own line.

Each loop stands in a function of its own; the line that must be named ends in `# warned`. The loops that must never
be warned about are in test_stale_never.py.
"""

from __future__ import annotations

import pytest

from chainrule import Value, nn, optim
from chainrule.errors import StaleGradientWarning
from chainrule.losses import mean_squared_error

XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]
STEPS = 4
RATE = 0.01


def model():
    return nn.MLP(3, [4, 1], activation="tanh", seed=0)


def loss_of(net):
    return mean_squared_error([net(x) for x in XS], YS)


def clipped(x):
    return max(-0.1, min(0.1, x))


# ---- loops that forget ---------------------------------------------------------------------------------------------


def by_hand():
    net = model()
    for _ in range(STEPS):
        loss_of(net).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad  # warned


def by_hand_with_plus_equals():
    net = model()
    for _ in range(STEPS):
        loss = loss_of(net)
        loss.backward()
        for p in net.parameters():
            p.data += -RATE * p.grad  # warned


def by_hand_in_two_statements():
    x = Value(4.0)
    for _ in range(STEPS):
        (x * x).backward()
        step = RATE * x.grad
        x.data = x.data - step  # warned


def with_an_optimizer():
    net = model()
    optimizer = optim.SGD(net.parameters(), lr=RATE)
    for _ in range(STEPS):
        loss_of(net).backward()
        optimizer.step()  # warned


def with_adam():
    net = model()
    optimizer = optim.Adam(net.parameters(), lr=RATE)
    for _ in range(STEPS):
        loss_of(net).backward()
        optimizer.step()  # warned


def clipping_without_zeroing():
    net = model()
    for _ in range(STEPS):
        loss_of(net).backward()
        for p in net.parameters():
            p.grad = clipped(p.grad)
        for p in net.parameters():
            p.data -= RATE * p.grad  # warned


def scaling_without_zeroing():
    x = Value(4.0)
    for _ in range(STEPS):
        (x * x).backward()
        x.grad *= 0.5
        x.data -= RATE * x.grad  # warned


def zeroing_another_model():
    net, other = model(), model()
    for _ in range(STEPS):
        other.zero_grad()
        loss_of(net).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad  # warned


def zeroing_once_before_the_loop():
    net = model()
    net.zero_grad()
    for _ in range(STEPS):
        loss_of(net).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad  # warned


def zeroing_between_backward_and_update_of_the_last_step_only():
    x = Value(4.0)
    for step in range(STEPS):
        (x * x).backward()
        x.data -= RATE * x.grad  # warned
        if step == STEPS - 1:
            x.grad = 0


def accumulating_batches_but_never_zeroing():
    net = model()
    for _ in range(STEPS):
        for x, y in zip(XS, YS, strict=True):
            ((net(x) - y) ** 2).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad  # warned


def one_graph_refreshed_without_zeroing():
    x = Value(4.0)
    loss = x * x
    for _ in range(STEPS):
        loss.refresh().backward()
        x.data -= RATE * x.grad  # warned


def two_groups_updated_on_two_lines():
    w, b = Value(1.0), Value(0.5)
    for _ in range(STEPS):
        ((w * 2 + b - 3) ** 2).backward()
        w.data -= RATE * w.grad  # warned
        b.data -= RATE * b.grad  # warned


def the_second_parameter_is_forgotten():
    w, b = Value(1.0), Value(0.5)
    for _ in range(STEPS):
        w.grad = 0
        ((w * 2 + b - 3) ** 2).backward()
        w.data -= RATE * w.grad
        b.data -= RATE * b.grad  # warned


FORGETFUL = [
    by_hand,
    by_hand_with_plus_equals,
    by_hand_in_two_statements,
    with_an_optimizer,
    with_adam,
    clipping_without_zeroing,
    scaling_without_zeroing,
    zeroing_another_model,
    zeroing_once_before_the_loop,
    zeroing_between_backward_and_update_of_the_last_step_only,
    accumulating_batches_but_never_zeroing,
    one_graph_refreshed_without_zeroing,
    two_groups_updated_on_two_lines,
    the_second_parameter_is_forgotten,
]


@pytest.mark.parametrize("loop", FORGETFUL)
def test_a_loop_that_forgets_is_warned_about_once_on_its_own_line(loop, warned_lines, marked_lines):
    marked = marked_lines(loop)
    assert marked
    assert warned_lines(loop) == marked
    assert warned_lines(loop) == [], "a place is named once, however often it runs"


def test_every_loop_of_this_file_is_run(loops_of):
    assert loops_of(model) == set(FORGETFUL)


def test_the_warning_shows_the_mended_loop():
    x = Value(4.0)

    def loop():
        for _ in range(3):
            (x * x).backward()
            x.data -= RATE * x.grad

    with pytest.warns(StaleGradientWarning) as caught:
        loop()
    message = str(caught[0].message)
    assert f"line {loop.__code__.co_firstlineno + 3} of {__file__}" in message
    assert message.index("model.zero_grad()") < message.index("loss.backward()")


def test_the_warning_can_be_made_an_error_at_the_line():
    x = Value(4.0)
    with pytest.raises(StaleGradientWarning):  # as in every test here, warnings are errors
        one_graph_without_its_filter(x)


def one_graph_without_its_filter(x):
    for _ in range(3):
        (x * x).backward()
        x.data -= RATE * x.grad


def test_the_numbers_are_not_changed_by_the_watch(warned_lines):
    x, y = Value(4.0), [4.0]

    def loop():
        total = 0.0
        for _ in range(5):
            (x * x).backward()
            x.data -= 0.25 * x.grad
            total += 2 * y[-1]
            y.append(y[-1] - 0.25 * total)
            assert (x.data, x.grad) == (y[-1], total)

    assert len(warned_lines(loop)) == 1
    assert len(y) == 6
