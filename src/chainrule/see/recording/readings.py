"""What a wrong deposit shows: the mistakes of which it would be the result."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.see.predictions import alike
from chainrule.see.recording.events import Deposit


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
    before, upstream, product = event.before, event.upstream, local * event.upstream
    one = [
        ("=", product, "the deposit replaced what was there, as = does where += is meant"),
        ("sign", before - product, "the deposit has the wrong sign"),
        ("local alone", before + local, "the local derivative was not multiplied by the upstream gradient"),
        ("upstream alone", before + upstream, "the upstream gradient was not multiplied by the local derivative"),
        *[("other operand", before + x * upstream, "it is the deposit of the other operand") for x in others],
    ]
    two_at_once = [
        ("=", local, "the local derivative alone replaced what was there"),
        ("=", upstream, "the upstream gradient alone replaced what was there"),
        *[("=", x * upstream, "the deposit of the other operand replaced what was there") for x in others],
    ]
    for readings in (one, [("missing", before, "nothing was added")], two_at_once):
        if found := [(kind, why) for kind, number, why in readings if alike(number, event.after)]:
            return found[0][0], ", or ".join(dict.fromkeys(why for _, why in found))
    return "rule", f"that is not the derivative of {operation}"
