"""The stepper in a terminal: keys, what is shown, questions."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("textual")

from textual.widgets import DataTable, Static

import chainrule
from chainrule import Value
from chainrule.expression import parse
from chainrule.see.recording.graphs import record_expression
from chainrule.see.telling import Teller
from chainrule.see.terminal import Stepper


def stepped(recording, *keys, size=(120, 40)):
    """What the stepper shows after some keys: its table, its texts, its position."""

    async def run():
        app = Stepper(recording)
        async with app.run_test(size=size) as pilot:
            await pilot.press(*keys)
            await pilot.pause()
            table = app.query_one(DataTable)
            rows = [[cell.plain for cell in table.get_row_at(i)] for i in range(table.row_count)]
            texts = {name: str(app.query_one(f"#{name}", Static).render()) for name in ("sentence", "text", "question")}
            return rows, texts, app.position

    with ThreadPoolExecutor(1) as thread:  # since a browser of other tests has a loop in this one
        return thread.submit(lambda: asyncio.run(run())).result()


@pytest.fixture(scope="module")
def story():
    return record_expression(parse("tanh(x*w + b)", {"x": 2.0, "w": -3.0, "b": 6.5}))


def test_it_begins_with_nothing_and_ends_with_every_gradient(story):
    rows, texts, _ = stepped(story)
    assert [row[2] for row in rows] == [""] * 6
    assert "Nothing has happened yet" in texts["sentence"]
    rows, texts, position = stepped(story, "end")
    assert position == len(story.events)
    assert {row[0]: row[3] for row in rows}["x"] == "-2.35934"
    assert "backward() has ended" in texts["sentence"]


def test_each_step_has_its_sentence_and_its_place(story):
    teller = Teller(story)
    _, texts, position = stepped(story, "right", "right", "right")
    assert position == 3
    assert teller.sentence(2) in texts["sentence"]
    assert "tanh(x*w + b)" in texts["text"]
    assert stepped(story, "right", "right", "left")[2] == 1


def test_keys_go_from_deposit_to_deposit(story):
    first = next(i for i, event in enumerate(story.events) if type(event).__name__ == "Deposit") + 1
    assert stepped(story, "n")[2] == first
    assert stepped(story, "n", "n", "b")[2] == first


def test_questions_are_answered_by_numbers():
    a, b = Value(3.0, label="a"), Value(5.0, label="b")
    story = chainrule.record(a * b * 7.0)
    _, texts, _ = stepped(story, "p")
    assert "What is its gradient afterwards?" in texts["question"]
    answers = [stepped(story, "p", str(k))[1]["question"] for k in (1, 2, 3)]
    assert any("right:" in answer for answer in answers)
    assert any("no:" in answer for answer in answers)


def test_without_questions_it_says_so():
    _, texts, _ = stepped(chainrule.record(Value(2.0) + 1), "p")
    assert "What is" not in texts["question"]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_small_terminals(story, size):
    assert stepped(story, "right", size=size)[2] == 1


def test_hostile_labels_are_no_markup():
    rows, texts, _ = stepped(chainrule.record(Value(2.0, label="[bold]x[/]") * 2), "right")
    assert rows[0][0] == "[bold]x[/]"
    assert "[bold]x[/]" in texts["sentence"]
