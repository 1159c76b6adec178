"""The table and the plot of the measurements."""

from __future__ import annotations

from pathlib import Path

from contest import layout
from rich.console import Console

from compiled_contest.contestants import CONTESTANTS
from compiled_contest.growth.measure import ENGINES, FAMILIES, Growth


def show(console: Console, growth: Growth) -> None:
    console.print("[bold]growth[/bold]: set-up, each in a fresh process, and run time by the number of operations")
    console.print("regular: the loss of moons_lists over more and more points; irregular: as irregular_wide")
    table = layout.table("contestant", "operations", "set-up", "× a decade", "a run", "× a decade", "ns an operation")
    for engine in ENGINES:
        for family in FAMILIES:
            ratios = {what: growth.per_decade(engine, family, what) for what in ("setup", "run")}
            for p in growth.line(engine, family):
                grown = [layout.figure(own[p.operations]) if p.operations in own else "" for own in ratios.values()]
                setup, run = (layout.time((seconds, 0.0)).removesuffix(" (0%)") for seconds in (p.setup, p.run))
                nanoseconds = layout.figure(1e9 * p.run / p.operations)
                name = f"{CONTESTANTS[engine].title}, {family}"
                table.add_row(name, f"{p.operations:,}", setup, grown[0], run, grown[1], nanoseconds)
    console.print(table, end="\n\n")
    for title, failure in growth.failed.items():
        console.print(f"  {title}: {failure}", markup=False)
    console.print()


def draw(growth: Growth, file: Path) -> None:
    """Two panels, both scales logarithmic."""
    import matplotlib as mpl  # noqa: PLC0415 - not needed but here

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for panel, what, title in zip(panels, ("setup", "run"), ("set-up", "value and gradient"), strict=True):
        for engine, dash in zip(ENGINES, ("-", "--"), strict=True):
            for family, colour in zip(FAMILIES, ("tab:blue", "tab:orange"), strict=True):
                line = growth.line(engine, family)
                x, y = [p.operations for p in line], [getattr(p, what) for p in line]
                if line:
                    panel.loglog(x, y, dash, color=colour, marker="o", label=f"{CONTESTANTS[engine].title}, {family}")
        panel.set(title=title, xlabel="recorded operations", ylabel="seconds")
        panel.grid(alpha=0.3)
    if growth.points:
        panels[0].legend(fontsize="small")
    figure.savefig(file, dpi=150)
    plt.close(figure)
