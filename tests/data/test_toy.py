"""Toy sets: their shapes, seeds and refusals; the split into training and held-out rows."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import data
from chainrule.errors import ArgumentError, SizeError

NOISY = {name: maker for name, maker in data.TOY_SETS.items() if name != "xor"}


def by_class(points, labels, wanted):
    return sorted(tuple(point) for point, label in zip(points, labels, strict=True) if label == wanted)


def test_xor_is_the_truth_table():
    points, labels = data.xor()
    assert [int(x1) ^ int(x2) for x1, x2 in points] == labels
    assert sorted(map(tuple, points)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_xor_repeats_and_jitters():
    points, labels = data.xor(repeat=50, noise=0.05, seed=3)
    assert labels == [0, 1, 1, 0] * 50
    assert len({tuple(point) for point in points}) == 200
    assert all(min(abs(x), abs(x - 1)) < 0.3 for point in points for x in point)


@pytest.mark.parametrize("maker", NOISY.values(), ids=NOISY)
def test_same_seed_same_numbers_other_seed_others(maker):
    assert maker(n=40, seed=7) == maker(n=40, seed=7)
    assert maker(n=40, seed=7) != maker(n=40, seed=8)


@pytest.mark.parametrize("maker", data.TOY_SETS.values(), ids=data.TOY_SETS)
def test_global_generator_is_left_alone(maker):
    random.seed(5)
    before = random.getstate()
    maker(noise=0.2)
    assert random.getstate() == before


@pytest.mark.parametrize("maker", NOISY.values(), ids=NOISY)
@given(n=st.integers(2, 60))
def test_points_are_floats_and_classes_balanced(maker, n):
    points, labels = maker(n=n)
    assert len(points) == len(labels) == n
    assert all(type(x) is float for point in points for x in point)
    counts = Counter(labels)
    assert set(counts) == {0, 1}
    assert abs(counts[0] - counts[1]) <= 1


@pytest.mark.parametrize("maker", NOISY.values(), ids=NOISY)
def test_points_are_shuffled(maker):
    _, labels = maker(n=100)
    assert labels not in (sorted(labels), sorted(labels, reverse=True))


def test_moons_are_half_circles():
    points, labels = data.moons(n=101, noise=0.0)
    for (x1, x2), label in zip(points, labels, strict=True):
        centre, side = ((0.0, 0.0), 1) if label == 0 else ((1.0, 0.5), -1)
        assert math.dist((x1, x2), centre) == pytest.approx(1.0)
        assert side * (x2 - centre[1]) >= -1e-12


def test_noise_is_the_standard_deviation():
    points, labels = data.circles(n=4000, noise=0.1, factor=0.0)
    inner = by_class(points, labels, 1)  # all at the origin but for the noise
    spread = math.sqrt(sum(x * x for point in inner for x in point) / (2 * len(inner)))
    assert spread == pytest.approx(0.1, rel=0.05)


def test_spiral_arms_are_one_curve_turned():
    points, labels = data.spiral(n=90, noise=0.0, classes=3)
    assert all(0 < math.hypot(*point) <= 1 + 1e-12 for point in points)
    first = by_class(points, labels, 0)
    for label in (1, 2):
        turn = complex(math.cos(2 * math.pi * label / 3), math.sin(2 * math.pi * label / 3))
        turned = sorted((complex(*point) * turn for point in first), key=abs)
        arm = sorted((complex(*point) for point in by_class(points, labels, label)), key=abs)
        assert turned == pytest.approx(arm)
    ends = [point for point in points if math.isclose(math.hypot(*point), 1.0)]
    assert sorted(math.atan2(x2, x1) % (2 * math.pi) for x1, x2 in ends) == pytest.approx(
        sorted((4 + 2 * math.pi * label / 3) % (2 * math.pi) for label in range(3))
    )


@pytest.mark.parametrize(("name", "options"), [("moons", {}), ("circles", {"factor": 0.3})])
@pytest.mark.parametrize("n", [2, 3, 100, 101])
def test_shapes_are_those_of_scikit_learn(name, options, n):
    sets = pytest.importorskip("sklearn.datasets")
    theirs, their_labels = getattr(sets, f"make_{name}")(n_samples=n, shuffle=False, noise=None, **options)
    points, labels = data.toy_set(name, n=n, noise=0.0, **options)
    for label in (0, 1):
        expected = theirs[their_labels == label].tolist()
        actual = by_class(points, labels, label)
        assert len(actual) == len(expected)
        for point in expected:
            assert min(math.dist(point, other) for other in actual) < 1e-12


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("moons", {"n": 1}, "n must be at least 2, not 1"),
        ("moons", {"n": 10.0}, "n must be a whole number, not 10.0"),
        ("moons", {"n": True}, "n must be a whole number, not True"),
        ("moons", {"noise": -0.1}, "noise .* cannot be negative, not -0.1"),
        ("circles", {"noise": math.nan}, "noise must be a finite number, not nan"),
        ("circles", {"noise": "a lot"}, "noise must be a finite number, not 'a lot'"),
        ("circles", {"factor": 1.0}, r"factor .* below 1, not 1\.0"),
        ("circles", {"n": 0}, "n must be at least 2, not 0"),
        ("spiral", {"n": 4, "classes": 5}, "n must be at least 5, not 4"),
        ("spiral", {"classes": 1}, "classes must be at least 2, not 1"),
        ("xor", {"repeat": 0}, "repeat must be at least 1, not 0"),
        ("xor", {"noise": -1}, "noise .* cannot be negative, not -1"),
        ("moons", {"seed": None}, "seed must be a whole number, not None"),
        ("moons", {"samples": 3}, "moons has no option 'samples'; it takes n, noise, seed"),
        ("spiral", {"class": 3}, "Did you mean 'classes'"),
        ("spirals", {}, "no toy set 'spirals'; there are xor, moons, circles, spiral. Did you mean 'spiral'"),
    ],
)
def test_bad_arguments_are_named(name, options, words):
    with pytest.raises(ArgumentError, match=words):
        data.toy_set(name, **options)


@given(labels=st.lists(st.integers(0, 3), min_size=2, max_size=80), fraction=st.floats(0.01, 0.99), seed=st.integers())
def test_stratified_split_has_each_class_on_both_sides(labels, fraction, seed):
    counts = Counter(labels)
    if max(counts.values()) == 1:
        with pytest.raises(ArgumentError, match="every class has one row only"):
            data.split_indices(labels, fraction, seed=seed)
        return
    train, held = data.split_indices(labels, fraction, seed=seed)
    assert sorted(train + held) == list(range(len(labels)))
    train_counts, held_counts = Counter(labels[i] for i in train), Counter(labels[i] for i in held)
    for label, count in counts.items():
        assert train_counts[label] >= 1
        assert (held_counts[label] >= 1) == (count > 1)
        assert abs(held_counts[label] - fraction * count) <= 1


@given(targets=st.lists(st.floats(), min_size=2, max_size=50), fraction=st.floats(0.01, 0.99))
def test_split_of_quantities_is_plain(targets, fraction):
    train, held = data.split_indices(targets, fraction)
    assert sorted(train + held) == list(range(len(targets)))
    assert min(len(train), len(held)) >= 1
    assert abs(len(held) - fraction * len(targets)) <= 1


def test_split_keeps_rows_and_targets_together():
    points, labels = data.moons(n=50)
    known = {tuple(point): label for point, label in zip(points, labels, strict=True)}
    train_points, train_labels, held_points, held_labels = data.split(points, labels, 0.3, seed=4)
    for point, label in zip(train_points + held_points, train_labels + held_labels, strict=True):
        assert known[tuple(point)] == label
    assert data.split(points, labels, 0.3, seed=4)[2] == held_points
    assert data.split(points, labels, 0.3, seed=5)[2] != held_points


def test_numpy_labels_are_classes():
    numpy = pytest.importorskip("numpy")
    labels = list(numpy.array([0] * 18 + [1] * 2))
    for seed in range(20):
        _, held = data.split_indices(labels, 0.5, seed=seed)
        assert sum(index in (18, 19) for index in held) == 1


def test_stratify_can_be_forced():
    labels = ["rare"] * 2 + ["common"] * 98
    for seed in range(20):
        _, held = data.split_indices(labels, 0.5, seed=seed, stratify=True)
        assert sum(labels[i] == "rare" for i in held) == 1
    plain = [data.split_indices([0, 0] + [1] * 98, 0.5, seed=seed, stratify=False)[1] for seed in range(20)]
    assert {sum(i < 2 for i in held) for held in plain} == {0, 1, 2}


@pytest.mark.parametrize(
    ("labels", "fraction", "words"),
    [
        ([0, 1, 0], 0.0, "between 0 and 1, not 0.0"),
        ([0, 1, 0], 1, "between 0 and 1, not 1"),
        ([0, 1, 0], math.nan, "fraction must be a finite number, not nan"),
        ([0, 1, 0], "half", "fraction must be a finite number, not 'half'"),
        ([0], 0.5, "1 row cannot be split"),
        ([], 0.5, "0 rows cannot be split"),
        ([0, 1, 2], 0.5, "no row can be held out: every class has one row only"),
    ],
)
def test_impossible_splits_are_refused(labels, fraction, words):
    with pytest.raises(ArgumentError, match=words):
        data.split([[0.0]] * len(labels), labels, fraction)


def test_split_refuses_different_lengths():
    with pytest.raises(SizeError, match="X has 3 rows, but y has 2"):
        data.split([[0.0]] * 3, [0, 1])
