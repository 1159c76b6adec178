"""A recording: what a program's numbers did, forward and backward, as one document that every face reads."""

from chainrule.see.recording.document import Recording
from chainrule.see.recording.files import load_recording
from chainrule.see.recording.graphs import record
from chainrule.see.recording.replay import replay
from chainrule.see.recording.session import recording

__all__ = ["Recording", "load_recording", "record", "recording", "replay"]
