"""What predictions are measured by."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("rich")
pytest.importorskip("cyclopts")

from chainrule.cli.measures import r2


@pytest.mark.parametrize("target", [*map(float, range(1, 60)), 0.1, 1e300])
def test_targets_that_are_all_equal_have_no_variance_to_be_explained(target):
    assert all(math.isnan(r2([target + 0.5] * n, [target] * n)) for n in range(1, 40))
    assert math.isnan(r2([], []))
