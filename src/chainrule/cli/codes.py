"""The exit codes of commands."""

FINE = 0
FAILED = 1
"""The work was done with a bad result, or could not be finished."""
MISTAKE = 2
"""The command or a file is invalid."""
INTERRUPTED = 130
PIPE_CLOSED = 141
"""Both are what shells report for a program that ended by that signal."""
