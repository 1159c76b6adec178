"""The tables of `eager.py`."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from contest import checks, layout
from contest.contestants import COLLECTOR_OFF, COMPILED, CONTESTANTS, FLOATS, MICROGRAD, OWN_VALUE, PURE
from contest.demo import NN, OWN
from contest.rounds import Results
from contest.targets import TARGETS


def multiply_add(console: Console, results: Results) -> None:
    floats = (FLOATS, "forward")
    for measure in ("forward", "backward"):
        console.print(f"[bold]multiply-add, {measure}[/bold]: {_LINES[measure]}")
        _times(console, results, measure, floats, lambda name: checks.gradient(results, name))


_LINES = {
    "forward": "sum(wi * xi for wi, xi in zip(w, x)), 1000 numbers each",
    "backward": "derivatives of the sum; ÷ floats: ÷ their forward",
}


def demo(console: Console, results: Results) -> None:
    floats = (FLOATS, OWN)
    console.print("[bold]micrograd demo, own neuron[/bold]: a step of training with micrograd's own nn.py")
    _times(console, results, OWN, floats, lambda name: checks.demo(results, name, OWN))
    console.print("[bold]micrograd demo, chainrule.nn[/bold]: the same step with chainrule's MLP")
    measures = {COMPILED: NN, PURE: NN, MICROGRAD: OWN, COLLECTOR_OFF: OWN}
    _times(console, results, measures, floats, lambda name: checks.demo(results, name, measures[name]))


def gpt(console: Console, results: Results) -> None:
    console.print("[bold]GPT example[/bold]: a step of training of examples/gpt.py; floats: the same without gradients")
    _times(console, results, "step", (FLOATS, "step"), lambda name: checks.gpt(results, name))
    console.print("\n[bold]GPT example, forward pass alone[/bold]")
    _times(console, results, "forward", (FLOATS, "forward"), lambda name: checks.gpt(results, name))


def microgpt(console: Console, results: Results) -> None:
    console.print("[bold]the script[/bold]: a step of its training; floats: the same without gradients")
    _times(console, results, "step", (FLOATS, "step"), lambda name: checks.script(results, name))


def _times(
    console: Console,
    results: Results,
    measure: str | dict[str, str],
    floats: tuple[str, str],
    check: Callable[[str], str],
) -> None:
    """A row a contestant. Ratios are of times: to plain floats, and of micrograd to the contestant."""
    measures = measure if isinstance(measure, dict) else dict.fromkeys(CONTESTANTS, measure)
    rows = [name for name in measures if results.time(name, measures[name])]
    rivals = [name for name in (MICROGRAD, COLLECTOR_OFF, OWN_VALUE) if name in rows]
    table = layout.table("contestant", "time", "÷ floats", *[_RIVALS[name] for name in rivals])
    table.add_column("check", justify="left")
    for name in rows:
        mine = (name, measures[name])
        ratios = [results.ratio(mine, floats), *[results.ratio((rival, measures[rival]), mine) for rival in rivals]]
        table.add_row(
            CONTESTANTS[name].title, layout.time(results.time(*mine)), *map(layout.spread, ratios), check(name)
        )
    _show(console, table, results)


_RIVALS = {MICROGRAD: "micrograd ÷", COLLECTOR_OFF: "no gc ÷", OWN_VALUE: "its own ÷"}


def memory(console: Console, results: Results) -> None:
    console.print("[bold]node memory[/bold]: bytes of a node of two operands")
    table = layout.table("contestant", "nodes", "object alone", "resident")
    for name, (answer,) in results.answers.items():
        whole = answer["resident"]
        table.add_row(
            CONTESTANTS[name].title,
            layout.count(answer["count"]),
            str(answer["object"]),
            f"{whole:.1f}" if whole else "?",
        )
    _show(console, table, results)


def build(console: Console, results: Results) -> None:
    console.print("[bold]build and free[/bold]: nanoseconds a node, in a chain of x = x + y")
    table = layout.table("contestant", "nodes", "build", "backward", "free", "all", "÷ floats")
    table.add_column("check", justify="left")
    for name, answers in results.answers.items():
        times = [results.time(name, measure) for measure in ("build", "backward", "free")]
        table.add_row(
            CONTESTANTS[name].title,
            layout.count(answers[0]["count"]),
            *[f"{1e9 * each[0]:,.0f}" if each else "–" for each in times],
            layout.spread(results.time(name, "all"), 1e9),
            layout.spread(results.ratio((name, "all"), (FLOATS, "all"))),
            checks.gradient(results, name),
        )
    _show(console, table, results)


def targets(console: Console, results: dict[str, Results]) -> None:
    rows = [(target.title, target.limit, target.at_least, target.figure(results)) for target in TARGETS]
    if any(figure is not None for *_, figure in rows):
        layout.targets(console, "What chainrule means to reach", rows)


SHOW = {
    **{"multiply-add": multiply_add, "demo": demo, "gpt": gpt, "memory": memory, "build": build},
    "microgpt": microgpt,
}


def _show(console: Console, table: Table, results: Results) -> None:
    if table.row_count:
        console.print(table)
    console.print()
    for name, failure in results.failures.items():
        console.print(f"  {CONTESTANTS[name].title} is left out here: {failure}", markup=False)
