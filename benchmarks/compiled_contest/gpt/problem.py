"""The data of all contestants: the first parameters, and the names as tokens in the order of training."""

from __future__ import annotations

import random
from string import ascii_lowercase

from contest.gpt import EXAMPLE
from contest.gpt_floats import GPT

NAMES = EXAMPLE.with_name("data") / "names.txt"
STEPS, SCHEDULE = 200, 1000  # of the benchmark; until the learning rate is down at zero
TOKENS, WIDTH, HEADS, CONTEXT = 27, 16, 4, 16
HEAD, HIDDEN, END = WIDTH // HEADS, 4 * WIDTH, 26
RATE, BETAS, EPS = 0.01, (0.85, 0.99), 1e-8
SHAPES = {
    "token_embedding": (TOKENS, WIDTH),
    "position_embedding": (CONTEXT, WIDTH),
    "unembedding": (TOKENS, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "output": (WIDTH, WIDTH),
    "widen": (HIDDEN, WIDTH),
    "narrow": (WIDTH, HIDDEN),
}

_rng = random.Random(42)  # all as examples/gpt.py draws it
_names = NAMES.read_text(encoding="utf-8").split()
ORDER = list(range(len(_names)))
_rng.shuffle(ORDER)
_model = GPT(TOKENS, _rng)
MATRICES: dict[str, list[list[float]]] = {name: getattr(_model, name) for name in SHAPES}
SEQUENCES = [[END, *map(ascii_lowercase.index, _names[i]), END] for i in ORDER[:STEPS]]
"""The names of the first steps: a token for the beginning, those of the letters, the same token for the end."""


def parameters() -> list[float]:
    return [number for matrix in MATRICES.values() for row in matrix for number in row]


def rates() -> list[tuple[float, float]]:
    """For each step the learning rate, and what the mean of squares is divided by."""
    (b1, b2) = BETAS
    return [(RATE * (1 - k / SCHEDULE) / (1 - b1 ** (k + 1)), 1 - b2 ** (k + 1)) for k in range(STEPS)]
