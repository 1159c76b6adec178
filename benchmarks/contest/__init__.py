"""The parts of `eager.py`: the contestants, the workloads, the rounds, and the report."""
