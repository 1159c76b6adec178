"""What a schema says is wrong is what is wrong; and what may be written may be read."""

from __future__ import annotations

import json
import sys

import pytest

from chainrule.saving.schema import (
    DEEPEST,
    MOST_DIGITS,
    Integer,
    ListOf,
    Number,
    SchemaError,
    Text,
    check,
    check_plain,
    parse,
)


@pytest.mark.parametrize(
    ("kind", "document", "words"),
    [
        (Text(), 1, "must be text, not 1"),
        (Text(pattern="[0-9]+"), "abc", r"must be text of the form \[0-9\]\+, not 'abc'"),
        (Integer(3, 3), 4, "must be the whole number 3, not 4"),
        (Integer(3, 5), 6, "must be a whole number from 3 to 5, not 6"),
        (ListOf(Number()), 1, "must be a list, not 1"),
        (ListOf(Number(), 2), [1], r"must be a list of 2 or more, not \[1\]"),
        (ListOf(Number(), 2, 2), [1], r"must be a list of 2, not \[1\]"),
        (ListOf(Number(), 1, 2), [1, 2, 3], r"must be a list of 1 to 2, not \[1, 2, 3\]"),
        (ListOf(Number(), 0, 1), [1, 2], r"must be a list of 0 to 1, not \[1, 2\]"),
        (Number(), [10**5000], r"must be a finite number, not \[an integer of 16610 bits\]"),
    ],
)
def test_a_refusal_says_what_should_be_there(kind, document, words):
    with pytest.raises(SchemaError, match=words):
        check(kind, document)


def nested(levels):
    made = []
    for _ in range(levels - 1):
        made = [made]
    return made


@pytest.mark.parametrize("limit", [1000, 20_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_accepted_for_writing_is_accepted_when_read(limit, sign):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        for document in (nested(DEEPEST), {"n": sign * (10**MOST_DIGITS - 1)}):
            check_plain(document)
            assert parse(json.dumps(document)) == document
        for document in (nested(DEEPEST + 1), {"n": sign * 10**MOST_DIGITS}):
            with pytest.raises(SchemaError):
                check_plain(document)
            with pytest.raises(SchemaError):
                parse(json.dumps(document))
    finally:
        sys.setrecursionlimit(before)
