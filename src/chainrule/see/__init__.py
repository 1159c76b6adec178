"""What a graph did, forward and backward, one deposit at a time: recorded, replayed and shown.

The module itself can be called: `chainrule.see(y)` shows a graph (see `notebook.see`).
"""

import sys
from types import ModuleType
from typing import Any

from chainrule.see.frames import frames
from chainrule.see.notebook import Seen, see
from chainrule.see.pages import page

__all__ = ["Seen", "frames", "page", "see"]


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return see(*arguments, **named)


sys.modules[__name__].__class__ = _Room
