"""matplotlib's figure and axes that a notebook shows by itself, without pyplot.

This module needs matplotlib; `plots.py` imports it when a figure is first made.
"""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

SHARP = 2
"""The pixels of a picture for each of its own: displays have more than one for a point."""


class ShownFigure(Figure):
    """A figure with its picture for notebooks."""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=SHARP * self.dpi)
        width, height = (round(inches * self.dpi) for inches in self.get_size_inches())
        return buffer.getvalue(), {"width": width, "height": height}


class ShownAxes(Axes):
    """Axes that a notebook shows as the figure around them."""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]] | None:
        return self.figure._repr_png_() if isinstance(self.figure, ShownFigure) else None
