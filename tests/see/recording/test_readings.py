"""What a wrong deposit shows, in words."""

from __future__ import annotations

from chainrule.see.recording.events import Deposit
from chainrule.see.recording.readings import diagnosis


def test_where_two_readings_give_one_number_both_are_named():
    event = Deposit(2, 0, 0, upstream=3.0, local=2.0, product=6.0, before=0.0, after=-6.0)
    assert diagnosis(event, 2.0, [-2.0], "sub") == (
        "sign",
        "the deposit has the wrong sign, or it is the deposit of the other operand",
    )
    assert diagnosis(event._replace(before=1.0, after=1.0), 2.0, [], "mul") == ("missing", "nothing was added")
    event = event._replace(after=7.25)
    assert diagnosis(event, 2.0, [-2.0], "sub") == ("rule", "that is not the derivative of sub")


def test_two_mistakes_at_once_are_told_where_no_single_one_explains_it():
    event = Deposit(2, 0, 0, upstream=3.0, local=2.0, product=6.0, before=1.0, after=3.0)
    assert diagnosis(event, 2.0, [], "mul") == (
        "local alone",
        "the local derivative was not multiplied by the upstream gradient",
    )
    assert diagnosis(event._replace(before=5.0), 2.0, [], "mul") == (
        "=",
        "the upstream gradient alone replaced what was there",
    )
