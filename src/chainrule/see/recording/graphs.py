"""`chainrule.record(value)`: the recording of a graph that is there already."""

from __future__ import annotations

import re
from typing import Any

from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.expression.reading import Expression
from chainrule.see.recording.document import Recording, Source
from chainrule.see.recording.events import Place
from chainrule.see.recording.files import MOST_NODES
from chainrule.see.recording.recorder import Recorder
from chainrule.see.recording.story import tell


def record(value: Value, *, seed: float = 1.0, title: str = "") -> Recording:
    """Records the graph of a Value: how it was made, in the order of its numbers, and what `backward()` does in it.

    No gradient of the graph is touched; the recorded ones begin at 0. Lines of the source are not known afterwards: for
    them, make the graph within `chainrule.recording()`.

    Args:
        value: the result.
        seed: the gradient of the result itself.
        title: a heading for pages.

    Raises:
        ArgumentError: it is no Value, or its graph has more than a million nodes.

    >>> import chainrule
    >>> a = chainrule.Value(2.0, label="a")
    >>> story = chainrule.record(a * a)
    >>> [event.after for event in story.deposits()], a.grad
    ([2.0, 4.0], 0.0)
    """
    return recorded(value, seed, title)


def record_expression(expression: Expression, *, title: str = "") -> Recording:
    """Records an expression with its numbers; the expression is the source.

    Args:
        expression: what `chainrule.expression.parse` made of a text and numbers.
        title: a heading for pages; the text, if left out.

    Raises:
        ExpressionError: its variables have no numbers.

    >>> from chainrule.expression import parse
    >>> story = record_expression(parse("x*x + 1", {"x": 3.0}))
    >>> story.sources[0].text, story.nodes[1].place
    ('x*x + 1', Place(source=0, line=1, column=0, end_line=1, end_column=3))
    """
    text = re.sub(r"\s", " ", expression.text)  # one line: places in it count letters
    story = recorded(expression.root, 1.0, title or text)
    spans: dict[int, tuple[int, int]] = {}
    for value, span in expression.spans:
        spans.setdefault(id(value), span)  # a name has the place where it stands first
    story.sources = [Source("expression", text, 1, "")]
    for i, value in enumerate(expression.root._order()):
        if id(value) in spans:
            start, end = spans[id(value)]
            story.nodes[i] = story.nodes[i]._replace(place=Place(0, 1, start, 1, end))
    return story


def recorded(value: Value, seed: float, title: str) -> Recording:
    """As `record`."""
    if not isinstance(value, Value):
        raise ArgumentError(f"record takes a Value, not the {type(value).__name__} {shown(value)}: record(Value(...))")
    order: list[Any] = value._order()
    if len(order) > MOST_NODES:
        raise ArgumentError(f"the graph has {len(order):,} nodes, and a recording at most {MOST_NODES:,}")
    recorder, story = Recorder(1, MOST_NODES), Recording(title=title)
    recorder.of_graph(value, order, seed)
    tell(recorder, story, False)
    return story
