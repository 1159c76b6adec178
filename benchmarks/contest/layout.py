"""How tables and figures look."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Found = tuple[float, float] | None
"""A median and its spread."""
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]


def table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def time(found: Found) -> str:
    if not found:
        return "–"
    size, unit = next((each for each in UNITS if found[0] >= each[0]), UNITS[-1])
    return f"{figure(found[0] / size)} {unit} ({found[1]:.0%})"


def spread(found: Found, factor: float = 1.0) -> str:
    return f"{figure(found[0] * factor)} ({found[1]:.0%})" if found else "–"


def count(n: int) -> str:
    return f"{n // 10**6} M" if n % 10**6 == 0 else f"{n // 1000} k"


def figure(x: float) -> str:
    """Three digits."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def holds(limit: float, at_least: bool, figure: float) -> bool:
    return figure >= limit if at_least else figure <= limit


def targets(console: Console, heading: str, rows: list[tuple[str, float, bool, float | None]]) -> None:
    """A row a target: what it is about, its limit, whether that is the least or the most, and the figure found."""
    console.print(f"[bold]{heading}[/bold]")
    targets = table("target", "bound", "this run", "holds")
    for title, limit, at_least, found in rows:
        bound = f"{'≥' if at_least else '≤'} {limit:g}"
        if found is None:
            targets.add_row(title, bound, "–", "–")
        else:
            verdict = "yes" if holds(limit, at_least, found) else "[red]no[/red]"
            targets.add_row(title, bound, figure(found), verdict)
    console.print(targets, end="\n\n")
