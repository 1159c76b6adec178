"""Names for the nodes of a recording: every face calls a number by the same one."""

from __future__ import annotations

from collections import Counter

from chainrule.explain.notation import short
from chainrule.see.recording.document import Recording


def names_of(recording: Recording) -> list[str]:
    """Returns a name for each node: its label; a constant's number; n1, n2, … for other results, v1, v2, … for leaves.
    A label that several nodes have is followed by a number from the second one on.

    >>> import chainrule
    >>> a = chainrule.Value(2.0, label="a")
    >>> names_of(chainrule.record((a * 3 + a).tanh()))
    ['a', '3', 'n1', 'n2', 'n3']
    """
    labels = [" ".join(node.label.split()) for node in recording.nodes]
    taken = set(labels)
    uses: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    names = []
    for node, label in zip(recording.nodes, labels, strict=True):
        if label:
            uses[label] += 1
            names.append(label if uses[label] == 1 else _free(label + "_", uses[label], taken))
        elif node.constant:
            names.append(short(node.data))
        else:
            letter = "n" if node.op >= 0 else "v"
            numbers[letter] += 1
            while f"{letter}{numbers[letter]}" in taken:
                numbers[letter] += 1
            names.append(f"{letter}{numbers[letter]}")
    return names


def _free(stem: str, number: int, taken: set[str]) -> str:
    """The first name from this number on that nobody has."""
    while f"{stem}{number}" in taken:
        number += 1
    taken.add(f"{stem}{number}")
    return f"{stem}{number}"
