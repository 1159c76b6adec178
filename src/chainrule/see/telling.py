"""One sentence for each event of a recording: what a page, a terminal and a screen reader say.

A deposit goes *towards the inputs*, numbers are made *towards the result*. A gradient that a result hands on is its
*upstream* gradient: it came from where the result is used.
"""

from __future__ import annotations

from chainrule.explain.notation import short
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import (
    NO_LOCAL,
    NO_UPSTREAM,
    AddedBack,
    Aside,
    Asked,
    Began,
    Deposit,
    Ended,
    Made,
    Nothing,
    Place,
    Refreshed,
    SetGrad,
    Wrote,
)
from chainrule.see.recording.names import names_of

INFIX = {"+", "-", "*", "/", "**", "<", "≤", ">", "≥", "==", "≠", "%", "//"}
"""The symbols that stand between two operands."""
MOST_OPERANDS = 6
"""Of more operands, a sentence names the first and the last."""


class Teller:
    """Tells the events of a recording.

    >>> import chainrule
    >>> a = chainrule.Value(3.0, label="a")
    >>> teller = Teller(chainrule.record(a * a))
    >>> print(*map(teller.sentence, range(6)), sep="\\n")
    a is an input: 3
    n1 = a * a = 3 * 3 = 9
    backward() begins at n1, whose own gradient is 1
    a gets local 3 × upstream 1 = 3; before 0, after 0 + 3 = 3
    a gets local 3 × upstream 1 = 3; before 3, after 3 + 3 = 6
    backward() has ended: each gradient is the derivative of n1 with respect to that number
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.names = names_of(recording)

    def sentence(self, i: int) -> str:  # noqa: PLR0911 - one return for each kind of event
        """The sentence for the event `i`."""
        event, name = self.recording.events[i], self.names
        match event:
            case Made(node):
                return self._made(node)
            case Refreshed(node, data):
                return f"{name[node]} is calculated anew: {short(data)}"
            case Asked(node, "truth", answer, place):
                said = "true" if answer else "false"
                return f"Python asked whether {name[node]} is true: it is {said}{_where(place)}"
            case Asked(node, _, answer, place):
                return f"Python read the number of {name[node]}: {short(answer)}{_where(place)}"
            case Wrote(node, before, after):
                return f"the number of {name[node]} is written: {short(before)} becomes {short(after)}"
            case SetGrad(node, before, after):
                return f"the gradient of {name[node]} is set from {short(before)} to {short(after)}"
            case Began(_, root, seed):
                return f"backward() begins at {name[root]}, whose own gradient is {short(seed)}"
            case Aside(node, before):
                return f"the earlier gradient {short(before)} of {name[node]} is set aside, to be added at the end"
            case AddedBack(node, aside, total, after):
                sum_ = f"{short(total)} + {short(aside)} = {short(after)}"
                return f"{name[node]} gets its earlier gradient back: {sum_}"
            case Ended(_, root, whole):
                meaning = f"each gradient is the derivative of {name[root]} with respect to that number"
                return f"backward() has ended: {meaning}" if whole else "backward() was broken off by an error"
            case Deposit():
                return self._deposit(event)
            case Nothing():
                return self._nothing(event)
        raise AssertionError(event)

    def formula(self, node: int, operands: list[str]) -> str:
        """How a result is made of operands with these names (or numbers)."""
        op = self.recording.operations[self.recording.nodes[node].op]
        if op.symbol in INFIX and len(operands) == 2:
            left, right = [f"({x})" if x.startswith("-") else x for x in operands]
            return f"{left} {op.symbol} {right}"
        if len(operands) > MOST_OPERANDS:
            operands = [*operands[: MOST_OPERANDS - 2], "…", operands[-1]]
        return f"{op.name}({', '.join(operands)})"

    def _made(self, node: int) -> str:
        row = self.recording.nodes[node]
        if row.op < 0:
            kind = "is a constant, which gets no gradient" if row.constant else "is an input"
            return f"{self.names[node]} {kind}" + ("" if row.constant else f": {short(row.data)}")
        named = self.formula(node, [self.names[x] for x in row.operands])
        with_numbers = self.formula(node, [short(self.recording.nodes[x].data) for x in row.operands])
        return f"{self.names[node]} = {named} = {with_numbers} = {short(row.data)}"

    def _deposit(self, event: Deposit) -> str:
        into, after = self.names[event.into], short(event.after)
        if event.local is None or event.product is None:
            return f"{into} gets something from {self.names[event.giver]}; before {short(event.before)}, after {after}"
        by = f" (by the rule for {self._rule(event.giver)})" if event.rule else ""  # the class keeps none
        product = f"local {short(event.local)}{by} × upstream {short(event.upstream)} = {short(event.product)}"
        total, sum_ = event.before + event.product, _sum(event.before, event.product)
        if short(total) != after:  # another engine's mistake
            return (
                f"{into} gets {product}; before {short(event.before)}, after {after}, and not {sum_} = {short(total)}"
            )
        return f"{into} gets {product}; before {short(event.before)}, after {sum_} = {after}"

    def _rule(self, giver: int) -> str:
        return self.recording.operations[self.recording.nodes[giver].op].name

    def _nothing(self, event: Nothing) -> str:
        giver, into = self.names[event.giver], self.names[event.into]
        if event.why == NO_UPSTREAM:
            return f"{into} gets nothing from {giver}, whose own gradient is 0"
        if event.why == NO_LOCAL:
            return f"{into} gets nothing from {giver}, whose local derivative is 0 here"
        if self.recording.nodes[event.into].constant:
            return f"{into} is a constant, and gets no gradient from {giver}"
        return f"{into} gets nothing from {giver}: no derivative flows there"


def _sum(a: float, b: float) -> str:
    return f"{short(a)} + ({short(b)})" if short(b).startswith("-") else f"{short(a)} + {short(b)}"


def _where(place: Place | None) -> str:
    return f" (line {place.line})" if place else ""
