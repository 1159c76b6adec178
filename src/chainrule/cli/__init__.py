"""The command `chainrule`: trains a network, predicts with it, and draws, explains or checks an expression.

`main` runs one command and turns every outcome into an exit code: 0 for success, 1 if the work failed (a wrong
derivative, a training that diverged), 2 for a mistake in the command or a file, 130 for Ctrl-C. A mistake is reported
in one line.

>>> main(["explain", "a*b", "a=2", "b=-3", "--quiet"])
a.grad = -3
b.grad = 2
0
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from chainrule.cli.codes import FAILED, INTERRUPTED, MISTAKE, PIPE_CLOSED
from chainrule.cli.screen import complain, tolerate_encoding
from chainrule.errors import AnomalyError, ChainruleError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the words after `chainrule`; those of the command line if left out.

    Returns:
        The exit code.
    """
    tolerate_encoding()
    try:
        from chainrule.cli.app import run  # noqa: PLC0415 - without cyclopts this is a mistake as any other

        code = run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()  # so that a closed pipe raises here and not at Python's exit
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C")
        return INTERRUPTED
    except BrokenPipeError:  # as in `chainrule predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except AnomalyError as error:
        complain(error)
        return FAILED
    except (ChainruleError, OSError) as error:
        complain(error)
        return MISTAKE
    return code
