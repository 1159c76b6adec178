"""The page's data sets are those of `chainrule.data`, point by point."""

from __future__ import annotations

import pytest

from chainrule.data.toy import TOY_SETS, split_indices, toy_set


@pytest.mark.parametrize("name", TOY_SETS)
@pytest.mark.parametrize(("n", "noise", "seed"), [(40, 0.1, 0), (41, 0.0, 7), (200, 0.3, 123_456)])
def test_points_are_those_of_python(in_playground, name, n, noise, seed):
    found = in_playground(
        "return toySet(given.name, given.n, given.noise, given.seed)",
        {"name": name, "n": n, "noise": noise, "seed": seed},
    )
    size = {"repeat": n // 4} if name == "xor" else {"n": n}
    X, y = toy_set(name, noise=noise, seed=seed, **size)
    assert found["labels"] == y
    assert [x for point in found["points"] for x in point] == pytest.approx([x for row in X for x in row], abs=1e-14)


@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.9])
def test_rows_are_held_out_as_in_python(in_playground, share, by_class):
    labels = toy_set("moons", n=37, noise=0.1, seed=3)[1]
    found = in_playground(
        "return splitRows(given.labels, given.share, 5, given.by)", {"labels": labels, "share": share, "by": by_class}
    )
    assert [found["train"], found["held"]] == list(split_indices(labels, share, seed=5, stratify=by_class))


def test_nothing_is_held_out_where_nothing_is_asked_for(in_playground):
    assert in_playground("return splitRows([0, 1, 1], 0, 5, true)") == {"train": [0, 1, 2], "held": []}
