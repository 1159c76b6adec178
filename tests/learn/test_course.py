"""Every exercise does what it says: a loop over the folders."""

from __future__ import annotations

import re

import pytest

from chainrule.learn.audit import audit
from chainrule.learn.examine import examine
from chainrule.learn.exercise import course

EXERCISES = course()
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])


@each_exercise
def test_right_passes_wrong_is_diagnosed_and_each_probe_is_needed(exercise):
    assert [str(fault) for fault in audit(exercise)] == []


@each_exercise
def test_the_starter_fails_with_a_word(exercise):
    result = examine(exercise, exercise.starter)
    assert not result.right
    assert result.found


@each_exercise
def test_what_was_right_before_goes_on_to_the_next(exercise):
    """A file grows: the starter of an exercise is at most what solved an earlier one of the same file."""
    earlier = [other for other in EXERCISES if other.name < exercise.name and other.file == exercise.file]
    if earlier:
        result = examine(exercise, earlier[-1].solution.text)
        assert not result.right, "there would be nothing to do"
        assert result.found


def test_a_lesson_shows_the_terms_that_it_introduces_in_bold():
    for exercise in EXERCISES:
        bold = " ".join(re.findall(r"\*\*([^*]+)\*\*", " ".join(exercise.lesson.split()))).lower()
        assert [term for term in exercise.terms if term.lower() not in bold] == [], exercise.name


def test_a_term_is_introduced_once():
    terms = [term for exercise in EXERCISES for term in exercise.terms]
    assert len(terms) == len(set(terms))


def test_a_solution_of_an_engine_solves_the_earlier_exercises_too():
    engines = [exercise for exercise in EXERCISES if exercise.file == "engine.py"]
    for later in engines:
        for earlier in engines:
            if earlier.name < later.name:
                result = examine(earlier, later.solution.text)
                assert result.right, (earlier.name, later.name, result.probe, result.found)
