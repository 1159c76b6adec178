"""The tables of `compiled.py`."""

from __future__ import annotations

from contest import layout
from rich.console import Console

from compiled_contest.contestants import C_TWICE, CONTESTANTS, C
from compiled_contest.rounds import Measurements
from compiled_contest.workloads import WORKLOADS


def show(console: Console, workload: str, measured: Measurements) -> None:
    what = WORKLOADS[workload]
    console.print(f"[bold]{workload}[/bold]: {what.title}")
    table = layout.table("contestant", f"time of {what.step}", "÷ C", "set-up", "check")
    table.add_column("", justify="left")
    for name in what.names:
        if name in measured.opened:
            row = (layout.time(measured.time(name)), layout.spread(measured.ratio(name)), _setup(measured, name))
            table.add_row(CONTESTANTS[name].title, *row, _check(measured, name), measured.opened[name]["note"])
    console.print(table, end="\n\n")
    for verb, reasons in (("absent", measured.absent), ("failed", measured.failed), ("left out", what.left_out)):
        for line in _gathered(reasons):
            console.print(f"  {verb}: {line}", markup=False)
    console.print()


def _gathered(reasons: dict[str, str]) -> list[str]:
    """A line a reason."""
    return [
        f"{', '.join(CONTESTANTS[name].title for name in reasons if reasons[name] == reason)}: {reason}"
        for reason in dict.fromkeys(reasons.values())
    ]


def _setup(measured: Measurements, name: str) -> str:
    seconds = measured.setup(name)
    if seconds is None:
        return "–"
    return layout.time((seconds, 0.0)).removesuffix(" (0%)") + (" (cc)" if name in (C, C_TWICE) else "")


def _check(measured: Measurements, name: str) -> str:
    if name == measured.reference():
        return "–"
    deviation = measured.deviation(name)
    assert deviation is not None
    return (
        f"[red]WRONG: {deviation:.0e}[/red]"
        if name in measured.wrong()
        else f"{deviation:.0e}"
        if deviation
        else "equal"
    )
