"""Chooses how many times a short workload is repeated, so that the clock's resolution does not matter."""


class Repeats:
    """Once in the warm-up; then as often as fills `seconds`, by the time of the last go, and at most `most` times."""

    def __init__(self, seconds: float, most: int) -> None:
        self.count = 1
        self._seconds, self._most, self._goes = seconds, most, 0

    def mean(self, total: float) -> float:
        """The seconds of one, given those of all; decides how many there will be in the next go."""
        one = total / self.count
        if self._goes < 1:  # decided once, so that all rounds are of one length
            self.count = max(1, min(self._most, round(self._seconds / one)))
        self._goes += 1
        return one
