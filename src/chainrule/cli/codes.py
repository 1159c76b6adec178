"""How a command ends, told to the shell."""

FINE = 0
FAILED = 1
"""The work was done and came out wrong, or could not be finished."""
MISTAKE = 2
"""The command or a file cannot be used as it is."""
INTERRUPTED = 130
PIPE_CLOSED = 141
"""Both as shells report a program that ended by that signal."""
