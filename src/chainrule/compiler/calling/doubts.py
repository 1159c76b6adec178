"""Paths that Python took though their kernels said no: by a rounding, native code saw a guard otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import AGAIN
from chainrule.errors import TraceError


class Doubted(Protocol):
    """A path; if it is doubted, its guards are looked at exactly before anything is traced once more."""

    doubted: bool


class Doubts:
    """What becomes of such paths of one function.

    Args:
        name: what errors call the function.
        fallbacks: counts how often it was traced for nothing.
        max_traces: so often it may be.
    """

    def __init__(self, name: str, fallbacks: Fallbacks, max_traces: int) -> None:
        self._name, self._fallbacks, self._most = name, fallbacks, max_traces

    def held(self, path: Doubted, samples: int, exactly: Callable[[], np.ndarray] | None) -> np.ndarray:
        """For which samples a path holds that Python has just taken for the first of them, once more.

        Args:
            path: is doubted from now on, if exact code can tell more.
            samples: how many there are.
            exactly: asks exact code, which has Python's answers, unless these do not depend on the numbers alone; None
                where exact code has run already, or there is none.

        Raises:
            TraceError: that happened too often.
        """
        held = np.zeros(samples, bool)
        if exactly is not None and not path.doubted:
            path.doubted = True
            held = exactly()
        if not held[0]:
            held[0] = True
            if self._fallbacks.met(AGAIN) > self._most:
                raise TraceError(
                    f"{self._name} was traced {self._most} times at numbers at which it had been traced before, since "
                    "it went another way there than by the guards of the trace: let its branches depend on its "
                    "arguments alone, and not on what changes between calls"
                )
        return held
