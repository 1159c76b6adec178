"""The table of operations: each operation of chainrule stands here, once, and nowhere else.

An entry is a function on plain floats (the value), decorated with its local derivatives. A local derivative gets the
operands and the result y, and is written with `+ - *` and the table's own functions; so the same line runs on floats,
on Values (giving higher derivatives) and on the symbols of the compiler. Two rules keep it exact:

- **IEEE arithmetic.** No entry raises on a real number: 1/0 is inf, log(-1) is nan. Python's `/`, `**` and `math`
  functions raise or turn complex there, so formulas say `div`, `pow`, `exp`.
- **No `if` in a local derivative.** Comparisons and `select` are operations too.

At a kink the convention is: relu'(0) = 0, abs'(0) = 0, and ties of max, min, clip and largest go to the first operand.

There is a file for each family. A local derivative names other operations as any Python does, so a file imports those
that it names, and the files stand here in the order in which they may import each other.
"""

from __future__ import annotations

# isort: off
# in the order in which they may import each other
from chainrule.core.operation import TABLE
from chainrule.ops.arithmetic import *  # noqa: F403
from chainrule.ops.comparisons import *  # noqa: F403
from chainrule.ops.exponentials import *  # noqa: F403
from chainrule.ops.trigonometry import *  # noqa: F403
from chainrule.ops.special import *  # noqa: F403
from chainrule.ops.activations import *  # noqa: F403
from chainrule.ops.lists import *  # noqa: F403

# isort: on

__all__ = list(TABLE)
