"""Gradient checks: each derivative is calculated twice, by the chain rule and by finite differences."""

from chainrule.check.differences import central_difference, forward_difference, numerical_gradient
from chainrule.check.gradients import check_gradients, check_operation
from chainrule.check.report import GradientReport

__all__ = [
    "GradientReport",
    "central_difference",
    "check_gradients",
    "check_operation",
    "forward_difference",
    "numerical_gradient",
]
