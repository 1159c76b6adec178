"""The graph of a point, as the page shows it, is that which Python records."""

from __future__ import annotations

import pytest

import chainrule
from chainrule.nn import MLP
from chainrule.training import LOSSES

from .usual import USUAL

NUMBERS = {"deposit": ("upstream", "local", "product", "before", "after"), "nothing": ("upstream", "local")}
"""What is compared of each event."""


def recorded(parameters, settings, point, target):
    """What Python records of the same sample, loss and backward()."""
    model = MLP(2, [*settings["hidden"], 1], activation=settings["activation"])
    for parameter, x in zip(model.parameters(), parameters, strict=True):
        parameter.data = x
    with chainrule.recording(source=False) as story:
        LOSSES[settings["loss"]]([model(point)], [target]).backward()
    return story


def alike(mine, theirs):
    """Whether numbers are the same but for rounding; None, where no derivative flows, is only None."""
    return len(mine) == len(theirs) and all(
        a == (b if b is None else pytest.approx(b, rel=1e-12, abs=1e-15)) for a, b in zip(mine, theirs, strict=True)
    )


def paired(story, shown):
    """The page's node of each of Python's, by walking both graphs from their roots; each pair is compared."""
    names = [operation.name for operation in story.operations], [operation["name"] for operation in shown["operations"]]
    (root,) = [event.root for event in story.events if type(event).__name__ == "Began"]
    (mine,) = [event["node"] for event in shown["events"] if event["kind"] == "began"]
    found, stack = {}, [(root, mine)]
    while stack:
        a, b = stack.pop()
        assert found.setdefault(a, b) == b
        theirs, node = story.nodes[a], shown["nodes"][b]
        assert [theirs.op < 0 or names[0][theirs.op], theirs.constant] == [
            node["op"] < 0 or names[1][node["op"]],
            node["constant"],
        ]
        assert alike([node["data"], *node["locals"]], [theirs.data, *theirs.locals])
        stack += zip(theirs.operands, node["operands"], strict=True)
    return found


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("tanh", "max_margin"),
        ("relu", "max_margin"),
        ("gelu", "binary_cross_entropy"),
        ("silu", "mean_squared_error"),
        ("linear", "mean_absolute_error"),
    ],
)
@pytest.mark.parametrize("hidden", [[], [4, 3]])
def test_it_has_the_nodes_and_events_that_python_records(in_playground, activation, loss, hidden):
    settings = {**USUAL, "activation": activation, "loss": loss, "hidden": hidden}
    samples = in_playground(
        """
        const run = createRun(given, library, operations);
        for (let i = 0; i < 20; i += 1) run.step();
        const { points, targets, labels } = run.data.train;
        return [0, 1, 2, 3].map((k) => {
          const sample = { x1: points[k][0], x2: points[k][1], label: labels[k], target: targets[k] };
          return [storyOf(run, sample, library.symbols), [...run.parameters], points[k], targets[k]];
        });
        """,
        settings,
    )
    for shown, parameters, point, target in samples:
        story = recorded(parameters, settings, point, target)
        places = paired(story, shown)
        assert set(places) == set(range(len(story.nodes)))
        assert set(places.values()) == set(range(len(shown["nodes"])))  # x1 and x2 are drawn once, whatever uses them
        events = [event for event in story.events if type(event).__name__ in {"Deposit", "Nothing"}]
        mine = [event for event in shown["events"] if event["kind"] in NUMBERS]
        for event, seen in zip(events, mine, strict=True):
            assert seen["kind"] == type(event).__name__.lower()
            assert [seen["giver"], seen["position"], seen["into"]] == [
                places[event.giver],
                event.position,
                places[event.into],
            ]
            numbers = NUMBERS[seen["kind"]]
            assert alike([seen[name] for name in numbers], [getattr(event, name) for name in numbers])
            assert seen.get("why", "") == getattr(event, "why", "")
