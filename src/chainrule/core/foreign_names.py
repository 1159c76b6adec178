"""Names that a Value has in other engines, and what is written in their place here.

Each is reserved on the class of nodes, as a descriptor that does nothing but raise the error; so who reads what a Value
has pays nothing. An attribute of the user's own may have such a name: where it was set, it is what was set.
"""

from __future__ import annotations

from typing import Any, NoReturn

from chainrule.errors import MissingAttributeError

_OF_LISTS = "it is of a list of numbers:\n\n    total = chainrule.logsumexp(xs)\n    "

_SAY = {
    "value val _value": "its number is v.data",
    "gradient derivative adjoint _gradient": "its gradient is v.grad",
    "name _name": "its name for pictures is v.label",
    "children parents prev inputs _parents": "the Values it was made of are v.operands",
    "operation operator": "the operation that made it is v.op, its symbol v._op",
    "backprop backpropagate back_propagate backward_pass": "v.backward() goes back through its graph",
    "clear_grad reset_grad zero_grads": "v.zero_grad() sets the gradients of its graph to 0",
    "build_topo _build_topo topological_sort": "the order of its graph is chainrule.topological_order(v)",
    "draw draw_dot draw_graph show_graph visualize": "chainrule.draw(v) shows its graph",
    "step update": "p.data -= learning_rate * p.grad moves a parameter; for all of them say "
    "optimizer = chainrule.optim.SGD(parameters, lr=0.1), and optimizer.step()",
    "forward _forward": "make the loss anew in each step, or say loss.refresh(), which calculates its graph once more; "
    "chainrule.compile_step does many steps in one call",
    "as_value to_value ensure_value _as_value _to_value _ensure_value _coerce _convert_other": "a plain number may "
    "stand in any formula, 2.0 * v, and Value(2.0) makes a leaf of one",
    "requires_grad requires_grad_": "each leaf gets a gradient; where none is to flow, say v.detach()",
    "square squared sqr": "say v**2",
    "cube cubed": "say v**3",
    "reciprocal inverse inv": "say 1 / v",
    "rsqrt": "say 1 / v.sqrt()",
    "ln": "say v.log()",
    "dot matmul": "a Value is one number; the product of two lists is chainrule.weighted_sum(weights, inputs)",
    "numpy tolist": "a Value is one number; for an array of several say np.array([v.data for v in values])",
    "clone copy": "say copy.copy(v), or v.detach() for a new leaf with its number",
    "log_softmax": f"{_OF_LISTS}logarithms = [x - total for x in xs]",
}
"""What to write, by the names for it."""

_SAY_ALWAYS = {
    "softmax": f"{_OF_LISTS}probabilities = [chainrule.exp(x - total) for x in xs]",
    "topo": "the order of its graph is chainrule.topological_order(v)",
}
"""The same for names that an attribute of the user's own cannot have."""


class ForeignName:
    """A name of other engines on the class of nodes: to read it raises the error."""

    def __init__(self, name: str, say: str) -> None:
        self.name, self._say = name, say

    def __get__(self, value: Any, owner: type) -> NoReturn:
        self.refuse()

    def refuse(self) -> NoReturn:
        """Raises the error."""
        raise MissingAttributeError(f"a Value has no {self.name!r}: {self._say}")


class RefusedName(ForeignName):
    """One that is not written, either."""

    def __set__(self, value: Any, x: Any) -> NoReturn:
        self.refuse()


FOREIGN_NAMES = {name: ForeignName(name, say) for names, say in _SAY.items() for name in names.split()}
FOREIGN_NAMES |= {name: RefusedName(name, say) for name, say in _SAY_ALWAYS.items()}
