"""Recognises columns that number the rows, such as the index that pandas writes: nothing should be learned from them.

In a file that is sorted by its target, a row's number reveals the target, also for held-out rows.
"""

from __future__ import annotations

import re
from itertools import pairwise

from chainrule.data.tables.cells import is_missing, to_number
from chainrule.data.tables.files import Table

NAMES = {
    *("id", "idx", "index", "level0", "line", "lineno", "linenumber", "no", "nr", "num", "obs", "observation"),
    *("record", "recordid", "recordno", "row", "rowid", "rowindex", "rowname", "rownames", "rowno", "rownr", "rownum"),
    *("rownumber", "serial", "serialno", "serialnumber", "sn", "sno", "unnamed"),
}
"""The usual names of columns that number the rows, in lower case, reduced to letters and digits."""

COUNTS = "counts the rows"
LEAST = 10
"""With fewer rows, integers may be all different, or count up, by chance."""


def why_row_number(table: Table, name: str) -> str:
    """The evidence that a column numbers the rows; "" if there is none.

    A column of integers that are all different counts as row numbers if its name says so or if it has no name; whatever
    its name, it does if it counts up by one from row to row, from 0 or 1.
    """
    cells = [cell for _, cell in table.cells(name)]
    numbers = [None if is_missing(cell) else to_number(cell) for cell in cells]
    whole = [number for number in numbers if number is not None and number.is_integer()]
    if len(whole) < max(LEAST, len(cells)) or len(set(whole)) < len(whole):
        return ""
    if name in table.unnamed:
        return "has no name and a whole number of its own in each row"
    if re.sub(r"[^a-z0-9]", "", re.sub(r"^unnamed.*", "unnamed", name.lower())) in NAMES:
        return "has a whole number of its own in each row"
    return COUNTS if whole[0] in (0.0, 1.0) and all(b - a == 1.0 for a, b in pairwise(whole)) else ""


def rises(table: Table, name: str) -> bool:
    """Whether a column of numbers increases, or decreases, from each row to the next."""
    numbers = [to_number(cell) for _, cell in table.cells(name)]
    known = [number for number in numbers if number is not None]
    if len(known) < max(LEAST, len(numbers)):
        return False
    return all(a < b for a, b in pairwise(known)) or all(a > b for a, b in pairwise(known))
