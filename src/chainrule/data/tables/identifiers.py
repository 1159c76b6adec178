"""Recognises columns that name the rows instead of describing them: row numbers, identifiers, texts of one row each.

Nothing should be learned from them. In a file that is sorted by its target, a row's number reveals the target, also for
held-out rows; and what a text of one row says of the target holds for no other row.
"""

from __future__ import annotations

import re
from itertools import pairwise

from chainrule.data.tables.cells import Kind, is_missing
from chainrule.data.tables.table import Table

NAMES = {
    *("id", "ids", "idx", "index", "level0", "line", "lineno", "linenumber", "no", "nr", "num", "obs", "observation"),
    *("record", "recordid", "recordno", "row", "rowid", "rowindex", "rowname", "rownames", "rowno", "rownr", "rownum"),
    *("rownumber", "serial", "serialno", "serialnumber", "sn", "sno", "unnamed", "key", "uuid", "guid"),
    *("phone", "telephone", "mobile", "iban", "ssn"),
}
"""The usual names of columns that number the rows, in lower case, reduced to letters and digits."""

LAST_WORDS = {"id", "ids", "idx", "index", "no", "nr", "num", "number", "key", "uuid", "guid", "serial"}
"""The last words of names of identifiers, such as customer_id and PassengerId."""

THINGS = (
    *("account", "case", "client", "contract", "customer", "device", "employee", "house", "image", "invoice", "item"),
    *("loan", "member", "order", "passenger", "patient", "person", "policy", "product", "sample", "session", "student"),
    *("subject", "ticket", "transaction", "user"),
)
"""What has identifiers: customerid and the like are written in one word, too."""

COUNTS = "counts the rows"
LEAST = 10
"""With fewer rows, integers may be all different, or count up, by chance."""

NEARLY_ALL = 0.95
"""The least share of different numbers in a column with the name of an identifier; the rest may be rows that stand
there twice."""

MOST_CATEGORIES = 20
"""Texts of more different values, and fewer than two rows for each, are names."""


def why_left_out(table: Table, name: str, kind: Kind) -> str:
    """The evidence that a column names the rows; "" if there is none.

    A column of integers that are all different counts as row numbers if its name says so or if it has no name; whatever
    its name, it does if it counts up by one from row to row, from 0 or 1. A column of texts names the rows if there are
    more than 20 and fewer than two rows for each.
    """
    return _why_names(table, name) if kind == "text" else _why_numbers(table, name)


def _why_names(table: Table, name: str) -> str:
    known = [cell for _, cell in table.cells(name) if not is_missing(cell)]
    different = len(set(known))
    if different <= MOST_CATEGORIES or 2 * different <= len(known):
        return ""
    return f"has {different} different texts in {len(known)} rows"


def _why_numbers(table: Table, name: str) -> str:
    numbers = table.column(name).numbers
    whole = [number for number in numbers if number is not None and number.is_integer()]
    if len(whole) < max(LEAST, len(numbers)) or len(set(whole)) < NEARLY_ALL * len(whole):
        return ""
    all_differ = len(set(whole)) == len(whole)
    if all_differ and name in table.unnamed:
        return "has no name and a whole number of its own in each row"
    if names_rows(name):
        return f"has a whole number of its own in {'' if all_differ else 'nearly '}each row"
    counts = all_differ and whole[0] in (0.0, 1.0) and all(b - a == 1.0 for a, b in pairwise(whole))
    return COUNTS if counts else ""


def names_rows(name: str) -> bool:
    """Whether a column has the name of an identifier.

    >>> [names_rows(name) for name in ("ID", "customer_id", "PassengerId", "customerid", "Unnamed: 0", "humid")]
    [True, True, True, True, True, False]
    """
    short = re.sub(r"[^a-z0-9]", "", re.sub(r"^unnamed.*", "unnamed", name.lower()))
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    compound = len(words) > 1 and words[-1].lower() in LAST_WORDS and re.fullmatch(r"[\w .-]+", name)
    return short in NAMES or bool(compound) or any(short in (thing + "id", thing + "no") for thing in THINGS)


def rises(table: Table, name: str) -> bool:
    """Whether a column of numbers increases, or decreases, from each row to the next."""
    numbers = table.column(name).numbers
    known = [number for number in numbers if number is not None]
    if len(known) < max(LEAST, len(numbers)):
        return False
    return all(a < b for a, b in pairwise(known)) or all(a > b for a, b in pairwise(known))
