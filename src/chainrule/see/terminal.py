"""`chainrule step`: the timeline of a recording in a terminal, with its source, its deposits and questions.

States, sentences and questions are worked out in `states.py`, `telling.py` and `predictions.py`, as for the page; here
they are only shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Header, ProgressBar, Static

from chainrule.explain.notation import short
from chainrule.see.predictions import Question, question_about
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Began, Deposit, Event, Nothing, Place
from chainrule.see.states import CONSTANT, NOTHING_CAME, NUMBER, Timeline
from chainrule.see.telling import Teller

COLUMNS = ("name", "made of", "number", "gradient")
MOST_LINES = 200


class Stepper(App[None]):
    """Steps through a recording. Arrow keys go on and back; `p` asks what comes next, and a number answers."""

    TITLE = "chainrule"
    CSS = """
    #graph { width: 3fr; height: 1fr; }
    #beside { width: 2fr; border-left: solid $panel; padding: 0 1; }
    #source { height: 1fr; }
    #question { height: auto; padding: 1 0; }
    #sentence { height: auto; min-height: 3; padding: 1 1 0 1; text-style: bold; }
    #bar { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("right", "go(1)", "step"),
        ("left", "go(-1)", "back"),
        ("n", "deposit(1)", "next deposit"),
        ("b", "deposit(-1)", "last deposit"),
        ("home", "start", "start"),
        ("end", "end", "end"),
        ("space", "play", "play"),
        ("p", "predict", "predict"),
        ("q", "quit", "quit"),
    ]

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording, self.timeline, self.teller = recording, Timeline(recording), Teller(recording)
        self.position, self.question, self.answered = 0, None, ""
        self.sub_title = recording.title
        self._player: Any = None
        self._score = [0, 0]

    question: Question | None

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            yield DataTable(id="graph", cursor_type="none", zebra_stripes=True)
            with Vertical(id="beside"):
                with VerticalScroll(id="source"):
                    yield Static(id="text")
                yield Static(id="question")
        yield Static(id="sentence")
        yield ProgressBar(total=max(1, len(self.timeline)), show_eta=False, id="bar")
        yield Footer()

    def on_mount(self) -> None:
        for each in (self.query_one(DataTable), self.query_one("#source")):
            each.can_focus = False  # so that keys are those of the timeline
        self.query_one(DataTable).add_columns(*COLUMNS)
        self._show()

    # ---- time ----
    def action_go(self, by: int) -> None:
        self.position = min(len(self.timeline), max(0, self.position + by))
        self.question, self.answered = None, ""
        self._show()

    def action_start(self) -> None:
        self.action_go(-self.position)

    def action_end(self) -> None:
        self.action_go(len(self.timeline))

    def action_deposit(self, by: int) -> None:
        at = self.position + by
        while 0 < at < len(self.timeline) and not isinstance(self.recording.events[at - 1], Deposit | Nothing):
            at += by
        self.action_go(at - self.position)

    def action_play(self) -> None:
        if self._player is None:
            self._player = self.set_interval(0.8, self._played)
        else:
            self._player.stop()
            self._player = None

    def _played(self) -> None:
        self.action_go(1)
        if self.position == len(self.timeline):
            self.action_play()

    # ---- questions ----
    def action_predict(self) -> None:
        for at in range(self.position, len(self.timeline)):
            began = max((i for i in range(at) if isinstance(self.recording.events[i], Began)), default=None)
            before = self.recording.events[began + 1 : at] if began is not None else []
            question = question_about(self.recording, self.recording.events[at], self.teller.names, before)
            if question is not None and began is not None:
                self.position, self.question, self.answered = at, question, ""
                self._score[1] += 1
                self._show()
                return
        self.notify("there is no further question: go back with the Home key")

    def on_key(self, event: Any) -> None:
        """A number answers the question."""
        if self.question is None or not event.key.isdigit() or not 1 <= int(event.key) <= len(self.question.choices):
            return
        choice = self.question.choices[int(event.key) - 1]
        if choice.is_right:
            self._score[0] += not self.answered
            self.position, self.question = self.position + 1, None
        self.answered = f"{'right' if choice.is_right else 'no'}: {choice.says}"
        self._show()

    # ---- what is seen ----
    def _show(self) -> None:
        event = self.recording.events[self.position - 1] if self.position else None
        self._show_graph(event)
        self.query_one("#text", Static).update(self._source(self._place(event)))
        self.query_one("#question", Static).update(self._asked())
        sentence = self.teller.sentence(self.position - 1) if self.position else "Nothing has happened yet."
        self.query_one("#sentence", Static).update(Text(sentence))
        self.query_one(ProgressBar).update(progress=self.position)

    def _show_graph(self, event: Event | None) -> None:
        state, table = self.timeline.at(self.position), self.query_one(DataTable)
        lit = {getattr(event, "node", -1), getattr(event, "giver", -1), getattr(event, "into", -1)}
        table.clear()
        for i, node in enumerate(self.recording.nodes[:MOST_LINES]):
            data, gradient = state.data[i], state.gradients[i]
            style = "reverse" if i in lit else "dim" if data is None else ""
            made_of = self.teller.formula(i, [self.teller.names[x] for x in node.operands]) if node.op >= 0 else ""
            said = {NUMBER: short(gradient.number), NOTHING_CAME: f"nothing: {gradient.why}", CONSTANT: "constant"}
            cells = (self.teller.names[i], made_of, "" if data is None else short(data), said.get(gradient.state, "·"))
            table.add_row(*[Text(cell, style) for cell in cells])
        if len(self.recording.nodes) > MOST_LINES:
            table.add_row(f"and {len(self.recording.nodes) - MOST_LINES:,} more", "", "", "")

    def _place(self, event: Event | None) -> Place | None:
        if event is None:
            return None
        own = getattr(event, "place", None)
        node = getattr(event, "giver", getattr(event, "node", None))
        return own or (self.recording.nodes[node].place if node is not None else None)

    def _source(self, place: Place | None) -> Text:
        """The text around a place, which is lit."""
        if place is None:
            return Text("")
        source = self.recording.sources[place.source]
        if source.text is None:
            return Text(f"{source.name}, line {place.line}: no text, {source.why}", "dim")
        shown = Text(f"{source.name}\n", "bold")
        for number, line in enumerate(source.text.splitlines(), source.first):
            start = place.column or 0 if number == place.line else 0
            end = place.end_column if number == place.end_line and place.end_column is not None else len(line)
            shown.append(f"{number:4} ", "dim")
            is_lit = place.line <= number <= place.end_line
            for piece, style in _pieces(line, start, end) if is_lit else [(line, "")]:
                shown.append(piece, style)
            shown.append("\n")
        return shown

    def _asked(self) -> Text:
        shown = Text("")
        if self.question is not None:
            shown.append(f"{self.question.asks}\n\n")
            for i, choice in enumerate(self.question.choices, 1):
                shown.append(f"  {i}  {choice.text}\n")
        if self.answered:
            shown.append(f"\n{self.answered}\n", "bold")
        if self._score[1]:
            shown.append(f"\n{self._score[0]} of {self._score[1]} right at the first try", "dim")
        return shown


def _pieces(line: str, start: int, end: int) -> Sequence[tuple[str, str]]:
    return [(line[:start], ""), (line[start:end], "reverse"), (line[end:], "")]
