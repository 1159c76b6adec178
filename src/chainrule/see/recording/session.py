"""`with chainrule.recording() as story:`: everything that Values do within it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chainrule.core.modes import recording_into
from chainrule.errors import ArgumentError, shown
from chainrule.see.recording.document import Recording
from chainrule.see.recording.files import MOST_NODES
from chainrule.see.recording.recorder import Recorder
from chainrule.see.recording.story import tell

PASSES, NODES = 3, 200_000


@contextlib.contextmanager
def recording(*, passes: int = PASSES, nodes: int = NODES, source: bool = True, title: str = "") -> Iterator[Recording]:
    """Records what Values of this thread do within the `with`: how they are made, and each deposit of `backward()`.

    The recording is filled when the block ends, also by an exception. Outside of it, nothing is slower.

    Args:
        passes: so many of the last backward passes are kept, each with the forward pass that led to it. What is dropped
            is counted in `dropped`.
        nodes: at most so many nodes are kept; later ones are counted.
        source: whether the text of the program is kept.
        title: a heading for pages.

    Raises:
        ArgumentError: `passes` or `nodes` is below 1, or `nodes` above a million.

    >>> import chainrule
    >>> with chainrule.recording() as story:
    ...     a = chainrule.Value(2.0, label="a")
    ...     y = a * 3
    ...     y.backward()
    >>> story
    <recording of 3 nodes, 7 events, 1 backward passes>
    >>> story.deposits()
    [Deposit(giver=2, position=0, into=0, upstream=1.0, local=3.0, product=3.0, before=0.0, after=3.0)]
    """
    for name, x, most in (("passes", passes, MOST_NODES), ("nodes", nodes, MOST_NODES)):
        if type(x) is not int or not 1 <= x <= most:
            raise ArgumentError(f"{name} is {shown(x)}: it must be a whole number from 1 to {most:,}")
    story, recorder = Recording(title=title), Recorder(passes, nodes)
    try:
        with recording_into(recorder):
            yield story
    finally:
        recorder.finish()
        tell(recorder, story, source)
