"""Explanations: the chain rule in words and formulas, on the user's own numbers."""

from chainrule.explain.story import Deposit, Explanation, Step, explain

__all__ = ["Deposit", "Explanation", "Step", "explain"]
