"""What the tests of the playground may ask for: its modules, run in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chainrule.see.bundle import joined
from chainrule.see.playground.page import library, texts

ALL = """
import { createRun, knownOf } from "./run.js";
import { storyOf } from "./sample-story.js";
import { toModel, toPython, toTable } from "./exports.js";
import { checked, fromHash, toHash } from "./settings.js";
import { parsePasted } from "./own-data.js";
import { operations } from "./operations.js";
"""


@pytest.fixture(scope="session")
def in_playground(javascript: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function that runs the body of a function of `given` beside the playground's modules, where `library` is
    what Python gives them."""
    module = joined({**texts(), "all.js": ALL}, "all.js")

    def run(body: str, given: Any = None) -> Any:
        return javascript(module, f"const library = given.library; given = given.given; {body}", _given(given))

    return run


def _given(given: Any) -> dict[str, Any]:
    return {"library": library(), "given": given}
