"""Every lesson runs and says what is true."""

import inspect
import math

import pytest

from chainrule.errors import StaleGradientWarning


def test_nudging(example, capsys):
    errors, slopes, partial, (nudged, exact) = example("01").main()
    best = min(errors, key=errors.get)
    assert 1e-10 < best < 1e-5  # smaller is better only for a while
    assert errors[1e-1] == pytest.approx(0.3, rel=1e-6)
    assert slopes[-3.0] < 0 < slopes[3.0]
    assert partial == pytest.approx([-3.0, 2.0, 1.0], abs=1e-8)
    assert exact == 14.0 == pytest.approx(nudged, abs=1e-6)
    assert "the function falls" in capsys.readouterr().out


def test_the_graph(example, capsys):
    lines = example("02").main()
    assert lines[2] == "e = a * b = -6"
    assert lines[-1] == "L = d * f = -8"
    assert any_line(capsys.readouterr().out, "─ ", "d", "4.0000", "-2")  # in the tree, with its local derivative


def any_line(text, *parts):
    """Whether one line of a text holds all of these parts."""
    return any(all(part in line for part in parts) for line in text.splitlines())


def test_by_hand_by_machine_and_by_nudging(example):
    hand, machine, nudged, (before, after) = example("03").main()
    assert hand == machine
    assert {name: hand[name] for name in nudged} == pytest.approx(nudged, rel=1e-6)
    assert after > before == -8.0


def test_one_operation_at_a_time(example, capsys):
    gradients, first, second, report = example("04").main()
    assert gradients == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5})
    assert (first, second) == pytest.approx((-2 / 16, 2 / 64))
    assert report.ok
    assert "mul   d/da = b, d/db = a" in capsys.readouterr().out


def test_the_wrong_order_gives_a_wrong_gradient(example):
    exact, results, (wrong, right) = example("05").main()
    assert results["topological"] == exact == 44.0
    assert exact - results["depth_first"] == 3 * 2 * 2.0  # the share that came to y through 3y, times dy/dx = 2x
    assert right == 2 * 2.0 + 4 * 2.0**3  # z = x² + x⁴ + 1
    assert right - wrong == 2 * 4.0 * 2 * 2.0  # y went ahead without the share that y² was to bring


def test_the_neuron_written_out_and_as_one_node(example, capsys):
    value, gradients, same = example("06").main()
    assert value == pytest.approx(math.sqrt(0.5))
    assert gradients == same == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5})
    out = capsys.readouterr().out
    assert "do/dn4 = 1 - o*o = 1 - 0.707107*0.707107 = 0.5" in out
    drawn = out.partition("nn.Neuron")[2]
    assert any_line(drawn, "Σ + b", "0.8814", "0.5000")
    assert any_line(drawn, "x1", "2.0000", "-1.5000", "-3")
    assert "*" not in drawn  # the products are inside the sum


def test_the_net(example):
    lesson = example("07")
    model, sizes, ranked = lesson.main()
    assert sizes == [16, 20, 5]
    assert len(ranked) == len(model.parameters()) == 41
    gradients = [parameter.peek_grad() for _, parameter in ranked]
    assert list(map(abs, gradients)) == sorted(map(abs, gradients), reverse=True)
    for (name, parameter), gradient in zip(ranked, gradients, strict=True):
        assert gradient == pytest.approx(nudged(lambda: model(lesson.INPUT).data, parameter), abs=1e-8), name


def nudged(output, parameter, h=1e-6):
    """The derivative of an output in a parameter, from nudging it to both sides."""
    at = parameter.data
    around = []
    for parameter.data in (at + h, at - h):
        around.append(output())
    parameter.data = at
    return (around[0] - around[1]) / (2 * h)


def test_gradient_descent(example):
    lesson = example("08")
    runs = lesson.main(num_steps=50)
    final = {rate: losses[-1] for rate, (losses, _, _) in runs.items()}
    assert final[0.5] < final[0.05] < final[0.001] < runs[0.001][0][0]
    for rate in (0.05, 0.5):  # learned: every prediction has the sign of its target
        assert all(p * t > 0 for p, t in zip(runs[rate][1], lesson.TARGETS, strict=True))
    losses, predictions, steepest = runs[20.0]  # thrown to the flat end of tanh, as the lesson says
    assert losses[-1] > losses[0]
    assert predictions == pytest.approx([1.0] * 4, abs=1e-3)
    assert steepest < 1e-3 < runs[0.001][2]


def test_the_forgotten_zero_grad(example, capsys):
    lesson = example("09")
    right, wrong, summed, caught = lesson.main(num_steps=30)
    assert right[-1] < 1e-3 < wrong[-1]
    assert wrong[3] < right[3]  # faster, for a while
    assert summed == pytest.approx(right, rel=1e-9)
    assert len(caught) == 1
    assert caught[0].category is StaleGradientWarning
    assert "09_forgotten_zero_grad.py" in caught[0].filename
    source, first = inspect.getsourcelines(lesson.train)
    assert "p.data -= learning_rate * p.grad" in source[caught[0].lineno - first]  # and the line is the update's
    assert "model.zero_grad()            # this line is missing" in capsys.readouterr().out
    assert lesson.chart({"a": [4.0, 1.0], "b": [2.0, 0.0]}, 1, width=8) == "b a"
