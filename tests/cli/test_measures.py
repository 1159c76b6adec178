"""What predictions are measured by."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("rich")
pytest.importorskip("cyclopts")

from chainrule.cli.measures import auc, compare, r2
from chainrule.data.tables import Encoder, Table, Task


@pytest.mark.parametrize("target", [*map(float, range(1, 60)), 0.1, 1e300])
def test_targets_that_are_all_equal_have_no_variance_to_be_explained(target):
    assert all(math.isnan(r2([target + 0.5] * n, [target] * n)) for n in range(1, 40))
    assert math.isnan(r2([], []))


@pytest.mark.parametrize("seed", range(20))
def test_auc_is_the_share_of_pairs_in_the_right_order(seed):
    rng = random.Random(seed)
    scores = [rng.choice([rng.random(), 0.5]) for _ in range(30)]
    positive = [rng.random() < 0.3 for _ in scores]
    rows = list(zip(scores, positive, strict=True))
    pairs = [(a, b) for a, x in rows for b, y in rows if x and not y]
    share = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs) if pairs else math.nan
    assert auc(scores, positive) == pytest.approx(share, nan_ok=True)


def measured(classes, scores):
    """The measures of the scores for rows of some classes."""
    table = Table("t.csv", ("x", "y"), tuple(("1", name) for name in classes), tuple(range(len(classes))), True)
    return compare(Encoder.fit(table, Task.from_table(table)), table, scores).numbers


def test_measures_of_classes_are_those_of_their_definitions():
    numbers = measured("aaab", [[2.0, 1.0], [3.0, 1.0], [0.0, 1.0], [0.0, 3.0]])
    precision, recall = {"a": 2 / 2, "b": 1 / 2}, {"a": 2 / 3, "b": 1 / 1}
    f1 = {name: 2 * precision[name] * recall[name] / (precision[name] + recall[name]) for name in "ab"}
    assert numbers["accuracy"] == 3 / 4
    assert numbers["balanced_accuracy"] == pytest.approx(sum(recall.values()) / 2)
    assert numbers["f1"] == pytest.approx(sum(f1.values()) / 2)
    assert numbers["auc"] == 1.0
    single = measured("aaab", [-1.0, -2.0, 1.0, 3.0])
    assert single == numbers


def test_the_auc_of_three_classes_is_the_mean_of_each_against_the_others():
    scores = [[9.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0]]
    # of a: its second row (0.21) is above b's row (0.007) and c's; of b: above all others; of c: above all others
    assert measured("aabc", scores)["auc"] == pytest.approx((1.0 + 1.0 + 1.0) / 3)
    scores[1] = [-9.0, 9.0, 0.0]
    # of a: one row above, one below both others; of b: its row below a's second one; of c: above all
    assert measured("aabc", scores)["auc"] == pytest.approx((2 / 4 + 2 / 3 + 1.0) / 3)


def test_what_is_not_defined_is_left_out():
    table = Table("t.csv", ("x", "y"), tuple(("1", name) for name in "aab"), (1, 2, 3), True)
    encoder = Encoder.fit(table, Task.from_table(table))
    numbers = compare(encoder, table, [[1.0, 0.0], [1.0, 0.0]], rows=[0, 1]).numbers
    assert numbers == {"accuracy": 1.0, "balanced_accuracy": 1.0, "f1": 1.0, "rows": 2}
