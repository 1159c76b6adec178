"""`chainrule learn`: the course in the terminal."""

from __future__ import annotations

import pytest

from chainrule.learn.exercise import course

EXERCISES = course()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(tmp_path, exercise, text):
    (tmp_path / "my" / exercise.file).write_text(text, encoding="utf-8")


def test_who_types_the_solutions_gets_from_the_first_to_the_last(run, tmp_path):
    assert "chainrule learn next" in run("learn")[1]
    for exercise in EXERCISES:
        code, out, _ = run("learn", "next")
        assert code == 0
        assert exercise.requires[0][:30] in out
        assert run("learn", "check")[0] == 1, "the starter, or what solved the one before"
        write(tmp_path, exercise, exercise.solution.text)
        code, out, _ = run("learn", "check")
        assert code == 0, out
        assert "✓" in out
    assert f"{len(EXERCISES)} of {len(EXERCISES)} solved" in run("learn", "list")[1]
    assert "the last exercise" in run("learn", "next")[1]
    code, _, err = run("learn", "see")
    assert (code, err) == (0, "the page is in my-engine.html\n")
    assert "Your engine" in (tmp_path / "my-engine.html").read_text(encoding="utf-8")


def test_a_mistake_is_told_with_what_was_run(run, tmp_path):
    run("learn", "next")
    write(tmp_path, EXERCISES[0], "def derivative(f, x, h):\n    return f(x + h) - f(x)\n")
    code, out, _ = run("learn", "check")
    assert code == 1
    assert "Not yet" in out
    assert "10 - 2 * x" in out
    assert "divide by h" in out.replace("\n", " ")


def test_nobody_is_moved_on(run, tmp_path):
    run("learn", "next")
    code, _, err = run("learn", "next")
    assert code == 2
    assert "not solved yet" in err
    assert run("learn", "next", "--skip")[0] == 0
    write(tmp_path, EXERCISES[1], EXERCISES[1].solution.text)
    assert run("learn", "check", "02")[0] == 0
    assert "→ 02" in run("learn", "list")[1] or "✓ 02" in run("learn", "list")[1]


def test_hints_build_up(run):
    run("learn", "next")
    first, second = run("learn", "hint")[1], run("learn", "hint")[1]
    assert first.splitlines()[0] in second
    assert "2." not in first
    assert "that is the last one" in run("learn", "hint")[1]


def test_a_solution_is_shown_if_it_is_asked_for_twice(run):
    run("learn", "next")
    code, out, _ = run("learn", "solution")
    assert code == 1
    assert "def derivative" not in out
    assert "def derivative" in run("learn", "solution")[1]


def test_before_the_beginning_it_is_said_how_to_begin(run):
    for command in ("check", "hint", "solution", "reset", "watch"):
        code, _, err = run("learn", command)
        assert code == 2
        assert "chainrule learn next" in err
    code, _, err = run("learn", "see")
    assert code == 2
    assert "no my/engine.py yet" in err


def test_reset_says_where_the_old_file_is(run, tmp_path):
    run("learn", "next")
    write(tmp_path, EXERCISES[0], "mine")
    assert "my/nudging.py.1" in run("learn", "reset")[2]
    (tmp_path / "my" / "nudging.py").unlink()
    assert "is not there" in run("learn", "check")[2]


def test_an_exercise_is_found_by_a_part_of_its_name(run):
    run("learn", "next")
    assert "no exercise has 'zzz'" in run("learn", "check", "zzz")[2]
    assert "several exercises have 'nudging'" in run("learn", "hint", "nudging")[2]


def test_a_folder_is_tested_for_its_author(run, tmp_path):
    code, out, _ = run("learn", "test", str(EXERCISES[0].folder))
    assert code == 0
    assert "does what it says" in out
    assert run("learn", "test", str(tmp_path))[0] == 2


@pytest.mark.parametrize("text", ["x = 1\n", "class Value:\n    pass\n", "def\n", "raise ValueError(3)\n"])
def test_an_engine_that_cannot_calculate_yet_is_said_to(run, tmp_path, text):
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "engine.py").write_text(text)
    code, _, err = run("learn", "see")
    assert code == 2
    assert "engine.py" in err
