"""Graphs that the playground calculates with, recorded from the library itself: what a loss does with a score, what an
optimiser does with a parameter. So the page has no formula of its own.

A template is data for JSON: `nodes` has a row `[operation, operands, number]` for each node, operands first, where the
operation of a leaf is None; `inputs` and `outputs` have the places of named nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.engine import Value, topological_order
from chainrule.optim import SGD, Adam, AdamW, Optimizer
from chainrule.training import LOSSES

Template = dict[str, Any]

OF_ONE_SCORE = ("binary_cross_entropy", "max_margin", "mean_squared_error", "mean_absolute_error")
"""The losses for two classes and a net of one output."""

OPTIMIZERS: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "SGD": (SGD, {}),
    "SGD with momentum": (SGD, {"momentum": 0.9}),
    "Adam": (Adam, {}),
    "AdamW": (AdamW, {"weight_decay": 0.01}),
}
"""The optimisers of the playground, and their options beside the rate."""


def template(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> Template:
    """The graph between some leaves and some results.

    >>> a, b = Value(2.0), Value(3.0)
    >>> template({"a": a, "b": b}, {"product": a * b})["nodes"]
    [[None, [], 2.0], [None, [], 3.0], ['mul', [0, 1], 6.0]]
    """
    places: dict[int, int] = {}
    rows: list[list[Any]] = []
    for root in [*inputs.values(), *outputs.values()]:
        for node in topological_order(root):
            if id(node) not in places:
                places[id(node)] = len(rows)
                name = node.op.name if node.op else None
                rows.append([name, [places[id(x)] for x in node.operands], node.data])

    def where(named: Mapping[str, Value]) -> dict[str, int]:
        return {name: places[id(node)] for name, node in named.items()}

    return {"nodes": rows, "inputs": where(inputs), "outputs": where(outputs)}


def loss_template(name: str) -> Template:
    """The loss of one score: inputs `score` and `target`, output `loss`.

    >>> [row[0] for row in loss_template("max_margin")["nodes"]]
    [None, None, None, 'mul', 'sub', 'relu', 'sum', None, 'mul']
    """
    score, target = Value(0.5, label="score"), Value(1.0, label="target")
    return template({"score": score, "target": target}, {"loss": LOSSES[name]([score], [target])})


def optimizer_template(kind: type[Optimizer], options: Mapping[str, Any]) -> Template:
    """One step of an optimiser for one parameter: inputs `data`, `grad`, `lr`, `steps` (this one counted already) and
    what the optimiser remembers; outputs `data` and what it remembers then.

    >>> sorted(optimizer_template(Adam, {})["inputs"])
    ['data', 'grad', 'lr', 'mean', 'square', 'steps']
    """
    inputs = {name: Value(0.5) for name in ("data", "grad", "lr", "steps", *kind.slots)}
    optimizer = kind([Value(0.0)], **options)
    optimizer.steps = inputs["steps"]  # type: ignore[assignment]
    optimizer.memory = {name: [inputs[name]] for name in kind.slots}  # type: ignore[list-item]
    (data,) = optimizer.updated([inputs["data"]], [inputs["grad"]], inputs["lr"])  # type: ignore
    kept = {name: column[0] for name, column in optimizer.memory.items()}
    return template(inputs, {"data": data, **kept})  # type: ignore[dict-item]


def templates() -> dict[str, dict[str, Any]]:
    """All templates, by what they are for and by name."""
    return {
        "losses": {name: loss_template(name) for name in OF_ONE_SCORE},
        "optimizers": {
            name: {"class": kind.__name__, "options": options, **optimizer_template(kind, options)}
            for name, (kind, options) in OPTIMIZERS.items()
        },
    }


def operations_in(found: Mapping[str, Mapping[str, Template]]) -> Sequence[str]:
    """The names of the operations that templates use, each once."""
    rows = [row for group in found.values() for one in group.values() for row in one["nodes"]]
    return list(dict.fromkeys([row[0] for row in rows if row[0] is not None]))
