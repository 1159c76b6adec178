"""The exercises are solved."""

import math

import pytest


def test_exp(example):
    slope, report, tenth, built_in = example("exercise_1").main()
    assert slope == tenth == built_in == math.exp(2.0)
    assert report.ok


def test_relu(example):
    exercise = example("exercise_2")
    mine, built_in, reports = exercise.main()
    assert mine == built_in == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert math.isnan(exercise.my_relu(math.nan))
    assert all(report.ok for report in reports.values())


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
    assert "[*] ab" in capsys.readouterr().out


def test_xor(example, tmp_path):
    pytest.importorskip("matplotlib")
    solved, patient, history = example("exercise_5").main(seeds=2, epochs=120, sizes=[0, 1, 4], picture="curve.png")
    assert solved == {0: 0, 1: 0, 4: 2}
    assert patient == 2
    assert history.loss[-1] < 0.1 * history.loss[0]
    assert (tmp_path / "curve.png").stat().st_size > 10_000


def test_xor_where_no_net_is_large_enough(example):
    exercise = example("exercise_5")
    assert exercise.conclude(exercise.experiment([0, 1], seeds=1, epochs=5), 1, 5) is None
