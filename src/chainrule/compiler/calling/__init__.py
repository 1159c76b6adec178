"""From a call's arguments to numbers, through the kernels of the right control-flow path, and back to results."""
