"""The contestants, in the order of the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from contest.kits import Chainrule, Floats, Kit, Micrograd, Torch, Xad
from contest.script import OwnValue

FLOATS, COMPILED, PURE = "floats", "compiled", "pure"
MICROGRAD, COLLECTOR_OFF = "micrograd", "collector-off"
TORCH, XAD = "torch", "xad"
OWN_VALUE = "own-value"


@dataclass(frozen=True)
class Contestant:
    title: str
    kit: Callable[[], Kit]
    library: str = ""
    """Its name for pip; empty for Python itself."""
    environment: dict[str, str] = field(default_factory=dict)
    collector: bool = True
    """Whether Python's collector of cycles is on, as it is unless a program says otherwise."""


CONTESTANTS = {
    FLOATS: Contestant("plain floats", Floats),
    COMPILED: Contestant("chainrule", partial(Chainrule, True), "chainrule", {"CHAINRULE_PURE": ""}),
    PURE: Contestant("chainrule pure", partial(Chainrule, False), "chainrule", {"CHAINRULE_PURE": "1"}),
    MICROGRAD: Contestant("micrograd", Micrograd, "micrograd"),
    COLLECTOR_OFF: Contestant("micrograd no gc", Micrograd, "micrograd", collector=False),
    TORCH: Contestant("PyTorch", Torch, "torch"),
    XAD: Contestant("XAD", Xad, "xad"),
    OWN_VALUE: Contestant("the script's own", OwnValue),
}
LIBRARIES = [name for name in CONTESTANTS if name != OWN_VALUE]
