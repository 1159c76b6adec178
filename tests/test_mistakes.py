"""Each mistake of mistakes.py ends in the named error, whose words mend it."""

from __future__ import annotations

import pytest

from .mistakes import MISTAKES, names, program_of


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.what for mistake in MISTAKES])
def test_the_error_of_a_mistake_says_how_to_mend_it(mistake):
    pytest.importorskip("llvmlite") if "compile" in mistake.program else None
    code = compile(program_of(mistake), f"<{mistake.what}>", "exec")
    with pytest.raises(mistake.error) as caught:
        exec(code, names())
    said = str(caught.value)
    assert [words for words in mistake.words if words not in said] == [], said


def test_no_two_mistakes_are_the_same():
    assert len({mistake.what for mistake in MISTAKES}) == len({mistake.program for mistake in MISTAKES}) >= 60
