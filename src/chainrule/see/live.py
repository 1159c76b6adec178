"""`see(y, live=True)`: a page in a notebook that goes both ways. A leaf that is edited there is edited in Python, and
what Python writes into leaves appears there.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from chainrule.core.extras import require
from chainrule.engine import Value, topological_order
from chainrule.errors import ArgumentError
from chainrule.see.bundle import PAGE
from chainrule.see.pages import page
from chainrule.see.recording.graphs import record

anywidget = require("anywidget", extra="widget")
traitlets = require("traitlets", extra="widget")

MOST_NODES = 5_000
"""A graph with more is not shown live: it is recorded anew after each edit."""

EVERY = 0.2
"""Seconds between two looks at the leaves for what Python wrote."""


class LivePage(anywidget.AnyWidget):  # type: ignore[name-defined]
    """The page of a Value, in step with it.

    An edit in the page sets `data` of the leaf and calls `refresh()` of the graph. Where Python writes `data` of a
    leaf, the graph is refreshed and shown as soon as the cell has ended, in notebooks that run cells in an event loop
    (JupyterLab and marimo do); `update()` does so at once, anywhere. Gradients are touched by neither.

    Attributes:
        value: the Value that is shown.
    """

    _esm = PAGE.parent / "widget" / "widget.js"
    html = traitlets.Unicode().tag(sync=True)
    document = traitlets.Dict().tag(sync=True)
    answers = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)

    def __init__(self, value: Value, title: str, height: int, theme: str) -> None:
        nodes = topological_order(value)
        if len(nodes) > MOST_NODES:
            raise ArgumentError(
                f"the graph has {len(nodes):,} nodes, and a live page shows at most {MOST_NODES:,}: see(y) without live"
            )
        self.value, self._nodes = value, nodes
        self._theme, self._shown_title = theme, title
        self._shown = self._leaves()
        super().__init__(height=height, html=page(record(value), title=title, theme=theme, live=True))
        self.on_msg(_received)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # no event loop: update() shows what Python wrote
        self._looking = loop.create_task(_look(weakref.ref(self)))

    def update(self) -> None:
        """Refreshes the graph and shows it, if a leaf has another number than the page shows."""
        if self._leaves() != self._shown:
            self._show()

    def edit(self, node: int, number: float) -> None:
        """Gives a leaf another number, as the page does.

        Args:
            node: the index of the leaf in `topological_order(value)`.
            number: its number.

        Raises:
            ArgumentError: there is no leaf of that index.
        """
        if not 0 <= node < len(self._nodes) or self._nodes[node].operands:
            raise ArgumentError(f"node {node} is no leaf of the graph that is shown")
        self._nodes[node].data = number
        self._show()

    def _show(self) -> None:
        self.value.refresh()
        self._shown = self._leaves()
        document = record(self.value).to_document()
        self.document = {**document, "title": self._shown_title or document["title"]}

    def _leaves(self) -> list[str]:
        """The numbers of all leaves, as texts: nan is nan, and 0 is not -0."""
        return [repr(node.peek_data()) for node in self._nodes if not node.operands]


def _received(widget: LivePage, content: Any, buffers: Any) -> None:
    """Takes an edit from the page: `{"edit": [node, number as text], "count": which edit of the page it is}`."""
    if not isinstance(content, dict) or not isinstance(content.get("edit"), list) or len(content["edit"]) != 2:
        return
    node, number = content["edit"]
    if not isinstance(node, int) or not isinstance(number, str):
        return
    widget.edit(node, float(number))
    widget.answers = int(content.get("count", 0))


async def _look(widget: weakref.ref[LivePage]) -> None:
    """Looks at the leaves from time to time, as long as the widget lives."""
    while (shown := widget()) is not None and shown.comm is not None:
        shown.update()
        del shown
        await asyncio.sleep(EVERY)
