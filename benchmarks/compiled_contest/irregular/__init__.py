"""Random graphs of 100,000 operations, in which there is nothing alike to be found: a value and its gradient."""
