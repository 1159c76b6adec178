"""`with chainrule.recording() as story:`: everything that Values do within it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chainrule.core.modes import recording_into
from chainrule.engine import Value as OwnValue
from chainrule.errors import ArgumentError, shown
from chainrule.see.recording.document import Engine, Recording
from chainrule.see.recording.files import MOST_NODES
from chainrule.see.recording.foreign import ForeignRecorder
from chainrule.see.recording.recorder import Recorder
from chainrule.see.recording.story import tell
from chainrule.see.recording.watching import Watch

PASSES, NODES = 3, 200_000


@contextlib.contextmanager
def recording(
    *,
    Value: type | None = None,  # noqa: N803 - the name that such classes have
    passes: int = PASSES,
    nodes: int = NODES,
    source: bool = True,
    title: str = "",
) -> Iterator[Recording]:
    """Records what Values of this thread do within the `with`: how they are made, and each deposit of `backward()`.

    The recording is filled when the block ends, also by an exception. Outside of it, nothing is slower.

    Args:
        Value: a class of another engine to watch, the learner's own or micrograd's: its objects have `data`, `grad` and
            `backward()`. What could not be seen there is in `engine.said`.
        passes: so many of the last backward passes are kept, each with the forward pass that led to it. What is dropped
            is counted in `dropped`.
        nodes: at most so many nodes are kept; later ones are counted.
        source: whether the text of the program is kept.
        title: a heading for pages.

    Raises:
        ArgumentError: `passes` or `nodes` is below 1, or `nodes` above a million; or `Value` is no class that can be
            watched.

    >>> import chainrule
    >>> with chainrule.recording() as story:
    ...     a = chainrule.Value(2.0, label="a")
    ...     y = a * 3
    ...     y.backward()
    >>> story
    <recording of 3 nodes, 7 events, 1 backward passes>
    >>> story.deposits()
    [Deposit(giver=2, position=0, into=0, upstream=1.0, local=3.0, product=3.0, before=0.0, after=3.0, rule=0)]
    """
    for name, x, most in (("passes", passes, MOST_NODES), ("nodes", nodes, MOST_NODES)):
        if type(x) is not int or not 1 <= x <= most:
            raise ArgumentError(f"{name} is {shown(x)}: it must be a whole number from 1 to {most:,}")
    story = Recording(title=title)
    if Value is None or (isinstance(Value, type) and issubclass(Value, OwnValue)):
        recorder = Recorder(passes, nodes)
        watching = recording_into(recorder)
    else:
        recorder = watched = ForeignRecorder(Value, passes, nodes)
        watching = Watch(watched)
    try:
        with watching:
            yield story
    finally:
        recorder.finish()
        tell(recorder, story, source)
        if isinstance(recorder, ForeignRecorder):
            story.engine = Engine(recorder.cls.__name__, 0, tuple(recorder.said))
