"""The signature of a loss: checks the arguments that a step is given."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any

from chainrule.errors import ArgumentError, shown

NO_BATCHES = (str, bytes, dict, set, frozenset)
"""Iterables that are certainly not a tuple of arguments."""


class LossArguments:
    """The positional arguments that a loss takes. A loss without a readable signature takes any number.

    Attributes:
        signature: the signature; None if Python cannot tell.
        least, most: the fewest and the most arguments.
        names: their names.
        by_name_alone: the required keyword-only arguments, which a step cannot give.
    """

    def __init__(self, loss: Callable) -> None:
        try:
            self.signature: inspect.Signature | None = inspect.signature(loss)
        except (TypeError, ValueError):
            self.signature = None
        self.least, self.most, self.names = 0, math.inf, ["x", "y"]
        self.by_name_alone: list[str] = []
        if self.signature is not None:
            self.names = self._read(self.signature)
            self._read(inspect.signature(loss, follow_wrapped=False))  # a decorator may take more than its function

    def _read(self, signature: inspect.Signature) -> list[str]:
        given = list(signature.parameters.values())
        own = [p for p in given if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        more = [f"*{p.name}" for p in given if p.kind is p.VAR_POSITIONAL]
        self.least = sum([p.default is p.empty for p in own])
        self.most = math.inf if more else len(own)
        self.by_name_alone = [p.name for p in given if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
        return [p.name for p in own] + more

    @property
    def how_to_run(self) -> str:
        """How to call `run`, for errors."""
        shown = ", ".join(self.names) + ("," if len(self.names) == 1 else "")
        return f"run takes a list with one tuple of arguments for each step: step.run([({shown}), ...])"

    def bound(self, args: tuple, named: dict[str, Any]) -> tuple:
        """Returns the arguments of one step by position.

        Raises:
            ArgumentError: the loss takes other arguments, or one cannot be given by position.
        """
        if named and self.signature is not None:
            try:
                found = self.signature.bind(*args, **named)
            except TypeError as error:
                raise ArgumentError(f"the loss: {error}") from None
            args, named = found.args, found.kwargs
        if named:
            raise ArgumentError(f"a step takes arguments of the loss by position: give {', '.join(named)} by position")
        self._check(args)
        return args

    def of_each(self, batches: list[Any] | tuple) -> list[tuple]:
        """Returns the arguments of many steps.

        Raises:
            ArgumentError: the loss does not take the arguments of some step.
        """
        least, most = (1, 0) if self.by_name_alone else (self.least, self.most)
        return [
            batch if type(batch) is tuple and least <= len(batch) <= most else self.of_one(batch, at)
            for at, batch in enumerate(batches)
        ]

    def of_one(self, batch: Any, at: int) -> tuple:
        """Returns the arguments of one step of many, that with the index `at`."""
        if type(batch) is not tuple and (isinstance(batch, NO_BATCHES) or not isinstance(batch, Iterable)):
            raise ArgumentError(f"step {at} has the {type(batch).__name__} {shown(batch)}: {self.how_to_run}")
        args = tuple(batch)
        if not self.least <= len(args) <= self.most or self.by_name_alone:
            self._check(args, f"step {at} has", f": {self.how_to_run}")
        return args

    def _check(self, args: tuple, how: str = "was given", hint: str = "") -> None:
        if self.by_name_alone:
            raise ArgumentError(
                f"the loss takes {', '.join(self.by_name_alone)} by name alone: a step gives arguments by position"
            )
        if self.least <= len(args) <= self.most:
            return
        least, most = self.least, self.most
        count = f"{least} or more" if most == math.inf else str(most) if least == most else f"{least} to {most}"
        noun = "argument" if most == 1 else "arguments"
        names = "".join([f", {name}" for name in self.names])
        raise ArgumentError(f"the loss takes {count} {noun}{names}, but {how} {len(args)}{hint}")
