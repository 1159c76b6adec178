"""A training script that the reader has, such as a copy of microgpt, with one `Value` or another, or on plain floats.

The script must define a `class Value` at its top level, with `data`, `grad` and `backward()`, and train in a loop at
its top level whose body calls `backward()` of a name: `loss.backward()`. What stands before the loop is run once, the
body is a step of training, and what follows the loop is left out. What the script prints is dropped.

For chainrule, the class is left out, and `Value` is chainrule's. For plain floats, the floor, the text is changed as
well: `x.exp()` is a function of a float, `x.data` is x itself, `x.grad` is 0.0, and nothing is written or walked. So a
step is the forward pass, and the arithmetic of the update.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from types import CodeType
from typing import Any, NamedTuple

from contest.kits import Chainrule, Floats, Kit, MissingError
from contest.repeats import Repeats

CHECKED = 10
"""So many steps are compared."""

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": math.fabs,
    "cos": math.cos,
    "exp": math.exp,
    "log": lambda x: math.log(x) if x > 0 else -math.inf,
    "relu": lambda x: x if x > 0 else 0.0,
    "sigmoid": lambda x: 1.0 / (1.0 + math.exp(-x)),
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}
"""The methods of a Value that a script may call, as functions of a float."""


class OwnValue(Kit):
    """The class that the script defines itself."""

    def __init__(self) -> None:
        super().__init__(float)


class Script:
    """The workload: steps of training, which go on round by round."""

    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        plain = isinstance(kit, Floats)
        given = {"Value": kit.leaf} if plain or isinstance(kit, Chainrule) else {}
        parts = Parts.of(Path(sizes["file"]), bool(given), plain)
        self.names: dict[str, Any] = {
            **{"__name__": "script", "__file__": sizes["file"], "print": lambda *_, **__: None},
            **{f"float_{name}": function for name, function in FUNCTIONS.items()},
        }
        self.names |= given
        exec(parts.setup, self.names)
        self.names["steps"] = itertools.cycle(eval(parts.counted, self.names))
        self.body, self.loss, self.kit = parts.body, parts.loss, kit
        self.losses = [self.step() for _ in range(1 if plain else CHECKED)]
        self.repeats = Repeats(sizes["seconds"], 100)

    def step(self) -> float:
        """One step of training; returns its loss."""
        exec(self.body, self.names)
        return float(self.kit.number(self.names[self.loss]))

    def run(self, _: int) -> dict[str, Any]:
        start = perf_counter()
        for _ in range(self.repeats.count):
            self.step()
        return {"seconds": {"step": self.repeats.mean(perf_counter() - start)}, "losses": self.losses}


class Parts(NamedTuple):
    """The parts of a script: its set-up, what its training loop goes through, one round of it, and the loss's name."""

    setup: CodeType
    counted: CodeType
    body: CodeType
    loss: str

    @staticmethod
    def of(file: Path, other_value: bool, plain: bool) -> Parts:
        """Takes a script apart.

        Args:
            file: the script.
            other_value: whether its own class Value is left out.
            plain: whether it is to run on plain floats.

        Raises:
            MissingError: it has no class Value, or no training loop, at its top level.
        """
        module = ast.parse(file.read_text(encoding="utf-8"), file.name)
        if not any(map(_is_value, module.body)):
            raise MissingError(f"{file.name} defines no class Value at its top level")
        loop, loss = _training(module.body, file.name)
        setup = [x for x in module.body[: module.body.index(loop)] if not (other_value and _is_value(x))]
        once = ast.parse("for _ in (next(steps),): pass").body[0]
        assert isinstance(once, ast.For)
        once.target, once.body = loop.target, loop.body
        trees: list[Any] = [ast.Module(setup, []), ast.Expression(loop.iter), ast.Module([once], [])]
        if plain:
            trees = [ast.fix_missing_locations(_OnFloats().visit(tree)) for tree in trees]
        modes = ["exec", "eval", "exec"]
        return Parts(*[compile(tree, file.name, mode) for tree, mode in zip(trees, modes, strict=True)], loss)


def _is_value(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ClassDef) and statement.name == "Value"


def _training(body: Sequence[ast.stmt], name: str) -> tuple[ast.For, str]:
    """The training loop, and the name of the loss whose `backward()` it calls."""
    for statement in body:
        for node in ast.walk(statement) if isinstance(statement, ast.For) else ():
            match node:
                case ast.Call(ast.Attribute(ast.Name(loss), "backward")):
                    assert isinstance(statement, ast.For)
                    return statement, loss
    raise MissingError(f"{name} has no loop at its top level, for step in …:, that calls loss.backward()")


class _OnFloats(ast.NodeTransformer):
    """Changes a text that works on Values into one that works on floats."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Attribute(_, "backward"), []):
                return ast.Constant(None)
            case ast.Call(ast.Attribute(of, name), []) if name in FUNCTIONS:
                return ast.Call(ast.Name(f"float_{name}", ast.Load()), [of], [])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "data":
            return node.value
        return ast.Constant(0.0) if node.attr == "grad" else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return self._written(node, node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        return self._written(node, [node.target])

    def _written(self, node: Any, targets: Sequence[ast.AST]) -> ast.AST:
        """What is written into a Value is calculated alone."""
        if all(isinstance(target, ast.Attribute) and target.attr in ("data", "grad") for target in targets):
            return ast.Expr(self.visit(node.value))
        self.generic_visit(node)
        return node
