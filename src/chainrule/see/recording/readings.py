"""What a wrong deposit shows: the mistakes of which it would be the result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.see.recording.events import Deposit

WHY = {
    "=": "the deposit replaced what was there, as = does where += is meant",
    "sign": "the deposit has the wrong sign",
    "local alone": "the local derivative was not multiplied by the upstream gradient",
    "upstream alone": "the upstream gradient was not multiplied by the local derivative",
    "other operand": "it is the deposit of the other operand",
}
"""What went wrong, by the reading of the chain rule that gives such a number."""


def alike(a: float, b: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def wrong_readings(before: float, local: float, upstream: float, others: Sequence[float]) -> list[tuple[str, float]]:
    """Returns how the chain rule is misread, and what the gradient of an operand would be after such a deposit.

    Args:
        before: the gradient before it; if that is 0, to replace it makes no difference.
        local: the local derivative in this operand.
        upstream: the gradient of the result.
        others: the local derivatives in the other operands.
    """
    product = local * upstream
    return [
        *([("=", product)] if before else []),
        ("sign", before - product),
        ("local alone", before + local),
        ("upstream alone", before + upstream),
        *[("other operand", before + x * upstream) for x in others],
    ]


def diagnosis(event: Deposit, local: float, others: Sequence[float], operation: str) -> tuple[str, str]:
    """Returns the kind of a mistake, and in words why it is one; where several give this number, all are named.

    Args:
        event: a deposit that is wrong.
        local: the right local derivative.
        others: those in the other operands.
        operation: the name of the operation.

    >>> event = Deposit(2, 1, 0, upstream=1.0, local=1.0, product=1.0, before=1.0, after=1.0)
    >>> diagnosis(event, 1.0, [], "add")[0]
    '='
    """
    before, upstream = event.before, event.upstream
    one = [(kind, number, WHY[kind]) for kind, number in wrong_readings(before, local, upstream, others)]
    two_at_once = [
        ("=", local, "the local derivative alone replaced what was there"),
        ("=", upstream, "the upstream gradient alone replaced what was there"),
        *[("=", x * upstream, "the deposit of the other operand replaced what was there") for x in others],
    ]
    for readings in (one, [("missing", before, "nothing was added")], two_at_once):
        if found := [(kind, why) for kind, number, why in readings if alike(number, event.after)]:
            return found[0][0], ", or ".join(dict.fromkeys(why for _, why in found))
    return "rule", f"that is not the derivative of {operation}"
