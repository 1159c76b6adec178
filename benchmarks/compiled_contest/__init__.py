"""The parts of `compiled.py`: the contestants, what each does in each workload, the rounds, and the report."""
