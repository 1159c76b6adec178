"""The exercises are solved."""

import math
import re

import pytest

import chainrule
from chainrule.check.report import KINK


def test_exp(example):
    slope, tenth, good, bad = example("exercise_1").main()
    assert slope == tenth == chainrule.exp(2.0) == math.exp(2.0)
    assert good.ok
    assert [culprit.op.name for culprit in bad.culprits] == ["hasty_exp"]
    (wrong,) = bad.first  # of hasty_exp(x)·x: x·eˣ⁻¹·x + eˣ in place of eˣ·x + eˣ
    assert wrong.analytical == pytest.approx(4 * math.exp(1.0) + math.exp(2.0))


def test_relu(example):
    exercise = example("exercise_2")
    slopes, sides, reports = exercise.main()
    assert slopes == [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (1.0, 1.0)]
    lefts, rights = zip(*sides, strict=True)
    assert lefts == pytest.approx([0.0, 0.0, 0.0, 1.0, 1.0], abs=1e-3)
    assert rights == pytest.approx([0.0, 0.0, 1.0, 1.0, 1.0], abs=1e-3)
    assert math.isnan(exercise.my_relu(math.nan))
    assert all(report.ok for report in reports.values())
    assert [bool(reports[x].having(KINK)) for x in (-2.0, 0.0, 3.0)] == [False, True, False]


def test_accumulation(example):
    parts, once, twice = example("exercise_3").main()
    assert parts == [3.0, 3.0]
    assert (once, twice) == (6.0, 12.0)


def test_print_graph(example, capsys):
    own, lines, slope = example("exercise_4").main()
    assert own[0] == "[*] mul: data 24.0000, grad 1.0000"
    assert sum("(above)" in line for line in own) == 2
    assert lines == 1 + 2 * 20
    assert slope == 2.0**20
    drawn = capsys.readouterr().out.partition("By chainrule.draw")[2]
    assert sum(" ab" in line for line in drawn.splitlines()) == 2  # chainrule, too, mentions a shared node only
    assert sum("-10.0000" in line for line in drawn.splitlines()) == 1


def test_xor(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    history, solved, patient = example("exercise_5").main(seeds=2, epochs=120, sizes=[0, 1, 4], picture="curve.png")
    assert solved == {0: 0, 1: 0, 4: 2}
    assert patient == 2
    assert history.loss[-1] < 0.1 * history.loss[0]
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    answers = re.findall(r"is of class (\d); the net gives it (\S+) for class 1", capsys.readouterr().out)
    assert [round(float(answer)) for _, answer in answers] == [int(target) for target, _ in answers] == [0, 1, 1, 0]


def test_xor_where_no_net_is_large_enough(example):
    exercise = example("exercise_5")
    assert exercise.conclude(exercise.experiment([0, 1], seeds=1, epochs=5), 1, 5) is None


def test_xor_nets_have_the_hidden_neurons_of_the_table(example):
    exercise = example("exercise_5")
    sizes = [len(exercise.train(hidden, seed=0, epochs=1)[0].parameters()) for hidden in (0, 1, 3)]
    assert sizes == [2 + 1, (2 + 1) + (1 + 1), 3 * (2 + 1) + (3 + 1)]
