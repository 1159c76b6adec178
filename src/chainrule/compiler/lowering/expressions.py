"""Translates the expressions in an operation's text to instructions; `translate` handles the statements around them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from chainrule.compiler.lowering import calls
from chainrule.compiler.lowering.values import COMPARISONS, Values
from chainrule.core.operation import ieee
from chainrule.reading import tree
from chainrule.reading.source import stands_for
from chainrule.reading.text import python


class Names:
    """The names in a function, and what they stand for."""

    def __init__(self, function: FunctionType, own: dict[str, Any]) -> None:
        self.function, self.own = function, own

    def find(self, name: str) -> Any:
        """The object that a name stands for: a variable of the function, of the functions around it, of its module, or
        of Python.

        Raises:
            NameError: there is none, or it has no value on some path to this place.
        """
        if name in self.own:
            return self.own[name]
        return stands_for(self.function, name)


class Expressions(Values):
    """Translates the expressions of one operation's text."""

    def __init__(self, emitter: Any, name: str) -> None:
        super().__init__(emitter, name)
        self.calling: list[FunctionType] = []

    def run(self, function: FunctionType, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """The result of a call of a function written in Python."""
        raise NotImplementedError

    def assign(self, target: tree.Target, value: Any, names: Names) -> None:
        """Assigns a value to a name, or several values to several names."""
        if isinstance(target, tree.Name):
            names.own[target.name] = value
        elif isinstance(target, tree.Targets) and isinstance(value, list | tuple):
            ends = [i for i, one in enumerate(target.targets) if isinstance(one, tree.Star)]
            more = len(value) - len(target.targets) + 1
            if ends and more >= 0:  # a name with a star gets a list of what the others leave
                value = [*value[: ends[0]], list(value[ends[0] : ends[0] + more]), *value[ends[0] + more :]]
            if len(target.targets) != len(value):
                raise self.refuse(f"{len(value)} values for {python(target)}")
            for one, item in zip(target.targets, value, strict=True):
                self.assign(one.of if isinstance(one, tree.Star) else one, item, names)
        else:
            raise self.refuse(f"an assignment to {python(target)}")

    def value(self, node: tree.Expression, names: Names) -> Any:
        """The value of an expression."""
        return WALKS[type(node)](self, node, names)

    def values(self, nodes: Sequence[tree.Expression], names: Names) -> list[Any]:
        """The values of several expressions; of one with a star, those of its items."""
        values: list[Any] = []
        for node in nodes:
            if isinstance(node, tree.Star):
                values += self.listed(self.value(node.of, names), node.of)
            else:
                values.append(self.value(node, names))
        return values

    def unread(self, node: tree.Unread, names: Names) -> Any:
        raise self.refuse(node.words, node.line)

    def named(self, node: tree.Name, names: Names) -> Any:
        try:
            return names.find(node.name)
        except NameError:
            raise self.refuse(f"the name {node.name}, which has no value on every way to it") from None

    def attribute(self, node: tree.Attribute, names: Names) -> Any:
        module = self.value(node.of, names)
        if not isinstance(module, ModuleType) or not hasattr(module, node.name):
            raise self.refuse(repr(python(node)))
        return getattr(module, node.name)

    def items(self, node: tree.Items, names: Names) -> list | tuple:
        values = self.values(node.items, names)
        return values if node.brackets == "[]" else tuple(values)

    def comprehension(self, node: tree.Comprehension, names: Names) -> list:
        values: list[Any] = []
        self.comprehend(node.loops, node.item, Names(names.function, dict(names.own)), values)
        return values

    def comprehend(self, loops: Sequence[tree.Loop], item: tree.Expression, names: Names, values: list) -> None:
        """Appends the values of a comprehension to a list."""
        if not loops:
            values.append(self.value(item, names))
            return
        for x in self.listed(self.value(loops[0].items, names), loops[0].items):
            self.assign(loops[0].target, x, names)
            conditions = [self.truth(condition) for condition in self.values(loops[0].conditions, names)]
            if not self.known(*conditions):
                raise self.refuse("a comprehension whose length depends on numbers")
            if all(conditions):
                self.comprehend(loops[1:], item, names, values)

    def listed(self, items: Any, node: tree.Expression) -> list:
        """The items that a loop visits."""
        if self.known(items) and isinstance(items, list | tuple | range | zip | enumerate | reversed):
            return list(items)
        raise self.refuse(f"a loop over {python(node)!r}")

    def index(self, node: tree.Index, names: Names) -> Any:
        row, place = self.value(node.row, names), self.value(node.place, names)
        if not isinstance(row, list | tuple) or not isinstance(place, int | slice):
            raise self.refuse(repr(python(node)))
        return self.certain(operator.getitem, row, place)

    def slice(self, node: tree.Slice, names: Names) -> slice:
        return slice(*[part and self.value(part, names) for part in (node.first, node.end, node.step)])

    def binary(self, node: tree.Arithmetic, names: Names) -> Any:
        return self.arithmetic(node.sign, self.value(node.left, names), self.value(node.right, names))

    def unary(self, node: tree.Unary, names: Names) -> Any:
        x = self.value(node.operand, names)
        if node.sign == "+":
            return self.certain(operator.pos, x) if self.known(x) else self.number(x)
        return self.opposite(x) if node.sign == "not" else self.negative(x)

    def logic(self, node: tree.Logic, names: Names) -> Any:
        """`a and b` is a where a is false, else b; for truths the result is one bit."""
        either = node.sign == "or"
        result = self.value(node.parts[0], names)
        for later in node.parts[1:]:
            truth = self.truth(result)
            if isinstance(truth, bool):
                result = result if truth == either else self.value(later, names)
                continue
            other = self.value(later, names)
            if self.is_truth(result) and (self.is_truth(other) or isinstance(other, bool)):
                other = other if self.is_truth(other) else self.truth(self.number(other))
                join = self.emitter.builder.or_ if either else self.emitter.builder.and_
                result = join(result, other)
            else:
                result = self.choose(truth, result, other) if either else self.choose(truth, other, result)
        return result

    def comparison(self, node: tree.Comparison, names: Names) -> Any:
        left, result = self.value(node.parts[0], names), True
        for sign, part in zip(node.signs, node.parts[1:], strict=True):
            right = self.value(part, names)
            result = self.both(result, self.compare(sign, left, right, node))
            left = right
        return result

    def compare(self, sign: str, a: Any, b: Any, node: tree.Expression) -> Any:
        """One comparison."""
        same = sign in ("is", "is not")
        if self.known(a, b) or (same and (a is None or b is None)):
            return self.certain(COMPARISONS[sign], a, b)
        if same:
            raise self.refuse(repr(python(node)))
        return self.emitter.compare(sign, self.number(a), self.number(b))

    def choice(self, node: tree.Choice, names: Names) -> Any:
        condition = self.truth(self.value(node.condition, names))
        if isinstance(condition, bool):
            return self.value(node.first if condition else node.second, names)
        return self.choose(condition, *self.values([node.first, node.second], names))

    def call(self, node: tree.Call, names: Names) -> Any:
        function, arguments = self.value(node.function, names), self.values(node.arguments, names)
        named = {name: self.value(argument, names) for name, argument in node.named}
        by_hand = self.emitter.helper(function) if len(arguments) == 1 and not self.known(*arguments) else None
        if by_hand:
            return by_hand(self.emitter, self.number(arguments[0]))
        if isinstance(function, FunctionType) and function is not ieee:
            return self.run(function, arguments, named)
        return calls.call(self, function, arguments, named)


WALKS: dict[type, Callable[[Any, Any, Names], Any]] = {
    tree.Constant: lambda walk, node, names: node.value,
    tree.Name: Expressions.named,
    tree.Attribute: Expressions.attribute,
    tree.Items: Expressions.items,
    tree.Comprehension: Expressions.comprehension,
    tree.Index: Expressions.index,
    tree.Slice: Expressions.slice,
    tree.Unary: Expressions.unary,
    tree.Arithmetic: Expressions.binary,
    tree.Logic: Expressions.logic,
    tree.Comparison: Expressions.comparison,
    tree.Choice: Expressions.choice,
    tree.Call: Expressions.call,
    tree.Unread: Expressions.unread,
}
"""The method that translates each kind of expression."""
