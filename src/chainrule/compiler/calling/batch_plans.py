"""Plans for batches, which the compiled build alone has: batch_plans.pyx, in the place of this file.

In the pure build batches go the way of `Runner`, whose NumPy costs little beside the kernel of a large batch.
"""

from __future__ import annotations

from typing import Any

BatchPlan: Any = None
"""The plan for one layout of arguments, some of them batched, and one thing that is asked."""

BatchRoute: Any = None
"""The kernel of one control-flow path, for one such plan."""

Columns: Any = None
"""The form of a batched argument."""
