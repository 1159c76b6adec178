"""The page's random numbers are Python's, number by number."""

from __future__ import annotations

import random

import pytest

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**53 - 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_those_of_python(in_playground, seed):
    found = in_playground(
        """
        const rng = new PythonRandom(given);
        const list = Array.from({ length: 50 }, (_, i) => i);
        const numbers = Array.from({ length: 700 }, () => rng.random());
        const below = [1, 2, 3, 10, 1000, 2 ** 31].map((n) => rng.below(n));
        rng.shuffle(list);
        return [numbers, below, list, [rng.uniform(-2, 3), rng.gauss(1, 2), rng.gauss(0, 1), rng.gauss(0, 1)]];
        """,
        seed,
    )
    rng, order = random.Random(seed), list(range(50))
    assert found[0] == [rng.random() for _ in range(700)]
    assert found[1] == [rng._randbelow(n) for n in (1, 2, 3, 10, 1000, 2**31)]
    rng.shuffle(order)
    assert found[2] == order
    wanted = [rng.uniform(-2, 3), rng.gauss(1, 2), rng.gauss(0, 1), rng.gauss(0, 1)]
    assert found[3] == pytest.approx(wanted, rel=1e-14)


def test_another_seed_is_refused(in_playground):
    said = in_playground(
        "return given.map((seed) => { try { new PythonRandom(seed); } catch (error) { return error.message; } })",
        [-1, 0.5, 2**60],
    )
    assert all(words.startswith("a seed is a whole number") for words in said)
