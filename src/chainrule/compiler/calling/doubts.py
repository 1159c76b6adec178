"""Paths that Python took although their kernels had refused them: native code rounded a guard differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import AGAIN
from chainrule.errors import TraceError


class Doubted(Protocol):
    """A path. If it is doubted, exact code evaluates its guards before anything is traced again."""

    doubted: bool


class Doubts:
    """Handles the doubted paths of one function.

    Args:
        name: the function's name in errors.
        fallbacks: counts how often the function was traced in vain.
        max_traces: how often that is allowed.
    """

    def __init__(self, name: str, fallbacks: Fallbacks, max_traces: int) -> None:
        self._name, self._fallbacks, self._most = name, fallbacks, max_traces

    def held(self, path: Doubted, samples: int, exactly: Callable[[], np.ndarray] | None) -> np.ndarray:
        """For which samples a path holds that Python has just taken again for the first of them.

        Args:
            path: is marked as doubted, if exact code can decide.
            samples: the number of samples.
            exactly: evaluates the guards by exact code. It has Python's answers, unless these depend on more than the
                numbers. None where exact code has run already, or there is none.

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
