"""`chainrule learn`: the course in the terminal."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

from chainrule.cli.codes import FINE
from chainrule.cli.screen import remark
from chainrule.core.extras import require
from chainrule.core.files import atomic_write, read_file
from chainrule.errors import ArgumentError
from chainrule.learn.audit import audit, write_outcomes
from chainrule.learn.drawing import story_of
from chainrule.learn.examine import Result, examine
from chainrule.learn.exercise import Exercise, course, find
from chainrule.learn.progress import MY, Progress
from chainrule.see.pages import page

NOT_YET = 1
"""The exit code of a check that finds something wrong."""

WIDTH = 96


def _console() -> Any:
    console = require("rich.console", extra="cli").Console(highlight=False)
    console.width = min(console.width, WIDTH)
    return console


def _here() -> tuple[Progress, list[Exercise]]:
    return Progress.load(Path.cwd()), course()


def _present(progress: Progress, exercises: list[Exercise], name: str = "") -> Exercise:
    """The exercise of this name, or the one that the learner is at."""
    if not name and not progress.at:
        raise ArgumentError("the course has not begun in this folder: chainrule learn next begins it here")
    return find(name or progress.at, exercises)


def where() -> int:
    """Shows the lesson of the present exercise, what is required, and how to go on."""
    progress, exercises = _here()
    console = _console()
    if not progress.at:
        console.print(
            f"A course of {len(exercises)} exercises: build an autograd engine of your own, checked step by step."
        )
        console.print(f"[bold]chainrule learn next[/] begins it in this folder; your files will be in {MY}/.")
        return FINE
    exercise = _present(progress, exercises)
    _show(console, exercise, progress)
    return FINE


def _show(console: Any, exercise: Exercise, progress: Progress) -> None:
    markdown = require("rich.markdown", extra="cli").Markdown
    console.print(markdown(exercise.lesson))
    console.print()
    console.rule(f"[bold]{exercise.name}[/]: what is required", align="left")
    for each in exercise.requires:
        console.print(f"  • {each}", markup=False)
    console.print()
    console.print(f"Your file: [bold]{progress.file_of(exercise).relative_to(progress.folder)}[/]")
    done = exercise.name in progress.solved
    console.print(
        "Solved. [bold]chainrule learn next[/] goes on."
        if done
        else "[bold]chainrule learn check[/] checks it; [bold]chainrule learn hint[/] helps."
    )


def list_all() -> int:
    """Lists the exercises."""
    progress, exercises = _here()
    console = _console()
    for exercise in exercises:
        mark = (
            "[green]✓[/]" if exercise.name in progress.solved else "[bold]→[/]" if exercise.name == progress.at else " "
        )
        console.print(f" {mark} [bold]{exercise.name}[/]  {exercise.title}")
    console.print(f"\n{len(progress.solved)} of {len(exercises)} solved")
    return FINE


def go_on(skip: bool) -> int:
    """Goes to the next exercise, if the present one is solved, or is to be skipped."""
    progress, exercises = _here()
    names = [each.name for each in exercises]
    if progress.at and progress.at not in progress.solved and not skip:
        raise ArgumentError(f"{progress.at} is not solved yet: chainrule learn check, or chainrule learn next --skip")
    place = names.index(progress.at) + 1 if progress.at in names else 0
    if place == len(names):
        _console().print(
            "That was the last exercise: your engine is whole. [bold]chainrule learn see[/] shows it at work."
        )
        return FINE
    exercise = exercises[place]
    is_new = progress.begin(exercise)
    _show(_console(), exercise, progress)
    file = progress.file_of(exercise).relative_to(progress.folder)
    remark(f"{file} is where you write{'' if is_new else '; it goes on from what you have'}")
    return FINE


def check(name: str) -> int:
    """Checks the learner's file for an exercise."""
    progress, exercises = _here()
    exercise = _present(progress, exercises, name)
    result = examine(exercise, _text_of(progress, exercise))
    tell(_console(), result, progress)
    if result.right:
        progress.note_solved(exercise)
    return FINE if result.right else NOT_YET


def _text_of(progress: Progress, exercise: Exercise) -> str:
    file = progress.file_of(exercise)
    if not file.exists():
        raise ArgumentError(f"{MY}/{exercise.file} is not there: chainrule learn reset {exercise.name} writes it anew")
    return read_file(file).decode("utf-8-sig")


