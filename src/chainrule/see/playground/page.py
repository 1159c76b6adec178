"""`playground()`: the page in which a small net trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.core.operation import TABLE
from chainrule.see.bundle import PAGE, joined, modules, page_of
from chainrule.see.javascript import module_of
from chainrule.see.pages import style
from chainrule.see.playground.templates import operations_in, templates

HERE = Path(__file__).parent
"""The folder of the playground's own modules."""

ACTIVATIONS = ("tanh", "relu", "sigmoid", "gelu", "silu", "mish", "softplus", "sin", "linear")
"""What a hidden neuron may do with its sum; "linear" is nothing."""


def library() -> dict[str, Any]:
    """All that the modules of the playground take from Python: the templates of losses and optimisers, the names of
    activations, and how operations are drawn.

    >>> sorted(library())
    ['activations', 'losses', 'optimizers', 'symbols']
    """
    found = templates()
    drawn = {name: TABLE[name] for name in _operations(found)}
    symbols = {name: {"symbol": op.symbol, "operands": op.operand_names} for name, op in drawn.items()}
    return {**found, "activations": list(ACTIVATIONS), "symbols": symbols}


def texts() -> dict[str, str]:
    """The modules of the page, by file name, with those operations of the table that a net may use."""
    used = [TABLE[name] for name in _operations(templates())]
    return {**modules(PAGE, HERE), "operations.js": module_of(used)}


def playground() -> str:
    """Returns the page: one file, which needs no network.

    >>> playground()[:15]
    '<!doctype html>'
    """
    sheet = f"{style()}\n{(HERE / 'playground.css').read_text(encoding='utf-8')}"
    return page_of("chainrule's playground", joined(texts(), "playground.js"), sheet, library())


def _operations(found: dict[str, dict[str, Any]]) -> list[str]:
    named = [*operations_in(found), "weighted_sum", *[name for name in ACTIVATIONS if name != "linear"]]
    return list(dict.fromkeys(named))
