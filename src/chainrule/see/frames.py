"""`frames(y, folder)`: a picture of each step, for slides: SVG and PNG, one GIF, one PDF."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chainrule.core.extras import require
from chainrule.core.files import FilePath, atomic_write
from chainrule.draw.figures import Span
from chainrule.draw.graph import Edge, Graph, Kind, Node
from chainrule.draw.raster import png
from chainrule.draw.svg import Look, Picture, render_svg
from chainrule.draw.theme import DARK, LIGHT, PLAIN_SANS, Theme, escaped
from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Deposit, Event, Nothing
from chainrule.see.recording.graphs import record
from chainrule.see.states import CONSTANT, NOT_REACHED, State, Timeline
from chainrule.see.telling import Teller

MOST_NODES, MOST_FRAMES = 60, 400
"""A larger graph cannot be read on a slide, and more frames nobody would show."""
CAPTION = 64
"""How high the strip with the sentence is, in units of the picture."""
LETTERS = 90
MILLISECONDS = 900
"""How long the GIF shows a frame."""


def frames(what: Value | Recording, folder: FilePath, *, theme: Theme = "light") -> list[Path]:
    """Writes a picture of each step: `000.svg`, `000.png`, …, all with one layout, and `all.gif` and `all.pdf`.

    Args:
        what: a Value, whose graph is recorded, or a recording.
        folder: the folder for the files, which is made if need be; files of these names are replaced.
        theme: "light" or "dark".

    Returns:
        The files, in the order of the steps, then the GIF and the PDF.

    Raises:
        ArgumentError: `what` is neither, or too large to be read on a slide.
        MissingExtraError: a library of the extra "frames" is not installed.
        SavedFileError: a file cannot be written.
    """
    recording = record(what) if isinstance(what, Value) else what
    if not isinstance(recording, Recording):
        given = f"the {type(what).__name__} {shown(what)}"
        raise ArgumentError(f"frames takes a Value or a recording, not {given}: frames(y, 'folder')")
    if len(recording.nodes) > MOST_NODES or len(recording.events) >= MOST_FRAMES:
        size = f"{len(recording.nodes):,} nodes and {len(recording.events):,} events"
        raise ArgumentError(f"{size} are too many for slides, at most {MOST_NODES} and {MOST_FRAMES}: take a part")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    written, images = [], []
    for i, picture in enumerate(pictures(recording, theme)):
        images.append(png(*picture))
        for suffix, content in ((".svg", picture.svg), (".png", images[-1])):
            atomic_write(target / f"{i:03}{suffix}", content)
            written.append(target / f"{i:03}{suffix}")
    atomic_write(target / "all.gif", _gif(images))
    atomic_write(target / "all.pdf", _pdf(images))
    return [*written, target / "all.gif", target / "all.pdf"]


def pictures(recording: Recording, theme: Theme = "light") -> Iterator[Picture]:
    """Yields the picture before the first event, and that after each event; all have one layout."""
    timeline, teller = Timeline(recording), Teller(recording)
    for i in range(len(recording.events) + 1):
        event = recording.events[i - 1] if i else None
        sentence = teller.sentence(i - 1) if i else "Nothing has happened yet."
        graph = _graph(recording, timeline.at(i), teller.names, event)
        yield _captioned(render_svg(graph, Look(theme)), sentence, theme)


def _graph(recording: Recording, state: State, names: list[str], event: Event | None) -> Graph:
    step = event if isinstance(event, Deposit | Nothing) else None
    lit = {step.giver, step.into} if step else {getattr(event, "node", -1)}
    used = {x for node in recording.nodes for x in node.operands}
    roots = [i for i in range(len(recording.nodes)) if i not in used]
    nodes = [_node(recording, state, i, names[i], i in lit, i in roots) for i in range(len(recording.nodes))]
    edges = [
        Edge(x, i, _local(state, i, local), is_lit=step is not None and (step.giver, step.position) == (i, k))
        for i, node in enumerate(recording.nodes)
        for k, (x, local) in enumerate(zip(node.operands, node.locals, strict=True))
    ]
    return Graph(nodes, edges, roots)


def _node(recording: Recording, state: State, i: int, name: str, is_lit: bool, is_root: bool) -> Node:
    row, gradient = recording.nodes[i], state.gradients[i]
    kind: Kind = ("constant" if row.constant else "leaf") if row.op < 0 else "root" if is_root else "operation"
    symbol = recording.operations[row.op].symbol if row.op >= 0 else ""
    grad = None if gradient.state == NOT_REACHED else gradient.number
    span = None if gradient.state == CONSTANT else Span.of([grad])
    return Node(kind, symbol, "" if row.constant else name, Span.of([state.data[i]]), span, is_lit=is_lit)


def _local(state: State, i: int, local: float | None) -> Span | None:
    """A local derivative; before its result is made, there is none yet."""
    return None if local is None else Span.of([local if state.data[i] is not None else None])


def _captioned(picture: Picture, sentence: str, theme: Theme) -> Picture:
    """A picture with a sentence under it."""
    colours = DARK if theme == "dark" else LIGHT
    width, height = max(picture.width, 560), picture.height + CAPTION
    lines = textwrap.wrap(sentence, max(40, LETTERS * width // 760))[:2]
    text = "".join([
        f'<text x="{width / 2:g}" y="{picture.height + 24 + 22 * i}" font-size="16" text-anchor="middle" '
        f'font-family="{PLAIN_SANS}" fill="{colours["ink"]}">{escaped(line)}</text>' for i, line in enumerate(lines)
    ])  # fmt: skip
    inner = picture.svg.replace("<svg ", f'<svg x="{(width - picture.width) / 2:g}" ', 1)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="{colours["back"]}"/>{inner}{text}</svg>\n'
    )
    return Picture(svg, width, height)


def _gif(images: list[bytes]) -> bytes:
    image: Any = require("PIL.Image", extra="frames")
    pages = [image.open(io.BytesIO(each)).convert("RGB").quantize(128) for each in images]
    file = io.BytesIO()
    pages[0].save(file, "GIF", save_all=True, append_images=pages[1:], duration=MILLISECONDS, loop=0)
    return file.getvalue()


def _pdf(images: list[bytes]) -> bytes:
    fpdf: Any = require("fpdf", extra="frames")
    image: Any = require("PIL.Image", extra="frames")
    width, height = image.open(io.BytesIO(images[0])).size
    document = fpdf.FPDF(unit="pt", format=(width / 2, height / 2))
    document.set_margin(0)
    document.set_auto_page_break(False)
    for each in images:
        document.add_page()
        document.image(io.BytesIO(each), 0, 0, width / 2, height / 2)
    return bytes(document.output())
