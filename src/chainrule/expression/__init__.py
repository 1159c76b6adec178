"""Text such as `tanh(x*w + b)` to an expression of Values: parsed, never evaluated by Python."""

from chainrule.expression.reading import Expression, parse, parse_assignments

__all__ = ["Expression", "parse", "parse_assignments"]
