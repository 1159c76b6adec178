"""The table of operations: each operation of chainrule stands here, once, and nowhere else.

An entry is a function on plain floats (the value), decorated with its local derivatives. A local derivative gets the
operands and the result y, and is written with `+ - *` and the table's own functions; so the same line runs on floats,
on Values (giving higher derivatives) and on the symbols of the compiler. Two rules keep it exact:

- **IEEE arithmetic.** No entry raises on a real number: 1/0 is inf, log(-1) is nan. Python's `/`, `**` and `math`
  functions raise or turn complex there, so formulas say `div`, `pow`, `exp`.
- **No `if` in a local derivative.** Comparisons and `select` are operations too.

At a kink the convention is: relu'(0) = 0, abs'(0) = 0, and ties of max, min, clip and largest go to the first operand.

There is a file for each family. A local derivative calls other operations by name, so each file imports those that it
needs; the files stand here in an order in which each imports only from earlier ones.
"""

from __future__ import annotations

# isort: off
# each file imports only from earlier ones
from chainrule.core.operation import TABLE
from chainrule.ops.arithmetic import *  # noqa: F403
from chainrule.ops.comparisons import *  # noqa: F403
from chainrule.ops.rounding import *  # noqa: F403
from chainrule.ops.exponentials import *  # noqa: F403
from chainrule.ops.trigonometry import *  # noqa: F403
from chainrule.ops.hyperbolic import *  # noqa: F403
from chainrule.ops.special import *  # noqa: F403
from chainrule.ops.gamma import *  # noqa: F403
from chainrule.ops.activations import *  # noqa: F403
from chainrule.ops.lists import *  # noqa: F403
from chainrule.ops.draws import *  # noqa: F403

# isort: on

__all__ = list(TABLE)
