"""The compiler: ordinary scalar Python, run at the speed of C."""
