"""Expressions of Values from text such as `tanh(x*w + b)`, which is parsed, never evaluated by Python."""

from chainrule.expression.reading import Expression, parse, parse_assignments

__all__ = ["Expression", "parse", "parse_assignments"]