def tell(console: Any, result: Result, progress: Progress) -> None:
    """Says what a check found."""
    exercise = result.exercise
    if result.right:
        console.print(f"[bold green]✓ {exercise.title}[/]: all {len(exercise.probes)} of {len(exercise.probes)} hold.")
        console.print("[bold]chainrule learn next[/] goes on; [bold]chainrule learn solution[/] shows another way.")
        return
    assert result.probe is not None
    at = f", line {result.line}" if result.line else ""
    console.print(f"[bold red]Not yet[/] ({MY}/{exercise.file}{at}).", end="\n\n")
    console.print(f"  run:       {result.probe.words}", markup=False)
    console.print(f"  expected:  {result.expected}", markup=False)
    console.print(f"  found:     {result.found}", markup=False)
    if result.diagnosis:
        console.print(f"\n{result.diagnosis}", markup=False)
    left = len(exercise.hints) - progress.hints.get(exercise.name, 0)
    if left > 0:
        console.print(f"\n[dim]{left} {'hint' if left == 1 else 'hints'} left: chainrule learn hint[/]")


def watch(name: str) -> int:
    """Checks whenever the learner's file is saved, until it is right or Ctrl-C."""
    progress, exercises = _here()
    exercise = _present(progress, exercises, name)
    changes = require("watchfiles", extra="learn")
    remark(f"watching {MY}/{exercise.file}: save it, and it is checked; Ctrl-C ends")
    if check(name) == FINE:
        return FINE
    for _ in changes.watch(progress.file_of(exercise).parent, raise_interrupt=False):
        if check(name) == FINE:
            return FINE
    return NOT_YET


def hint(name: str) -> int:
    """Shows the next hint."""
    progress, exercises = _here()
    exercise = _present(progress, exercises, name)
    count = min(progress.hints.get(exercise.name, 0) + 1, len(exercise.hints))
    progress.hints[exercise.name] = count
    progress.save()
    console = _console()
    for i, words in enumerate(exercise.hints[:count], 1):
        console.print(f"{i}. {words}", markup=False)
    left = len(exercise.hints) - count
    console.print(f"[dim]{left} more[/]" if left else "[dim]that is the last one[/]")
    return FINE


def solution(name: str) -> int:
    """Shows a solution: once the exercise is solved, or if asked twice."""
    progress, exercises = _here()
    exercise = _present(progress, exercises, name)
    asked = progress.asked.get(exercise.name, 0) + 1
    progress.asked[exercise.name] = asked
    progress.save()
    if exercise.name not in progress.solved and asked < 2:
        _console().print("It is not solved yet. Ask once more, and the solution is shown; a hint may be enough.")
        return NOT_YET
    syntax = require("rich.syntax", extra="cli").Syntax
    for each in exercise.right:
        _console().print(f"[dim]{each.name}[/]")
        _console().print(syntax(each.text, "python", theme="ansi_dark", background_color="default"))
    return FINE


def reset(name: str) -> int:
    """Writes the starter of an exercise anew; what was there is kept beside it."""
    progress, exercises = _here()
    exercise = _present(progress, exercises, name)
    kept = progress.reset(exercise)
    remark(f"{MY}/{exercise.file} begins anew" + (f"; what was there is in {MY}/{kept.name}" if kept else ""))
    return FINE


def see(show: bool) -> int:
    """Writes the page of a graph that the learner's engine builds, stepped through from their own lines."""
    progress, _ = _here()
    file = progress.folder / MY / "engine.py"
    if not file.exists():
        raise ArgumentError(f"there is no {MY}/engine.py yet: it begins with exercise 03")
    target = progress.folder / "my-engine.html"
    atomic_write(target, page(story_of(file)))
    remark(f"the page is in {target.name}")
    if show and not webbrowser.open(target.resolve().as_uri()):
        raise ArgumentError(f"no browser could be started: open {target.name} yourself")
    return FINE


def test(folder: Path, write: bool) -> int:
    """Says what is wrong with an exercise's folder, for authors."""
    exercise = Exercise(folder.resolve())
    if write:
        write_outcomes(exercise)
    faults = audit(exercise)
    for fault in faults:
        print(f"{exercise.name}: {fault}")
    if not faults:
        counts = f"{len(exercise.right)} right, {len(exercise.wrong)} wrong, {len(exercise.probes)} probes"
        print(f"{exercise.name} does what it says: {counts}")
    return NOT_YET if faults else FINE
