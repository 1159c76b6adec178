"""`chainrule.record(value)`: the recording of a graph that is there already."""

from __future__ import annotations

from typing import Any

from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.see.recording.document import Recording
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
    if not isinstance(value, Value):
        raise ArgumentError(f"record takes a Value, not the {type(value).__name__} {shown(value)}: record(Value(...))")
    order: list[Any] = value._order()
    if len(order) > MOST_NODES:
        raise ArgumentError(f"the graph has {len(order):,} nodes, and a recording at most {MOST_NODES:,}")
    recorder, story = Recorder(1, MOST_NODES), Recording(title=title)
    recorder.of_graph(value, order, seed)
    tell(recorder, story, False)
    return story
