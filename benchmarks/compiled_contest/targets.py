"""The targets of the compiler, each with the figure of this run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiled_contest.contestants import AADC, C_TWICE, COMPILED, JAX, JAX_SCAN, NUMPY, TWO_THREADS, C
from compiled_contest.growth.measure import Growth
from compiled_contest.rounds import Measurements


@dataclass(frozen=True)
class Target:
    title: str
    workload: str
    figure: Callable[[Measurements], float | None]
    limit: float
    at_least: bool = False


def times_c(workload: str, limit: float) -> Target:
    def figure(measured: Measurements) -> float | None:
        ratio = measured.ratio(COMPILED)
        return ratio and ratio[0]

    return Target(f"{workload}: times C", workload, figure, limit)


def ahead_of(workload: str, name: str, title: str, limit: float = 1.0) -> Target:
    return Target(
        f"{workload}: {title}, how often as long", workload, lambda p: p.between(name, COMPILED), limit, at_least=True
    )


def set_up(workload: str, seconds: float) -> Target:
    return Target(f"{workload}: seconds of set-up", workload, lambda p: p.setup(COMPILED), seconds)


def off(workload: str, what: str, limit: float) -> Target:
    return Target(f"{workload}: {what}, difference from eager", workload, lambda p: p.deviation(COMPILED), limit)


def scaling(measured: Measurements) -> float | None:
    """The speed-up by a second thread, relative to the speed-up of C by a second process."""
    ours, theirs = measured.between(COMPILED, TWO_THREADS), measured.between(C, C_TWICE)
    return ours / theirs if ours and theirs else None


TARGETS = [
    times_c("moons", 2.0),
    ahead_of("moons", JAX_SCAN, "JAX scan"),
    off("moons", "losses of 100 steps", 1e-12),
    set_up("moons", 1.0),
    times_c("moons_lists", 3.0),
    set_up("moons_lists", 1.5),
    times_c("asian", 1.6),
    ahead_of("asian", AADC, "AADC", 3.0),
    set_up("asian", 0.3),
    Target("asian: gain by a second thread, as a part of C's", "asian", scaling, 0.9, at_least=True),
    times_c("gpt", 3.0),
    ahead_of("gpt", NUMPY, "NumPy"),
    ahead_of("gpt", JAX, "JAX jit"),
    off("gpt", "losses of 200 steps", 1e-9),
    set_up("gpt", 4.0),
    times_c("irregular_wide", 1.5),
    set_up("irregular_wide", 5.0),
    times_c("irregular_narrow", 1.5),
    set_up("irregular_narrow", 5.0),
    ahead_of("small_scalars", JAX, "JAX jit", 1 / 0.3),
    ahead_of("small_array", JAX, "JAX jit", 2.0),
    times_c("small_logsumexp", 3.0),
    times_c("small_least_squares", 8.0),
    times_c("small_batch", 1.5),
    times_c("small_jacobian", 1.5),
]


def rows(results: dict[str, Measurements], grown: Growth | None) -> list[tuple[str, float, bool, float | None]]:
    """The targets of the workloads that were run, each with its figure, or None if it could not be measured."""
    figures = [(t.title, t.limit, t.at_least, t.figure(results[t.workload])) for t in TARGETS if t.workload in results]
    if grown:
        for what, name in (("setup", "set-up"), ("run", "run time")):
            title = f"growth: {name}, times a decade, from 10,000 operations on"
            figures.append((title, 16, False, grown.worst(COMPILED, what)))
    return figures
