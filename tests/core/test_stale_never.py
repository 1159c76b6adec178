"""The forgotten zero_grad: the loops that are right, and are never warned about. Those that forget: test_stale.py."""

from __future__ import annotations

import pytest

from chainrule import Value, nn, optim, topological_order
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


def the_lectures_loop():
    net, inputs, targets, num_steps, learning_rate = model(), XS, YS, STEPS, RATE
    for _ in range(num_steps):
        # 1. Forward pass: compute predictions
        predictions = net(inputs)

        # 2. Compute loss: how wrong are we?
        loss = mean_squared_error(predictions, targets)

        # 3. Backward pass: who's responsible?
        loss.backward()

        # 4. Update: adjust parameters
        for p in net.parameters():
            p.data -= learning_rate * p.grad

        # 5. Zero gradients for next iteration
        net.zero_grad()


def the_lectures_loop_sample_by_sample():
    net = model()
    for _ in range(STEPS):
        predictions = [net(x) for x in XS]
        loss = sum((prediction - y) ** 2 for prediction, y in zip(predictions, YS, strict=True))
        loss.backward()
        for p in net.parameters():
            p.data += -RATE * p.grad
        for p in net.parameters():
            p.grad = 0.0


def the_mended_loop():
    net = model()
    for _ in range(STEPS):
        for p in net.parameters():
            p.grad = 0
        loss_of(net).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad


def zeroing_through_the_loss():
    x = Value(4.0)
    for _ in range(STEPS):
        loss = x * x
        loss.zero_grad()
        loss.backward()
        x.data -= RATE * x.grad


def an_optimizer_that_zeroes():
    net = model()
    optimizer = optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss_of(net).backward()
        optimizer.step()


def accumulation_over_four_batches():
    net = model()
    for _ in range(STEPS):
        net.zero_grad()
        for x, y in zip(XS, YS, strict=True):
            ((net(x) - y) ** 2).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad


def accumulation_watched_on_the_way():
    net = model()
    for _ in range(STEPS):
        for x, y in zip(XS, YS, strict=True):
            ((net(x) - y) ** 2).backward()
            assert max(abs(p.grad) for p in net.parameters()) > 0
        for p in net.parameters():
            p.data -= RATE * p.grad
        net.zero_grad()


def an_adversarial_pair_that_zeroes_before_use():
    net = model()
    for _ in range(STEPS):
        inputs = [Value(x) for x in XS[0]]
        (net(inputs) - YS[0]).backward()
        for x in inputs:
            x.data += 0.05 if x.grad > 0 else -0.05
        for leaf in [*net.parameters(), *inputs]:
            leaf.grad = 0
        ((net(inputs) - YS[0]) ** 2).backward()
        for p in net.parameters():
            p.data -= RATE * p.grad
        net.zero_grad()


def two_players_who_zero_before_use():
    left, right = Value(1.0), Value(2.0)
    for _ in range(STEPS):
        (left * right).backward()
        left.data -= RATE * left.grad
        left.grad = right.grad = 0
        (-(left * right)).backward()
        right.data -= RATE * right.grad
        left.grad = right.grad = 0


def clipping_with_zeroing():
    net = model()
    for _ in range(STEPS):
        net.zero_grad()
        loss_of(net).backward()
        for p in net.parameters():
            p.grad = clipped(p.grad)
        for p in net.parameters():
            p.data -= RATE * p.grad


def a_line_search():
    net = model()
    for _ in range(STEPS):
        net.zero_grad()
        loss = loss_of(net)
        loss.backward()
        start = [p.data for p in net.parameters()]
        rate = 1.0
        while rate > 1e-4:
            for p, at in zip(net.parameters(), start, strict=True):
                p.data = at - rate * p.grad
            if loss_of(net).data < loss.data:
                break
            rate /= 2


def nudging_by_hand():
    x = Value(3.0)
    y = x * x
    y.backward()
    slope = x.grad
    for h in (0.1, 0.01, 0.001):
        before = x.data
        x.data += h
        nudged = x * x
        assert abs((nudged.data - y.data) / h - slope) < 0.2
        x.data = before
    x.data += 0.001
    x.data += 0.001


def nudging_with_a_gradient_left_over():
    x = Value(3.0)
    for h in (0.1, 0.01, 0.001):
        x.data += h
        (x * x).backward()


def refresh_with_changing_inputs():
    w, x, target = Value(0.1), Value(0.0), Value(0.0)
    loss = (w * x - target) ** 2
    for _ in range(STEPS):
        for row, y in zip(XS, YS, strict=True):
            x.data, target.data = row[0], y
            loss.refresh().backward()
            w.data -= RATE * w.grad
            w.grad = 0


def refresh_with_changing_inputs_whose_gradients_were_looked_at():
    w, x = Value(0.1), Value(0.0)
    loss = (w * x - 1.0) ** 2
    for row in XS:
        x.data = row[0]
        loss.refresh().backward()
        w.data -= RATE * w.grad
        loss.zero_grad()
        assert x.grad == 0.0


def a_gradient_that_was_zero_anyway():
    w = Value(-1.0)
    for loss in (w.relu(), w * w):
        loss.backward()
        w.data -= RATE * w.grad


def looking_at_gradients_without_updating():
    x = Value(3.0)
    y = x**3
    for times in range(1, 5):
        y.backward()
        assert x.grad == 27.0 * times


def showing_a_graph_is_no_use_of_it():
    x = Value(4.0)
    for _ in range(STEPS):
        (x * x).backward()
        assert "grad" in repr(x)
        assert x.peek_grad() != 0
        x.data -= 0.1


RIGHT = [
    the_lectures_loop,
    the_lectures_loop_sample_by_sample,
    the_mended_loop,
    zeroing_through_the_loss,
    an_optimizer_that_zeroes,
    accumulation_over_four_batches,
    accumulation_watched_on_the_way,
    an_adversarial_pair_that_zeroes_before_use,
    two_players_who_zero_before_use,
    clipping_with_zeroing,
    a_line_search,
    nudging_by_hand,
    nudging_with_a_gradient_left_over,
    refresh_with_changing_inputs,
    refresh_with_changing_inputs_whose_gradients_were_looked_at,
    a_gradient_that_was_zero_anyway,
    looking_at_gradients_without_updating,
    showing_a_graph_is_no_use_of_it,
]


@pytest.mark.parametrize("loop", RIGHT)
def test_a_loop_that_is_right_is_never_warned_about(loop, warned_lines):
    assert warned_lines(loop) == []


def test_every_loop_of_this_file_is_run(loops_of):
    assert loops_of(model) == set(RIGHT)


def test_reading_and_writing_results_and_constants_is_not_watched():
    x = Value(2.0)
    y = 3 * x
    for _ in range(3):
        y.refresh().backward()
        for node in topological_order(y):
            assert node.grad is not None
        y.operands[0].data += 1.0
