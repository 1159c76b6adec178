"""What can happen in a recording: one named tuple for each kind of event, in the order in which a document has them.

Nodes are given by their index. The fields of these tuples are the columns of the document.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A part of a source: lines count from 1, columns from 0, in characters. Where only the line is known, the columns
    are None."""

    source: int
    line: int
    column: int | None
    end_line: int
    end_column: int | None


class Made(NamedTuple):
    """A node was made: a leaf, a constant or a result."""

    node: int


class Refreshed(NamedTuple):
    """A result was calculated anew, by `refresh()`."""

    node: int
    data: float
    locals: tuple[float | None, ...]


class Asked(NamedTuple):
    """Python asked for a number (`what` is "data") or its truth ("truth"): with another answer, the program may go
    another way."""

    node: int
    what: str
    answer: float
    place: Place | None


class Wrote(NamedTuple):
    """The data of a leaf was written."""

    node: int
    before: float
    after: float
    place: Place | None


class SetGrad(NamedTuple):
    """A gradient was written; `zero_grad()` writes 0."""

    node: int
    before: float
    after: float
    place: Place | None


class Began(NamedTuple):
    """`backward()` began, at this root: gradients of results are 0 from here on, and the root has the seed."""

    number: int
    root: int
    seed: float
    place: Place | None


class Aside(NamedTuple):
    """The earlier gradient of a leaf was set aside, since `backward()` adds to it at the end."""

    node: int
    before: float


class Deposit(NamedTuple):
    """A result handed on its gradient: upstream × local was added to the gradient of an operand.

    Of another engine only `before` and `after` are sure to be what it did: `local` and `product` are None where they
    are not known, and `rule` is 1 where they are those of chainrule's rule for the operation, which stands beside it.
    """

    giver: int
    position: int
    into: int
    upstream: float
    local: float | None
    product: float | None
    before: float
    after: float
    rule: int = 0


class Nothing(NamedTuple):
    """Nothing was handed on to an operand: `why` is "zero upstream", "zero local" or "no flow"."""

    giver: int
    position: int
    into: int
    upstream: float
    local: float | None
    why: str


class AddedBack(NamedTuple):
    """To the sum that this `backward()` found, the earlier gradient of a leaf was added."""

    node: int
    aside: float
    sum: float
    after: float


class Ended(NamedTuple):
    """`backward()` ended; `whole` is 0 if it was broken off by an error or an interrupt."""

    number: int
    root: int
    whole: int


Event = Made | Refreshed | Asked | Wrote | SetGrad | Began | Aside | Deposit | Nothing | AddedBack | Ended

KINDS: dict[str, type] = {
    "made": Made,
    "refreshed": Refreshed,
    "asked": Asked,
    "wrote": Wrote,
    "set_grad": SetGrad,
    "began": Began,
    "aside": Aside,
    "deposit": Deposit,
    "nothing": Nothing,
    "added_back": AddedBack,
    "ended": Ended,
}
"""Each kind of event by its name in a document."""

NAMES = {kind: name for name, kind in KINDS.items()}

NO_UPSTREAM, NO_LOCAL, NO_FLOW = "zero upstream", "zero local", "no flow"
"""Why nothing was handed on: see `Nothing`."""
