"""Paths that Python took though their kernels said no."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.calling.doubts import Doubts
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.errors import TraceError


def test_exact_code_is_asked_once_a_path_is_doubted():
    doubts, path = Doubts("f", Fallbacks("f"), 2), SimpleNamespace(doubted=False)
    assert doubts.held(path, 3, lambda: np.array([True, False, True])).tolist() == [True, False, True]
    assert path.doubted


def test_the_first_sample_goes_on_even_if_exact_code_says_no_but_not_for_ever():
    doubts = Doubts("f", Fallbacks("f"), 2)
    path = SimpleNamespace(doubted=False)
    assert doubts.held(path, 2, lambda: np.array([False, True])).tolist() == [True, True]
    assert doubts.held(path, 2, None).tolist() == [True, False]
    with pytest.raises(TraceError, match="f was traced 2 times at numbers at which it had been traced before"):
        doubts.held(path, 2, None)


def test_a_path_is_not_doubted_where_exact_code_can_tell_no_more():
    path = SimpleNamespace(doubted=False)
    Doubts("f", Fallbacks("f"), 2).held(path, 1, None)
    assert not path.doubted
