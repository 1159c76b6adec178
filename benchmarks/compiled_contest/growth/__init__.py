"""How set-up and run time grow with the number of recorded operations."""
