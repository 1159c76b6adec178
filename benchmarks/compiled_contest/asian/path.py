"""The payoff of one path, as one writes it in plain scalar Python: what both engines of chainrule are given."""

from __future__ import annotations

from typing import Any

from chainrule import exp, relu
from compiled_contest.asian.problem import STEPS, STRIKE


def payoff(s0: Any, vol: Any, r: Any, z: list[Any]) -> Any:
    dt = 1 / STEPS
    drift, scale = (r - 0.5 * vol * vol) * dt, vol * dt**0.5
    s, total = s0, 0.0
    for zi in z:
        s = s * exp(drift + scale * zi)
        total = total + s
    return relu(total / STEPS - STRIKE) * exp(-r)
