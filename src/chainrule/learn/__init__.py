"""A course that checks itself: a learner builds an engine of their own, and is told which mistake it has."""
