"""The layout of tables and figures."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

MedianAndSpread = tuple[float, float] | None
"""A median and its spread."""
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]


def table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def time(summary: MedianAndSpread) -> str:
    if not summary:
        return "–"
    size, unit = next((each for each in UNITS if summary[0] >= each[0]), UNITS[-1])
    return f"{figure(summary[0] / size)} {unit} ({summary[1]:.0%})"


def spread(summary: MedianAndSpread, factor: float = 1.0) -> str:
    return f"{figure(summary[0] * factor)} ({summary[1]:.0%})" if summary else "–"


def count(n: int) -> str:
    return f"{n // 10**6} M" if n % 10**6 == 0 else f"{n // 1000} k"


def figure(x: float) -> str:
    """A number with three digits."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def holds(limit: float, at_least: bool, figure: float) -> bool:
    return figure >= limit if at_least else figure <= limit


def targets(console: Console, heading: str, rows: list[tuple[str, float, bool, float | None]]) -> None:
    """Prints a row for each target: its title, its limit, whether that is a lower or an upper bound, and the measured
    figure."""
    console.print(f"[bold]{heading}[/bold]")
    targets = table("target", "bound", "this run", "holds")
    for title, limit, at_least, measured in rows:
        bound = f"{'≥' if at_least else '≤'} {limit:g}"
        if measured is None:
            targets.add_row(title, bound, "–", "–")
        else:
            verdict = "yes" if holds(limit, at_least, measured) else "[red]no[/red]"
            targets.add_row(title, bound, figure(measured), verdict)
    console.print(targets, end="\n\n")
