"""Writes a tree as Python, for messages; generators of languages with a similar syntax derive from it.

Brackets are written only where precedence needs them.
"""

from __future__ import annotations

from chainrule.reading.tree import (
    Arithmetic,
    Attribute,
    Call,
    Choice,
    Comparison,
    Comprehension,
    Constant,
    Expression,
    Index,
    Items,
    Logic,
    Loop,
    Name,
    Slice,
    Star,
    Target,
    Targets,
    Unary,
    Unread,
)

CHOICE, OR, AND, NOT, COMPARED, EITHER, XOR, BOTH, SHIFT, SUM, PRODUCT, SIGN, POWER, ATOM = range(14)
"""Precedences, lowest first. An expression is put into brackets if its precedence is lower than its place needs."""

PRECEDENCE = {
    **{"or": OR, "and": AND, "not": NOT, "|": EITHER, "^": XOR, "&": BOTH, "<<": SHIFT, ">>": SHIFT},
    **{"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "//": PRODUCT, "**": POWER},
}


class Text:
    """Writes expressions as Python."""

    def expression(self, node: Expression, precedence: int = CHOICE) -> str:
        """An expression, in brackets if its precedence is lower than the given one."""
        text, own = self.written(node)
        return text if own >= precedence else f"({text})"

    def written(self, node: Expression) -> tuple[str, int]:
        """An expression without brackets around it, and its precedence."""
        match node:
            case Unary(sign, operand):
                precedence = PRECEDENCE[sign] if sign == "not" else SIGN
                space = " " if sign == "not" else ""
                return f"{sign}{space}{self.expression(operand, precedence)}", precedence
            case Arithmetic(left, "**", right):
                return f"{self.expression(left, ATOM)} ** {self.expression(right, SIGN)}", POWER
            case Arithmetic(left, sign, right):
                own = PRECEDENCE[sign]
                return f"{self.expression(left, own)} {sign} {self.expression(right, own + 1)}", own
            case Logic(sign, parts):
                precedence = PRECEDENCE[sign]
                return f" {sign} ".join([self.expression(part, precedence + 1) for part in parts]), precedence
            case Comparison(parts, signs):
                first, *others = map(self.compared, parts)
                return " ".join([first, *[f"{sign} {x}" for sign, x in zip(signs, others, strict=True)]]), COMPARED
            case Choice(condition, first, second):
                held = [self.expression(part, CHOICE + 1) for part in (first, condition)]
                return f"{' if '.join(held)} else {self.expression(second)}", CHOICE
        return self.atom(node), ATOM

    def atom(self, node: Expression) -> str:
        """An expression that never needs brackets."""
        match node:
            case Constant(value):
                return repr(value)
            case Name(name):
                return name
            case Attribute(of, name):
                return f"{self.expression(of, ATOM)}.{name}"
            case Items(items, brackets):
                comma = "," if brackets == "()" and len(items) == 1 else ""
                return f"{brackets[0]}{', '.join(map(self.expression, items))}{comma}{brackets[1]}"
            case Index(row, place):
                return f"{self.expression(row, ATOM)}[{self.expression(place)}]"
            case Slice(first, end, step):
                texts = ["" if part is None else self.expression(part) for part in (first, end)]
                return ":".join([*texts, *([] if step is None else [self.expression(step)])])
            case Call(function, arguments, named):
                given = [*map(self.expression, arguments), *[f"{name}={self.expression(x)}" for name, x in named]]
                return f"{self.expression(function, ATOM)}({', '.join(given)})"
            case Comprehension(item, loops, brackets):
                return f"{brackets[0]}{' '.join([self.expression(item), *map(self._loop, loops)])}{brackets[1]}"
            case Star(of):
                return f"*{self.expression(of, EITHER)}"
            case Unread(text):
                return text
        raise TypeError(f"{type(node).__name__} is no expression")

    def compared(self, node: Expression) -> str:
        """A side of a comparison."""
        return self.expression(node, COMPARED + 1)

    def _loop(self, loop: Loop) -> str:
        conditions = [f" if {self.expression(condition, CHOICE + 1)}" for condition in loop.conditions]
        targets = target(loop.target)[1:-1] if _is_row(loop.target) else target(loop.target)
        return f"for {targets} in {self.expression(loop.items, CHOICE + 1)}{''.join(conditions)}"


def _is_row(node: Target) -> bool:
    return isinstance(node, Targets) and len(node.targets) > 1


def target(node: Target) -> str:
    """The target of an assignment."""
    match node:
        case Name(name):
            return name
        case Targets(targets):
            return f"({', '.join(map(target, targets))}{',' if len(targets) == 1 else ''})"
        case Star(of):
            return f"*{target(of)}"
        case Unread(text):
            return text


def python(node: Expression | Target) -> str:
    """An expression or a target as Python, for a message."""
    return target(node) if isinstance(node, Targets) else Text().expression(node)
