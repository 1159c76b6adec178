"""Checks that contestants calculated the same: the last column of the tables."""

from __future__ import annotations

from contest.contestants import COLLECTOR_OFF, FLOATS, MICROGRAD, OWN_VALUE
from contest.demo import OWN
from contest.rounds import Results

STEPS = 10  # of the demo that are compared


def gradient(results: Results, name: str, bound: float = 1e-12) -> str:
    """The largest error that a contestant found in its own gradient."""
    return _verdict(max(answer["off"] for answer in results.answers[name]), bound)


def demo(results: Results, name: str, measure: str) -> str:
    """The losses of the first steps against micrograd's; plain floats stand still at the first."""
    reference = next((n for n in (MICROGRAD, COLLECTOR_OFF) if n in results.answers), None)
    if reference is None:
        return "–"
    theirs = [answer["losses"][OWN] for answer in results.answers[reference]][:STEPS]
    if name == reference:
        return "–"
    ours = [answer["losses"][measure] for answer in results.answers[name]][: 1 if name == FLOATS else len(theirs)]
    difference = max(abs(a - b) for a, b in zip(ours, theirs, strict=False))
    return _verdict(difference, 1e-12)


def gpt(results: Results, name: str) -> str:
    """The losses of the untrained model on all names against those on plain floats."""
    if name == FLOATS or FLOATS not in results.answers:
        return "–"
    ours, theirs = (results.answers[n][0]["losses"] for n in (name, FLOATS))
    return _verdict(max(abs(a - b) for a, b in zip(ours, theirs, strict=True)), 1e-9)


def script(results: Results, name: str) -> str:
    """The losses of the script's first steps against those with its own Value; on floats, the first loss alone."""
    if name == OWN_VALUE or OWN_VALUE not in results.answers:
        return "–"
    ours, theirs = (results.answers[n][0]["losses"] for n in (name, OWN_VALUE))
    return _verdict(max(abs(a - b) for a, b in zip(ours, theirs, strict=False)), 1e-9)


def _verdict(difference: float, bound: float) -> str:
    if not difference <= bound:
        return f"[red]WRONG: {difference:.0e}[/red]"
    return f"{difference:.0e}" if difference else "equal"
