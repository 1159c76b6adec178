"""Ten problems for `benchmarks/scipy_problems.py`: each for chainrule, for finite differences and for JAX."""
